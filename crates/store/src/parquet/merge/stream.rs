//! Sorted files in, one sorted file out, with a chunk of rows of each in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::ChunkReader;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, TimestampMillisecondType};
use arrow_array::{
    Array as _, BinaryArray, Float64Array, MapArray, RecordBatch, StringArray,
    TimestampMillisecondArray,
};

use super::super::checked::{metadata_of, reader_of};
use super::super::columns::SCHEMA;
use super::super::error::Error;
use super::super::file::Writer;
use super::super::read::guarded;
use super::super::rows::Value;

/// Rows of one file in memory at once.
const CHUNK_ROWS: usize = 1024;

/// A file that can be merged.
#[derive(Debug)]
pub(in super::super) struct Input {
    path: PathBuf,
    /// Its size.
    pub(in super::super) bytes: u64,
    /// Its rows.
    pub(in super::super) rows: u64,
}

impl Input {
    /// Looks at a file; `None` when it does not have the archive's columns.
    pub(in super::super) fn inspect(path: &Path) -> Result<Option<Self>, Error> {
        let file = open(path)?;
        let bytes = file.metadata().map_err(Error::io("measure", path))?.len();
        let facts = guarded(|| metadata_of(&file)).map_err(decode(path))?;
        let rows = facts.metadata().file_metadata().num_rows();
        Ok((facts.schema().fields() == SCHEMA.fields()).then(|| Self {
            path: path.to_owned(),
            bytes,
            rows: u64::try_from(rows).unwrap_or(0),
        }))
    }

    /// Its name in the day's folder.
    pub(super) fn name(&self) -> OsString {
        self.path.file_name().unwrap_or_default().to_owned()
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(Error::io("open", path))
}

fn decode(path: &Path) -> impl FnOnce(ParquetError) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Decode { path, source }
}

/// Merges `inputs` into a new, synced file at `output`.
pub(in super::super) fn merge(inputs: &[Input], output: &Path) -> Result<(), Error> {
    let facts = [("merged_files", inputs.len().to_string())];
    let mut writer = Writer::create(output, &facts)?;
    let mut cursors: Vec<Cursor<'_>> = Vec::with_capacity(inputs.len());
    let mut heads = BinaryHeap::new();
    for (number, input) in inputs.iter().enumerate() {
        let mut cursor = Cursor::open(input)?;
        heads.extend(cursor.advance(number)?.map(Reverse));
        cursors.push(cursor);
    }
    let mut written = 0;
    let mut series: Option<Rc<Key>> = None;
    while let Some(Reverse(head)) = heads.pop() {
        let Some(cursor) = cursors.get_mut(head.input) else {
            continue;
        };
        if series.as_ref() != Some(&head.key) {
            let labels = head.key.labels.iter();
            let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
            writer.series(&head.key.metric, labels);
            series = Some(Rc::clone(&head.key));
        }
        if let Some((value, tenant)) = cursor.sample() {
            writer.push(head.at_ms, value, tenant)?;
            written += 1;
        }
        heads.extend(cursor.advance(head.input)?.map(Reverse));
    }
    writer.finish()?;
    let read = inputs.iter().map(|input| input.rows).sum();
    if read != written {
        let path = output.to_owned();
        return Err(Error::Miscounted {
            path,
            read,
            written,
        });
    }
    Ok(())
}

/// What a series is sorted by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    metric: String,
    /// The other labels, sorted by name.
    labels: Vec<(String, String)>,
}

/// Where a file's next row belongs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Rc<Key>,
    at_ms: i64,
    input: usize,
}

/// A file that is being read, and the row that it is at.
struct Cursor<'i> {
    input: &'i Input,
    reader: ParquetRecordBatchReader,
    chunk: Option<Chunk>,
    row: usize,
    /// The key of the row before: most rows have their neighbour's.
    key: Option<Rc<Key>>,
}

impl<'i> Cursor<'i> {
    fn open(input: &'i Input) -> Result<Self, Error> {
        let file = open(&input.path)?;
        let reader = guarded(|| reader_of(file)?.with_batch_size(CHUNK_ROWS).build());
        let reader = reader.map_err(decode(&input.path))?;
        Ok(Self {
            input,
            reader,
            chunk: None,
            row: 0,
            key: None,
        })
    }

