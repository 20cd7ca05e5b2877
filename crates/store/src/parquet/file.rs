//! One file of the archive: rows in, bytes on the disk.
//!
//! Every reader of Parquet's first version can read it: plain pages of version 1, strings and not
//! dictionaries in the schema, a map in the shape that the format's specification gives.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::errors::ParquetError;
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

/// A file that remembers its trouble: the encoder makes text of it, and a full disk must not be
/// taken for samples that cannot be encoded.
struct Disk {
    file: File,
    failed: Arc<OnceLock<io::Error>>,
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

impl Disk {
    fn remember<T>(&self, result: io::Result<T>) -> io::Result<T> {
        // The first one counts; the others follow from it.
        result.inspect_err(|error| {
            self.failed.get_or_init(|| copy(error));
        })
    }
}

impl io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.remember(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.remember(flushed)
    }
}

/// Writes `samples`, in their order, to a new file at `path` and syncs it. Answers its size in bytes.
pub(super) fn write<'r, 'a: 'r>(
    path: &Path,
    origin: Origin<'_>,
    samples: impl Iterator<Item = Sample<'r, 'a>>,
) -> Result<u64, Error> {
    let failed = Arc::new(OnceLock::new());
    let disk = Disk {
        file: File::create(path).map_err(Error::io("create", path))?,
        failed: Arc::clone(&failed),
    };
    let file = match encode(disk, origin, samples) {
        Ok(disk) => disk.file,
        Err(error) => {
            return Err(
                match Arc::into_inner(failed).and_then(OnceLock::into_inner) {
                    Some(trouble) => Error::io("write", path)(trouble),
                    None => Error::encode(path)(error),
                },
            );
        }
    };
    file.sync_all().map_err(Error::io("sync", path))?;
    let metadata = file.metadata().map_err(Error::io("measure", path))?;
    Ok(metadata.len())
}

fn encode<'r, 'a: 'r>(
    disk: Disk,
    origin: Origin<'_>,
    samples: impl Iterator<Item = Sample<'r, 'a>>,
) -> Result<Disk, ParquetError> {
    let mut writer = ArrowWriter::try_new(disk, Arc::clone(&SCHEMA), Some(properties(origin)))?;
    let mut columns = Columns::new();
    for sample in samples {
        columns.push(&sample)?;
        if columns.rows == CHUNK_ROWS {
            writer.write(&columns.take()?)?;
        }
    }
    if columns.rows > 0 {
        writer.write(&columns.take()?)?;
    }
    writer.into_inner()
}
