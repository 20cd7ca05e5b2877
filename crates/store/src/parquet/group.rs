//! A row group that is being filled: rows in, columns out.
//!
//! Rows come sorted by series, so a series' texts are looked at once and its rows are counted. What
//! is kept of a row are its time and its value.

use std::ops::Range;

use ::parquet::basic::ZstdLevel;
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::ColumnDescPtr;

use super::file::Disk;
use super::hybrid::Hybrid;
use super::rows::Value;
use super::texts::{Chunk, Dictionary, Encoder, Values, put_levels};

/// DuckDB's own row group: small enough to skip metrics by their statistics, large enough to compress.
const MAX_ROWS: usize = 122_880;

/// Texts and labels of one row group; pages become too large for some readers long after these.
const MAX_TEXT_BYTES: usize = 16 << 20;
const MAX_LABELS: usize = 4 << 20;

/// Rows that follow each other and are of one series.
#[derive(Debug)]
struct Run {
    metric: u32,
    labels: Range<usize>,
    rows: usize,
}

/// Rows that follow each other and are of one tenant.
#[derive(Debug)]
struct TenantRun {
    tenant: Option<u32>,
    rows: usize,
}

/// The rows so far.
#[derive(Debug, Default)]
pub(super) struct Group {
    metrics: Dictionary,
    names: Dictionary,
    texts: Dictionary,
    tenants: Dictionary,
    /// Numbers of a name and a text for each label of each run.
    labels: Vec<[u32; 2]>,
    runs: Vec<Run>,
    tenant_runs: Vec<TenantRun>,
    times: Vec<i64>,
    /// One for a float, zero for a histogram.
    levels: Vec<i16>,
    floats: Vec<f64>,
    histograms: Vec<ByteArray>,
    /// Labels of all rows.
    row_labels: usize,
}

