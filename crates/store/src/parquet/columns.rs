//! The archive's columns.
//!
//! Strings and not dictionaries in the schema, and a map in the shape that the format's
//! specification gives: what every reader of Parquet understands.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

const TIME_ZONE: &str = "UTC";

/// The columns of every file.
pub(super) static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let entry = DataType::Struct(
        vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Utf8, false),
        ]
        .into(),
    );
    let labels = DataType::Map(Arc::new(Field::new("key_value", entry, false)), false);
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some(TIME_ZONE.into()));
    Arc::new(Schema::new(vec![
        Field::new("metric", DataType::Utf8, false),
        Field::new("labels", labels, false),
        Field::new("time", time, false),
        Field::new("value", DataType::Float64, true),
        Field::new("histogram", DataType::Binary, true),
        Field::new("tenant", DataType::Utf8, true),
    ]))
});
