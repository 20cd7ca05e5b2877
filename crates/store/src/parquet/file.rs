//! One file of the archive: rows in, bytes on the disk.
//!
//! Pages of the format's first version and no exotic encoding, so that every reader takes it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::WriterProperties;
use ::parquet::schema::types::ColumnPath;

use super::Span;
use super::columns::{Columns, SCHEMA};
use super::error::Error;
use super::rows::Sample;

/// DuckDB's own row group: small enough to skip metrics by their statistics, large enough to compress.
const ROW_GROUP_ROWS: usize = 122_880;

/// Which batch a file's rows are of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// Which buffer.
    pub(super) source: &'a str,
    /// Where in it.
    pub(super) span: Span,
}

impl Origin<'_> {
    /// For [`Writer::create`].
    pub(super) fn metadata(self) -> [(&'static str, String); 4] {
        let Span {
            partition,
            first,
            last,
        } = self.span;
        [
            ("source", self.source.to_owned()),
            ("partition", partition.to_string()),
            ("first_offset", first.to_string()),
            ("last_offset", last.to_string()),
        ]
    }
}

fn metadata(facts: &[(&str, String)]) -> Vec<KeyValue> {
    let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
    std::iter::once(&version)
        .chain(facts)
        .map(|(key, value)| KeyValue::new(format!("sluice.{key}"), value.clone()))
        .collect()
}

fn properties(facts: &[(&str, String)]) -> WriterProperties {
    let column =
        |parts: &[&str]| ColumnPath::new(parts.iter().copied().map(str::to_owned).collect());
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("sluice ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_enabled(false)
        .set_column_encoding(column(&["time"]), Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(Some(metadata(facts)))
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

/// A file that is being written. What was dropped before [`Self::finish`] is no file yet.
pub(super) struct Writer {
    path: PathBuf,
    failed: Arc<OnceLock<io::Error>>,
    encoder: ArrowWriter<Disk>,
    columns: Columns,
}

impl Writer {
    /// A new file at `path`, with `facts` in its key-value metadata.
    pub(super) fn create(path: &Path, facts: &[(&str, String)]) -> Result<Self, Error> {
        let failed = Arc::new(OnceLock::new());
        let disk = Disk {
            file: File::create(path).map_err(Error::io("create", path))?,
            failed: Arc::clone(&failed),
        };
        let encoder = ArrowWriter::try_new(disk, Arc::clone(&SCHEMA), Some(properties(facts)));
        Ok(Self {
            path: path.to_owned(),
            encoder: encoder.map_err(|error| fault(path, &failed, error))?,
            failed,
            columns: Columns::new(),
        })
    }

    /// Adds a row. Rows come in the order of the file.
    pub(super) fn push<T: AsRef<str>>(&mut self, sample: &Sample<'_, T>) -> Result<(), Error> {
        let pushed = self.columns.push(sample).map_err(ParquetError::from);
        pushed
            .and_then(|()| self.spill(self.columns.are_full()))
            .map_err(|error| fault(&self.path, &self.failed, error))
    }

    fn spill(&mut self, due: bool) -> Result<(), ParquetError> {
        if due {
            self.encoder.write(&self.columns.take()?)?;
        }
        Ok(())
    }

    /// Completes and syncs the file and answers its size in bytes.
    pub(super) fn finish(mut self) -> Result<u64, Error> {
        let path = self.path.clone();
        let failed = Arc::clone(&self.failed);
        let disk = self
            .spill(!self.columns.are_empty())
            .and_then(|()| self.encoder.into_inner())
            .map_err(|error| fault(&path, &failed, error))?;
        let file = disk.file;
        file.sync_all().map_err(Error::io("sync", &path))?;
        let metadata = file.metadata().map_err(Error::io("measure", &path))?;
        Ok(metadata.len())
    }
}

fn fault(path: &Path, failed: &OnceLock<io::Error>, error: ParquetError) -> Error {
    match failed.get() {
        Some(trouble) => Error::io("write", path)(copy(trouble)),
        None => Error::encode(path)(error),
    }
}
