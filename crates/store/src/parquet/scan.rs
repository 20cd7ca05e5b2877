//! The archive's samples of some series and some time, for queries: only the row groups that may have them.
//!
//! Files come and go while this reads: a day whose list is out of date is listed again, so a reader may be given a sample
//! twice, but misses none.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    RowFilter,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::statistics::Statistics;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, TimestampMillisecondType};
use arrow_array::{Array as _, BooleanArray, DictionaryArray, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use model::MetricType;

use super::checked;
use super::columns::SCHEMA;
use super::error::Error;
use super::layout::Day;
use super::merge::list;
use super::read::guarded;
use super::{Archive, Layout};
use crate::select::{Names, Seen, Select, Stopped, Wanted};

/// Rows of one file in memory at once.
const CHUNK_ROWS: usize = 8192;

/// How often a day is listed again because its files went while they were read.
const LISTINGS: usize = 5;

/// Places of the columns in a file, texts of labels counted singly.
const METRIC: usize = 0;
const TIME: usize = 3;

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Files of the days.
    pub files: usize,
    /// Files of these that could not be read; the log says why.
    pub unreadable: usize,
}

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The reader has enough.
    #[error("the reader stopped")]
    Stopped,
    /// The folder cannot be read.
    #[error(transparent)]
    Archive(#[from] Error),
}

impl From<Stopped> for ReadError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// The archive's columns with each text once per row group, and without histograms: these have no single value.
static READ_AS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let texts = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let field = |field: &Arc<Field>| match (field.name().as_str(), field.data_type()) {
        ("metric" | "tenant", _) => {
            Arc::new(Field::new(field.name(), texts(), field.is_nullable()))
        }
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(
        SCHEMA.fields().iter().map(field).collect::<Vec<_>>(),
    ))
});

impl Archive {
    /// Gives what is wanted and lies on the disk, file by file. Blocks the thread for as long as that takes.
    ///
    /// # Errors
    /// When the reader stops, or a folder cannot be listed. A file that cannot be read is left out and counted.
    pub fn visit(&self, select: &mut dyn Select) -> Result<Scanned, ReadError> {
        let layout = &self.shared.layout;
        let (from_ms, to_ms) = select.range();
        let mut scanned = Scanned::default();
        for name in days(layout, from_ms, to_ms)? {
            select.go_on()?;
            scan_day(layout.root().join(name).as_path(), select, &mut scanned)?;
        }
        Ok(scanned)
    }
}

/// The folders of the days that have something of that time, the oldest first.
fn days(layout: &Layout, from_ms: i64, to_ms: i64) -> Result<Vec<String>, Error> {
    let names = list(layout.root())?.into_iter();
    let names = names.filter_map(|name| name.into_string().ok());
    let mut days: Vec<(Day, String)> = names
        .filter_map(|name| Some((Day::parse(&name)?, name)))
        .filter(|(day, _)| day.end_ms() > from_ms && day.start_ms() <= to_ms)
        .collect();
    days.sort();
    Ok(days.into_iter().map(|(_, name)| name).collect())
}

fn scan_day(
    folder: &Path,
    select: &mut dyn Select,
    scanned: &mut Scanned,
) -> Result<(), ReadError> {
    let before = *scanned;
    for listing in 1.. {
        *scanned = before;
        let mut files: Vec<PathBuf> = list(folder)?
            .into_iter()
            .map(|name| folder.join(name))
            .filter(|path| path.extension().is_some_and(|ending| ending == "parquet"))
            .collect();
        files.sort();
        let mut is_complete = true;
        for path in files {
            select.go_on()?;
            let file = match File::open(&path) {
                Ok(file) => file,
                // Merged into another one, or too old, since the folder was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    is_complete = false;
                    break;
                }
                Err(error) => return Err(Error::io("open", &path)(error).into()),
            };
            scanned.files += 1;
            match scan_file(file, select) {
                Ok(()) => {}
                Err(Ended::Stopped) => return Err(ReadError::Stopped),
                Err(Ended::Damaged(error)) => {
                    tracing::warn!(%error, path = %path.display(), "archive: a query left this file out");
                    scanned.unreadable += 1;
                }
            }
        }
        if is_complete || listing >= LISTINGS {
            break;
        }
    }
    Ok(())
}

enum Ended {
    Stopped,
    Damaged(ParquetError),
}

impl From<ParquetError> for Ended {
    fn from(error: ParquetError) -> Self {
        Self::Damaged(error)
    }
}

fn scan_file(file: File, select: &mut dyn Select) -> Result<(), Ended> {
    let (from_ms, to_ms) = select.range();
    let names = select.names();
    let metadata = guarded(|| {
        let plain = checked::metadata_of(&file)?;
        if plain.schema().fields() != SCHEMA.fields() {
            return Ok(None);
        }
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(&READ_AS));
        let metadata = Arc::clone(plain.metadata());
        Ok(Some(ArrowReaderMetadata::try_new(metadata, options)?))
    });
    let Some(metadata) = metadata? else {
        return Ok(());
    };
    // One after another: rows are tested when a reader is made, and nobody can stop that.
    for (number, group) in metadata.metadata().row_groups().iter().enumerate() {
        select.go_on().map_err(|Stopped| Ended::Stopped)?;
        if !may_have(group, &names, from_ms..to_ms) {
            continue;
        }
        let mut reader = guarded(|| {
            checked::pages(&file, group)?;
            let file = file.try_clone()?;
            let builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
            let schema = builder.parquet_schema();
            let tested = ProjectionMask::columns(schema, ["metric", "time", "value"]);
            let read = ProjectionMask::roots(schema, [0, 1, 2, 3, 5]);
            let names = names.clone();
            let test = move |rows| test(&rows, &names, from_ms..to_ms);
            let filter = RowFilter::new(vec![Box::new(ArrowPredicateFn::new(tested, test))]);
            let reader = builder
                .with_row_groups(vec![number])
                .with_projection(read)
                .with_row_filter(filter)
                .with_batch_size(CHUNK_ROWS);
            reader.build()
        })?;
        while let Some(rows) = guarded(|| Ok(reader.next().transpose()?))? {
            select.go_on().map_err(|Stopped| Ended::Stopped)?;
            let odd = || ParquetError::General("it has other columns".to_owned());
            let chunk = Chunk::new(&rows).ok_or_else(odd)?;
            chunk.give(select).map_err(|Stopped| Ended::Stopped)?;
        }
    }
    Ok(())
}

