//! One file of the archive: rows in, bytes on the disk.
//!
//! Every reader of Parquet's first version can read it: plain pages of version 1, strings and not
//! dictionaries in the schema, a map in the shape that the format's specification gives.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::WriterProperties;
use ::parquet::schema::types::ColumnPath;
use arrow_array::builder::{
    BinaryBuilder, Float64Builder, MapBuilder, MapFieldNames, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::error::Error;
use super::rows::{Sample, Value};

/// Rows that are turned into columns at once; bounds what is copied.
const CHUNK_ROWS: usize = 8192;

/// DuckDB's own row group: small enough to skip metrics by their statistics, large enough to compress.
const ROW_GROUP_ROWS: usize = 122_880;

const TIME_ZONE: &str = "UTC";

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
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

/// Where a file's rows came from, for its key-value metadata.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// Which buffer.
    pub(super) source: &'a str,
    /// The partition there.
    pub(super) partition: i32,
    /// The first offset of the batch.
    pub(super) first: i64,
    /// The last offset of the batch.
    pub(super) last: i64,
}

impl Origin<'_> {
    fn metadata(self) -> Vec<KeyValue> {
        [
            ("sluice.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("sluice.source", self.source.to_owned()),
            ("sluice.partition", self.partition.to_string()),
            ("sluice.first_offset", self.first.to_string()),
            ("sluice.last_offset", self.last.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| KeyValue::new(key.to_owned(), value))
        .collect()
    }
}

fn properties(origin: Origin<'_>) -> WriterProperties {
    let column =
        |parts: &[&str]| ColumnPath::new(parts.iter().copied().map(str::to_owned).collect());
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("sluice ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_enabled(false)
        .set_column_encoding(column(&["time"]), Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(Some(origin.metadata()))
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]));
    for repetitive in [
        &["metric"][..],
        &["labels", "key_value", "key"],
        &["labels", "key_value", "value"],
        &["value"],
        &["tenant"],
    ] {
        properties = properties.set_column_dictionary_enabled(column(repetitive), true);
    }
    properties.build()
}

/// Columns that are being filled.
struct Columns {
    metric: StringBuilder,
    labels: MapBuilder<StringBuilder, StringBuilder>,
    time: TimestampMillisecondBuilder,
    value: Float64Builder,
    histogram: BinaryBuilder,
    tenant: StringBuilder,
    rows: usize,
}

impl Columns {
    fn new() -> Self {
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

    fn push(&mut self, sample: &Sample<'_, '_>) -> Result<(), arrow_schema::ArrowError> {
        self.metric.append_value(sample.key.metric);
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

    fn take(&mut self) -> Result<RecordBatch, arrow_schema::ArrowError> {
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

/// Writes `samples`, in their order, to a new file at `path` and syncs it. Answers its size in bytes.
pub(super) fn write<'r, 'a: 'r>(
    path: &Path,
    origin: Origin<'_>,
    samples: impl Iterator<Item = Sample<'r, 'a>>,
) -> Result<u64, Error> {
    let encode = Error::encode(path);
    let file = File::create(path).map_err(Error::io("create", path))?;
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&SCHEMA), Some(properties(origin)))
        .map_err(&encode)?;
    let mut columns = Columns::new();
    for sample in samples {
        columns
            .push(&sample)
            .map_err(|error| encode(error.into()))?;
        if columns.rows == CHUNK_ROWS {
            let chunk = columns.take().map_err(|error| encode(error.into()))?;
            writer.write(&chunk).map_err(&encode)?;
        }
    }
    if columns.rows > 0 {
        let chunk = columns.take().map_err(|error| encode(error.into()))?;
        writer.write(&chunk).map_err(&encode)?;
    }
    let file = writer.into_inner().map_err(&encode)?;
    file.sync_all().map_err(Error::io("sync", path))?;
    let metadata = file.metadata().map_err(Error::io("measure", path))?;
    Ok(metadata.len())
}