    /// Goes to the next row, the first at first, and says where it belongs.
    fn advance(&mut self, input: usize) -> Result<Option<Head>, Error> {
        self.row += 1;
        while self
            .chunk
            .as_ref()
            .is_none_or(|chunk| self.row >= chunk.time.len())
        {
            let chunk = guarded(|| Ok(self.reader.next().transpose()?));
            let Some(chunk) = chunk.map_err(decode(&self.input.path))? else {
                return Ok(None);
            };
            self.chunk = Chunk::new(&chunk);
            self.row = 0;
        }
        let Some(chunk) = &self.chunk else {
            return Ok(None);
        };
        let key = match &self.key {
            Some(key) if chunk.has_key(self.row, key) => Rc::clone(key),
            _ => Rc::new(chunk.key(self.row)),
        };
        self.key = Some(Rc::clone(&key));
        Ok(Some(Head {
            key,
            at_ms: chunk.time.value(self.row),
            input,
        }))
    }

    /// The value of the row, and whose it is.
    fn sample(&self) -> Option<(Value<'_>, Option<&str>)> {
        let chunk = self.chunk.as_ref()?;
        let row = self.row;
        let value = if chunk.value.is_valid(row) {
            Value::Float(chunk.value.value(row))
        } else {
            Value::Histogram(chunk.histogram.value(row))
        };
        let tenant = chunk.tenant.is_valid(row).then(|| chunk.tenant.value(row));
        Some((value, tenant))
    }
}

/// Some rows of a file, column by column.
struct Chunk {
    metric: StringArray,
    labels: MapArray,
    names: StringArray,
    values: StringArray,
    time: TimestampMillisecondArray,
    value: Float64Array,
    histogram: BinaryArray,
    tenant: StringArray,
}

impl Chunk {
    fn new(rows: &RecordBatch) -> Option<Self> {
        let column = |name: &str| rows.column_by_name(name);
        let labels = column("labels")?.as_map_opt()?;
        Some(Self {
            metric: column("metric")?.as_string_opt::<i32>()?.clone(),
            names: labels.keys().as_string_opt::<i32>()?.clone(),
            values: labels.values().as_string_opt::<i32>()?.clone(),
            labels: labels.clone(),
            time: column("time")?
                .as_primitive_opt::<TimestampMillisecondType>()?
                .clone(),
            value: column("value")?.as_primitive_opt::<Float64Type>()?.clone(),
            histogram: column("histogram")?.as_binary_opt::<i32>()?.clone(),
            tenant: column("tenant")?.as_string_opt::<i32>()?.clone(),
        })
    }

    fn labels(&self, row: usize) -> impl Iterator<Item = (&str, &str)> {
        let offsets = self.labels.value_offsets();
        let at = |row: usize| offsets.get(row).and_then(|at| usize::try_from(*at).ok());
        let range = at(row).unwrap_or(0)..at(row + 1).unwrap_or(0);
        range.map(|at| (self.names.value(at), self.values.value(at)))
    }

    fn key(&self, row: usize) -> Key {
        Key {
            metric: self.metric.value(row).to_owned(),
            labels: self
                .labels(row)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    fn has_key(&self, row: usize, key: &Key) -> bool {
        let labels = key
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        self.metric.value(row) == key.metric && self.labels(row).eq(labels)
    }
}

/// Reads every row of a file as merging does, and forgets it: for the fuzz targets alone.
pub(in super::super) fn read_chunks(
    file: impl ChunkReader + 'static,
) -> Result<usize, ParquetError> {
    let reader = reader_of(file)?;
    if reader.schema().fields() != SCHEMA.fields() {
        return Ok(0);
    }
    let mut bytes = 0;
    for rows in reader.with_batch_size(CHUNK_ROWS).build()? {
        let rows = rows?;
        let Some(chunk) = Chunk::new(&rows) else {
            continue;
        };
        for row in 0..chunk.time.len() {
            let key = chunk.key(row);
            bytes += key.metric.len() + usize::from(chunk.has_key(row, &key));
        }
    }
    Ok(bytes)
}