/// Whether a row group may have such rows, as far as its statistics say. `times` includes its end.
fn may_have(group: &RowGroupMetaData, names: &Names, times: Range<i64>) -> bool {
    let statistics = |column: usize| group.columns().get(column)?.statistics();
    if let Some(Statistics::Int64(time)) = statistics(TIME)
        && let (Some(min), Some(max)) = (time.min_opt(), time.max_opt())
        && (*max < times.start || *min > times.end)
    {
        return false;
    }
    if let Names::One(name) = names
        && let Some(Statistics::ByteArray(metric)) = statistics(METRIC)
        && let (Some(min), Some(max)) = (metric.min_opt(), metric.max_opt())
        && (max.data() < name.as_bytes() || min.data() > name.as_bytes())
    {
        return false;
    }
    true
}

/// Which rows are wanted.
fn test(rows: &RecordBatch, names: &Names, times: Range<i64>) -> Result<BooleanArray, ArrowError> {
    let odd = || ArrowError::SchemaError("it has other columns".to_owned());
    let metric = rows
        .column_by_name("metric")
        .and_then(|column| column.as_dictionary_opt::<Int32Type>())
        .ok_or_else(odd)?;
    let time = rows
        .column_by_name("time")
        .and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>())
        .ok_or_else(odd)?;
    let value = rows.column_by_name("value").ok_or_else(odd)?;
    let texts = metric.values().as_string_opt::<i32>().ok_or_else(odd)?;
    // Asked for each name that occurs, and not for each row.
    let mut known: Vec<Option<bool>> = vec![None; texts.len()];
    let mut is_wanted = |row: usize| {
        let key = metric.key(row)?;
        let known = known.get_mut(key)?;
        Some(*known.get_or_insert_with(|| names.want(texts.value(key))))
    };
    let wanted = (0..rows.num_rows()).map(|row| {
        let at_ms = time.value(row);
        let in_time = at_ms >= times.start && at_ms <= times.end;
        // A row without a value is a native histogram.
        Some(in_time && value.is_valid(row) && is_wanted(row) == Some(true))
    });
    Ok(wanted.collect())
}

/// Some rows of a file, column by column.
struct Chunk<'a> {
    metric: &'a DictionaryArray<Int32Type>,
    metrics: &'a StringArray,
    label_ends: &'a [i32],
    names: &'a StringArray,
    values: &'a StringArray,
    times: &'a [i64],
    floats: &'a [f64],
    tenant: &'a DictionaryArray<Int32Type>,
    tenants: &'a StringArray,
}

impl<'a> Chunk<'a> {
    fn new(rows: &'a RecordBatch) -> Option<Self> {
        let column = |name: &str| rows.column_by_name(name);
        let labels = column("labels")?.as_map_opt()?;
        let metric = column("metric")?.as_dictionary_opt::<Int32Type>()?;
        let tenant = column("tenant")?.as_dictionary_opt::<Int32Type>()?;
        let times = column("time")?.as_primitive_opt::<TimestampMillisecondType>()?;
        let floats = column("value")?.as_primitive_opt::<Float64Type>()?;
        Some(Self {
            metric,
            metrics: metric.values().as_string_opt::<i32>()?,
            label_ends: labels.value_offsets(),
            names: labels.keys().as_string_opt::<i32>()?,
            values: labels.values().as_string_opt::<i32>()?,
            times: times.values(),
            floats: floats.values(),
            tenant,
            tenants: tenant.values().as_string_opt::<i32>()?,
        })
    }

    fn labels(&self, row: usize) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let at = |row: usize| {
            let end = self.label_ends.get(row);
            end.and_then(|at| usize::try_from(*at).ok())
        };
        let range = at(row).unwrap_or(0)..at(row + 1).unwrap_or(0);
        let (names, values) = (self.names, self.values);
        range.map(move |at| (names.value(at), values.value(at)))
    }

    fn give(&self, select: &mut dyn Select) -> Result<(), Stopped> {
        let mut labels: Vec<(&str, &str)> = Vec::new();
        let mut before: Option<(Option<usize>, Option<usize>)> = None;
        let mut wanted = Wanted::Nothing;
        for (row, (&at_ms, &value)) in self.times.iter().zip(self.floats).enumerate() {
            let key = (self.metric.key(row), self.tenant.key(row));
            let is_same = before == Some(key) && self.labels(row).eq(labels.iter().copied());
            if !is_same {
                before = Some(key);
                labels.clear();
                labels.extend(self.labels(row));
                let text = |texts: &'a StringArray, key: Option<usize>| {
                    let key = key.filter(|key| *key < texts.len());
                    key.map(|key| texts.value(key))
                };
                wanted = select.series(&Seen {
                    metric: text(self.metrics, key.0).unwrap_or_default(),
                    labels: &labels,
                    tenant: text(self.tenants, key.1),
                    kind: MetricType::Unspecified,
                    unit: None,
                    help: None,
                })?;
            }
            if wanted == Wanted::Samples {
                select.sample(at_ms, value)?;
            }
        }
        Ok(())
    }
}
