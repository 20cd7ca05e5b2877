//! One file of the archive: rows in, bytes on the disk.
//!
//! Pages of the format's first version and no exotic encoding, so that every reader takes it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ::parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::ColumnPath;

use super::Span;
use super::columns::SCHEMA;
use super::error::Error;
use super::group::Group;
use super::rows::Value;

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

fn properties(facts: &[KeyValue], has_common_values: bool) -> WriterProperties {
    let column =
        |parts: &[&str]| ColumnPath::new(parts.iter().copied().map(str::to_owned).collect());
    let properties = WriterProperties::builder()
        .set_created_by(concat!("sluice ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(column(&["value"]), has_common_values)
        // A row group has one page of most columns: its own statistics say as much.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_column_encoding(column(&["time"]), Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(Some(facts.to_vec()))
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]));
    let mut properties = properties.build();
    add_encoded_arrow_schema_to_metadata(&SCHEMA, &mut properties);
    properties
}

/// A file that remembers its trouble: the encoder makes text of it, and a full disk must not be
/// taken for samples that cannot be encoded.
pub(super) struct Disk {
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
    stage: Stage,
    facts: Vec<KeyValue>,
    group: Group,
}

/// How far a file is. Its properties depend on the values that come first.
enum Stage {
    Created(Option<Disk>),
    Begun(SerializedFileWriter<Disk>),
}

impl Writer {
    /// A new file at `path`, with `facts` in its key-value metadata.
    pub(super) fn create(path: &Path, facts: &[(&str, String)]) -> Result<Self, Error> {
        let failed = Arc::new(OnceLock::new());
        let disk = Disk {
            file: File::create(path).map_err(Error::io("create", path))?,
            failed: Arc::clone(&failed),
        };
        Ok(Self {
            path: path.to_owned(),
            failed,
            stage: Stage::Created(Some(disk)),
            facts: metadata(facts),
            group: Group::default(),
        })
    }

    /// Rows are of this series from now on. Series come in the order of the file, and labels sorted.
    pub(super) fn series<'x>(
        &mut self,
        metric: &str,
        labels: impl Iterator<Item = (&'x str, &'x str)>,
    ) {
        self.group.series(metric, labels);
    }

    /// Adds a row of the series.
    pub(super) fn push(
        &mut self,
        at_ms: i64,
        value: Value<'_>,
        tenant: Option<&str>,
    ) -> Result<(), Error> {
        self.group.push(at_ms, value, tenant);
        if !self.group.is_full() {
            return Ok(());
        }
        self.spill()
            .map_err(|error| fault(&self.path, &self.failed, error))
    }

    fn spill(&mut self) -> Result<(), ParquetError> {
        let next = self.group.next();
        let group = std::mem::replace(&mut self.group, next);
        if let Stage::Created(disk) = &mut self.stage
            && let Some(disk) = disk.take()
        {
            let properties = properties(&self.facts, group.has_common_values());
            let schema = ArrowSchemaConverter::new().convert(&SCHEMA)?;
            let file =
                SerializedFileWriter::new(disk, schema.root_schema_ptr(), Arc::new(properties))?;
            self.stage = Stage::Begun(file);
        }
        match &mut self.stage {
            Stage::Begun(file) if !group.is_empty() => group.write(file),
            Stage::Begun(_) => Ok(()),
            Stage::Created(_) => Err(ParquetError::General("the file was given up".to_owned())),
        }
    }

    /// Completes and syncs the file and answers its size in bytes.
    pub(super) fn finish(mut self) -> Result<u64, Error> {
        let path = self.path.clone();
        let failed = Arc::clone(&self.failed);
        let disk = self
            .spill()
            .and_then(|()| match self.stage {
                Stage::Begun(file) => file.into_inner(),
                Stage::Created(_) => Err(ParquetError::General("nothing was written".to_owned())),
            })
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