impl Group {
    /// Rows are of this series from now on. Labels come sorted.
    pub(super) fn series<'x>(
        &mut self,
        metric: &str,
        labels: impl Iterator<Item = (&'x str, &'x str)>,
    ) {
        let before = self.runs.last();
        let metric = self
            .metrics
            .number_near(metric, before.map(|run| run.metric));
        let mut near = before.map_or(0..0, |run| run.labels.clone());
        let start = self.labels.len();
        for (name, text) in labels {
            let near = near.next().and_then(|at| self.labels.get(at)).copied();
            let name = self.names.number_near(name, near.map(|[name, _]| name));
            let text = self.texts.number_near(text, near.map(|[_, text]| text));
            self.labels.push([name, text]);
        }
        self.runs.push(Run {
            metric,
            labels: start..self.labels.len(),
            rows: 0,
        });
    }

    /// Adds a row of the series.
    pub(super) fn push(&mut self, at_ms: i64, value: Value<'_>, tenant: Option<&str>) {
        self.times.push(at_ms);
        match value {
            Value::Float(value) => {
                self.levels.push(1);
                self.floats.push(value);
            }
            Value::Histogram(message) => {
                self.levels.push(0);
                self.histograms.push(message.to_vec().into());
            }
        }
        if let Some(run) = self.runs.last_mut() {
            run.rows += 1;
            self.row_labels += run.labels.len();
        }
        let before = self.tenant_runs.last().and_then(|run| run.tenant);
        let tenant = tenant.map(|tenant| self.tenants.number_near(tenant, before));
        match self.tenant_runs.last_mut() {
            Some(run) if run.tenant == tenant => run.rows += 1,
            _ => self.tenant_runs.push(TenantRun { tenant, rows: 1 }),
        }
    }

    /// Whether it is time for the next one.
    pub(super) fn is_full(&self) -> bool {
        let text_bytes = self.metrics.bytes() + self.names.bytes() + self.texts.bytes();
        self.times.len() >= MAX_ROWS
            || text_bytes >= MAX_TEXT_BYTES
            || self.row_labels >= MAX_LABELS
    }

    /// Whether there is no row.
    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// An empty group that goes on with the same series.
    pub(super) fn next(&self) -> Self {
        let mut next = Self::default();
        if let Some(run) = self.runs.last() {
            let text = |dictionary: &Dictionary, number| {
                String::from_utf8_lossy(dictionary.text(number)).into_owned()
            };
            let labels = self.labels.get(run.labels.clone()).unwrap_or_default();
            let labels: Vec<(String, String)> = labels
                .iter()
                .map(|&[name, value]| (text(&self.names, name), text(&self.texts, value)))
                .collect();
            let labels = labels.iter();
            next.series(
                &text(&self.metrics, run.metric),
                labels.map(|(name, value)| (name.as_str(), value.as_str())),
            );
        }
        next
    }

    /// Whether values repeat so much that a dictionary of them pays.
    pub(super) fn has_common_values(&self) -> bool {
        const LOOK_AT: usize = 2048;
        let step = (self.floats.len() / LOOK_AT).max(1);
        let mut values: Vec<u64> = self
            .floats
            .iter()
            .step_by(step)
            .map(|value| value.to_bits())
            .collect();
        let looked_at = values.len();
        values.sort_unstable();
        values.dedup();
        values.len() * 2 <= looked_at
    }

    /// Writes the rows as a row group.
    pub(super) fn write(self, file: &mut SerializedFileWriter<Disk>) -> Result<(), ParquetError> {
        let schema = file.schema_descr();
        let mut encoder = Encoder::new(ZstdLevel::default())?;
        let metric = self.metric_column(&mut encoder, schema.column(0))?;
        let [name, text] =
            self.label_columns(&mut encoder, [schema.column(1), schema.column(2)])?;
        let tenant = self.tenant_column(&mut encoder, schema.column(6))?;
        let mut group = file.next_row_group()?;
        for (bytes, close) in [metric, name, text] {
            group.append_column(&bytes, close)?;
        }
        let Self {
            times,
            mut levels,
            floats,
            histograms,
            ..
        } = self;
        if let Some(mut column) = group.next_column()? {
            let typed = column.typed::<Int64Type>();
            typed.write_batch(&times, None, None)?;
            column.close()?;
        }
        if let Some(mut column) = group.next_column()? {
            let typed = column.typed::<DoubleType>();
            typed.write_batch(&floats, Some(&levels), None)?;
            column.close()?;
        }
        levels.iter_mut().for_each(|level| *level = 1 - *level);
        if let Some(mut column) = group.next_column()? {
            let typed = column.typed::<ByteArrayType>();
            typed.write_batch(&histograms, Some(&levels), None)?;
            column.close()?;
        }
        if let Some((bytes, close)) = tenant {
            group.append_column(&bytes, close)?;
        } else if let Some(mut column) = group.next_column()? {
            levels.fill(0);
            let typed = column.typed::<ByteArrayType>();
            typed.write_batch(&[], Some(&levels), None)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    fn metric_column(
        &self,
        encoder: &mut Encoder,
        column: ColumnDescPtr,
    ) -> Result<Chunk, ParquetError> {
        let mut numbers = Hybrid::new(self.metrics.width());
        for same in self.runs.chunk_by(|a, b| a.metric == b.metric) {
            if let Some(run) = same.first() {
                numbers.repeat(run.metric, same.iter().map(|run| run.rows).sum());
            }
        }
        let values = Values {
            levels: Vec::new(),
            numbers,
            rows: self.times.len(),
            places: self.times.len(),
            nulls: 0,
        };
        encoder.encode(column, &self.metrics, values)
    }

    /// Names and texts of the labels. A row without labels is an empty place.
    fn label_columns(
        &self,
        encoder: &mut Encoder,
        [name, text]: [ColumnDescPtr; 2],
    ) -> Result<[Chunk; 2], ParquetError> {
        let mut repeated = Hybrid::new(1);
        let mut defined = Hybrid::new(1);
        let mut names = Hybrid::new(self.names.width());
        let mut texts = Hybrid::new(self.texts.width());
        let (mut bare_rows, mut present) = (0, 0);
        for run in &self.runs {
            let labels = self.labels.get(run.labels.clone()).unwrap_or_default();
            if labels.is_empty() {
                repeated.repeat(0, run.rows);
                defined.repeat(1, std::mem::take(&mut present));
                defined.repeat(0, run.rows);
                bare_rows += run.rows;
                continue;
            }
            present += labels.len() * run.rows;
            for _ in 0..run.rows {
                repeated.push(0);
                (1..labels.len()).for_each(|_| repeated.push(1));
                for &[name, text] in labels {
                    names.push(name);
                    texts.push(text);
                }
            }
        }
        defined.repeat(1, present);
        let mut levels = Vec::new();
        put_levels(&mut levels, &repeated.finish());
        put_levels(&mut levels, &defined.finish());
        let values = |levels, numbers| Values {
            levels,
            numbers,
            rows: self.times.len(),
            places: self.row_labels + bare_rows,
            nulls: bare_rows,
        };
        Ok([
            encoder.encode(name, &self.names, values(levels.clone(), names))?,
            encoder.encode(text, &self.texts, values(levels, texts))?,
        ])
    }

    /// Nothing when no row has a tenant.
    fn tenant_column(
        &self,
        encoder: &mut Encoder,
        column: ColumnDescPtr,
    ) -> Result<Option<Chunk>, ParquetError> {
        if self.tenants.bytes() == 0 {
            return Ok(None);
        }
        let mut defined = Hybrid::new(1);
        let mut numbers = Hybrid::new(self.tenants.width());
        let mut nulls = 0;
        for run in &self.tenant_runs {
            match run.tenant {
                Some(tenant) => {
                    defined.repeat(1, run.rows);
                    numbers.repeat(tenant, run.rows);
                }
                None => {
                    defined.repeat(0, run.rows);
                    nulls += run.rows;
                }
            }
        }
        let mut levels = Vec::new();
        put_levels(&mut levels, &defined.finish());
        let values = Values {
            levels,
            numbers,
            rows: self.times.len(),
            places: self.times.len(),
            nulls,
        };
        encoder.encode(column, &self.tenants, values).map(Some)
    }
}
