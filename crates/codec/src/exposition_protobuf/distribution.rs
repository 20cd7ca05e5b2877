//! Histograms and summaries: their series.

use std::borrow::Cow;

use model::{Code, Label, MetricType, Refusal, Value};

use super::metric::{Head, timestamp};
use super::native;
use super::{Reading, Stop};
use crate::bound::Bound;
use crate::protobuf::{Malformed, Reader};

/// A bucket or a quantile.
#[derive(Debug, Clone, Copy, Default)]
struct Row<'a> {
    bound: f64,
    value: f64,
    exemplar: Option<&'a [u8]>,
}

/// A histogram or summary as classic series have it.
#[derive(Debug, Default)]
struct Parts<'a> {
    rows: Vec<Row<'a>>,
    sum: f64,
    count: f64,
    start_ms: i64,
}

impl<'a> Reading<'a> {
    pub(super) fn summary(&mut self, head: Head<'_, 'a>, message: &'a [u8]) -> Result<(), Stop> {
        let mut parts = Parts::default();
        let mut reader = Reader(message);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => parts.count = count(value.varint()?),
                2 => parts.sum = value.double()?,
                3 => {
                    let row = quantile(value.bytes()?)?;
                    self.add_row(&mut parts.rows, row)?;
                }
                4 => parts.start_ms = timestamp(value.bytes()?)?,
                _ => {}
            }
        }
        if parts
            .rows
            .iter()
            .any(|row| !(0.0..=1.0).contains(&row.bound))
        {
            let message = "a quantile of the summary is not a number from 0 to 1";
            return Err(Stop::Refused(Refusal::new(Code::SummaryInvalid, message)));
        }
        let labels = self.take_labels(head, parts.rows.len())?;
        self.series(head, "", "quantile", &labels, &parts)
    }

    pub(super) fn histogram(&mut self, head: Head<'_, 'a>, message: &'a [u8]) -> Result<(), Stop> {
        let mut parts = Parts::default();
        let mut exemplars = Vec::new();
        let mut is_native = false;
        let mut reader = Reader(message);
        while let Some((number, value)) = reader.field()? {
            match number {
                // A float overrides where it is more than 0, whatever comes first.
                1 if parts.count.to_bits() == 0 => parts.count = count(value.varint()?),
                2 => parts.sum = value.double()?,
                3 => {
                    let row = bucket(value.bytes()?)?;
                    self.add_row(&mut parts.rows, row)?;
                }
                4 => {
                    let float = value.double()?;
                    if float > 0.0 {
                        parts.count = float;
                    }
                }
                6 => is_native |= value.double()? > 0.0,
                7 => is_native |= value.varint()? > 0,
                8 => is_native |= value.double()? > 0.0,
                9 | 12 => is_native = true,
                15 => parts.start_ms = timestamp(value.bytes()?)?,
                16 => exemplars.push(value.bytes()?),
                _ => {}
            }
        }
        if parts.rows.iter().any(|row| row.bound.is_nan()) {
            let message = "the bound of a bucket is NaN";
            return Err(Stop::Refused(Refusal::new(Code::HistogramInvalid, message)));
        }
        let native = if is_native {
            let is_gauge = head.family.kind == MetricType::GaugeHistogram;
            Some(native::message(
                message,
                is_gauge,
                head.at_ms,
                parts.start_ms,
            )?)
        } else {
            None
        };
        let is_classic = native.is_none() || !parts.rows.is_empty();
        if is_classic && !parts.rows.iter().any(|row| row.bound == f64::INFINITY) {
            let value = parts.count;
            self.add_row(
                &mut parts.rows,
                Row {
                    bound: f64::INFINITY,
                    value,
                    exemplar: None,
                },
            )?;
        }
        let labels = self.take_labels(head, parts.rows.len())?;
        if is_classic {
            self.series(head, "_bucket", "le", &labels, &parts)?;
        }
        let Some(native) = native else {
            return Ok(());
        };
        let series = self.open(head, head.family.name.into(), &labels, None);
        if self.samples >= self.max_samples {
            return Err(Stop::TooMany);
        }
        self.samples += 1;
        let batch = &mut self.decoded.batch;
        batch.push_histogram(head.index, series, head.at_ms, native);
        for exemplar in exemplars {
            self.exemplar(head, series, exemplar, None)?;
        }
        Ok(())
    }

    /// There are no more rows than there may be samples.
    fn add_row(&self, rows: &mut Vec<Row<'a>>, row: Row<'a>) -> Result<(), Stop> {
        if rows.len() >= self.max_samples {
            return Err(Stop::TooMany);
        }
        rows.push(row);
        Ok(())
    }

    /// Takes the metric's labels out of the batch, for each of its series to have them.
    fn take_labels(&mut self, head: Head<'_, 'a>, rows: usize) -> Result<Vec<Label<'a>>, Stop> {
        let family = head.family;
        let (code, reserved) = match family.kind {
            MetricType::Summary => (Code::SummaryInvalid, "quantile"),
            _ => (Code::HistogramInvalid, "le"),
        };
        let batch = &mut self.decoded.batch;
        let labels = batch.labels_since(head.from);
        let refused = |code, message| Err(Stop::Refused(Refusal::new(code, message)));
        if labels.iter().any(|label| label.name == reserved) {
            let message = format!(
                "label {reserved:?} is reserved on a {}",
                family.kind.as_str()
            );
            return refused(Code::LabelNameInvalid, message);
        }
        // A short body must not become a large batch. Names are copied, labels are not.
        let cost = labels.len() + 1 + family.name.len() / size_of::<Label<'_>>();
        if cost.saturating_mul(rows + 3) > self.max_labels.saturating_sub(head.from) {
            let message = format!(
                "the {} has {} series of {} labels, more than one body of this size may become",
                family.kind.as_str(),
                rows + 3,
                labels.len() + 1
            );
            return refused(code, message);
        }
        let labels = labels.to_vec();
        batch.drop_labels(head.from);
        Ok(labels)
    }

    fn open(
        &mut self,
        head: Head<'_, 'a>,
        name: Cow<'a, str>,
        labels: &[Label<'a>],
        row: Option<(&'static str, f64)>,
    ) -> u32 {
        let batch = &mut self.decoded.batch;
        let from = batch.open_labels();
        for label in labels {
            batch.push_label(label.name.clone(), label.value.clone());
        }
        if let Some((name, bound)) = row {
            batch.push_label(name, Bound(bound).to_string());
        }
        let series = batch.close_series(name, from);
        let family = head.family;
        batch.describe(series, family.kind, family.unit, family.help);
        series
    }

    fn series(
        &mut self,
        head: Head<'_, 'a>,
        row_suffix: &str,
        row_label: &'static str,
        labels: &[Label<'a>],
        parts: &Parts<'a>,
    ) -> Result<(), Stop> {
        let name = head.family.name;
        for row in &parts.rows {
            let bound = Some((row_label, row.bound));
            let series = self.open(head, format!("{name}{row_suffix}").into(), labels, bound);
            self.push(head, series, parts.start_ms, Value::Float(row.value))?;
            if let Some(exemplar) = row.exemplar {
                self.exemplar(head, series, exemplar, Some(head.at_ms))?;
            }
        }
        for (suffix, value) in [("_sum", parts.sum), ("_count", parts.count)] {
            let series = self.open(head, format!("{name}{suffix}").into(), labels, None);
            self.push(head, series, parts.start_ms, Value::Float(value))?;
        }
        Ok(())
    }
}

fn bucket(message: &[u8]) -> Result<Row<'_>, Malformed> {
    let mut row = Row::default();
    let mut reader = Reader(message);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 if row.value.to_bits() == 0 => row.value = count(value.varint()?),
            2 => row.bound = value.double()?,
            3 => row.exemplar = Some(value.bytes()?),
            4 => {
                let float = value.double()?;
                if float > 0.0 {
                    row.value = float;
                }
            }
            _ => {}
        }
    }
    Ok(row)
}

fn quantile(message: &[u8]) -> Result<Row<'_>, Malformed> {
    let mut row = Row::default();
    let mut reader = Reader(message);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => row.bound = value.double()?,
            2 => row.value = value.double()?,
            _ => {}
        }
    }
    Ok(row)
}

/// A count as a sample's value; above 2^53 it is rounded.
fn count(number: u64) -> f64 {
    number as f64
}
