//! The archive's columns.
//!
//! Strings and not dictionaries in the schema, and a map in the shape that the format's
//! specification gives: what every reader of Parquet understands.

use std::sync::{Arc, LazyLock};

use arrow_array::builder::{
    BinaryBuilder, Float64Builder, MapBuilder, MapFieldNames, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::rows::{Sample, Value};

/// Rows that are turned into columns at once; bounds what is copied.
const CHUNK_ROWS: usize = 8192;

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

/// Columns that are being filled.
pub(super) struct Columns {
    metric: StringBuilder,
    labels: MapBuilder<StringBuilder, StringBuilder>,
    time: TimestampMillisecondBuilder,
    value: Float64Builder,
    histogram: BinaryBuilder,
    tenant: StringBuilder,
    rows: usize,
}

impl Columns {
    pub(super) fn new() -> Self {
        let names = MapFieldNames {
            entry: "key_value".to_owned(),
            key: "key".to_owned(),
            value: "value".to_owned(),
        };
        let text = || StringBuilder::with_capacity(CHUNK_ROWS, CHUNK_ROWS * 16);
        Self {
            metric: text(),
            labels: MapBuilder::new(Some(names), text(), text()).with_values_field(Field::new(
                "value",
                DataType::Utf8,
                false,
            )),
            time: TimestampMillisecondBuilder::with_capacity(CHUNK_ROWS).with_timezone(TIME_ZONE),
            value: Float64Builder::with_capacity(CHUNK_ROWS),
            histogram: BinaryBuilder::new(),
            tenant: StringBuilder::new(),
            rows: 0,
        }
    }

    /// Adds a row.
    pub(super) fn push<T: AsRef<str>>(&mut self, sample: &Sample<'_, T>) -> Result<(), ArrowError> {
        self.metric.append_value(&sample.key.metric);
        for (name, value) in &sample.key.labels {
            self.labels.keys().append_value(name);
            self.labels.values().append_value(value);
        }
        self.labels.append(true)?;
        self.time.append_value(sample.at_ms);
        match sample.value {
            Value::Float(value) => {
                self.value.append_value(value);
                self.histogram.append_null();
            }
            Value::Histogram(message) => {
                self.value.append_null();
                self.histogram.append_value(message);
            }
        }
        self.tenant.append_option(sample.tenant);
        self.rows += 1;
        Ok(())
    }

    /// Whether it is time to [`Self::take`] what is there.
    pub(super) fn are_full(&self) -> bool {
        self.rows >= CHUNK_ROWS
    }

    /// Whether there is no row.
    pub(super) fn are_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows so far; the columns are empty afterwards.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.metric.finish()),
            Arc::new(self.labels.finish()),
            Arc::new(self.time.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.histogram.finish()),
            Arc::new(self.tenant.finish()),
        ];
        RecordBatch::try_new(Arc::clone(&SCHEMA), columns)
    }
}
