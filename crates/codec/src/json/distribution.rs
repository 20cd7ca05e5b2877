//! Histograms and summaries of the push API as the classic Prometheus series.

use std::borrow::Cow;

use model::{Batch, Code, Label, MetricType, Refusal, head};
use serde::de::MapAccess;

use crate::bound::Bound;

use super::any::{Any, Decimal, Found, Handle, Ignored, Parser, Plain, Text};
use super::element::{Head, Origin};

/// The entries of `buckets` or `quantiles`, or what stood there instead.
#[derive(Debug)]
enum Table<'de> {
    Entries(Entries<'de>),
    TooMany,
    Other(Found<'de>),
}

type Entries<'de> = Vec<(Cow<'de, str>, Found<'de>)>;

/// Nobody has that many buckets, and six bytes of a body must not cost a row's memory without end.
pub(super) const MAX_ROWS: usize = 10_000;

/// A `value` that is an object, not yet looked at.
#[derive(Debug, Default)]
pub(super) struct Distribution<'de> {
    buckets: Option<Table<'de>>,
    quantiles: Option<Table<'de>>,
    sum: Option<Found<'de>>,
    count: Option<Found<'de>>,
    twice: Option<&'static str>,
}

impl<'de> Distribution<'de> {
    pub(super) fn read<A: MapAccess<'de>>(parser: Parser, mut map: A) -> Result<Self, A::Error> {
        let mut read = Self::default();
        while let Some(key) = map.next_key_seed(Text)? {
            let (name, again) = match key.as_ref() {
                "buckets" => ("value.buckets", read.buckets.is_some()),
                "quantiles" => ("value.quantiles", read.quantiles.is_some()),
                "sum" => ("value.sum", read.sum.is_some()),
                "count" => ("value.count", read.count.is_some()),
                _ => {
                    map.next_value_seed(Ignored::new(parser))?;
                    continue;
                }
            };
            if again {
                read.twice = Some(name);
            }
            let table = Any {
                parser,
                handler: ReadTable,
            };
            let plain = Any {
                parser,
                handler: Plain,
            };
            match key.as_ref() {
                "buckets" => read.buckets = Some(map.next_value_seed(table)?),
                "quantiles" => read.quantiles = Some(map.next_value_seed(table)?),
                "sum" => read.sum = Some(map.next_value_seed(plain)?),
                _ => read.count = Some(map.next_value_seed(plain)?),
            }
        }
        Ok(read)
    }

    /// Adds the series of this distribution to the batch, whose open labels are the sample's.
    /// `room` is how many labels the batch may still get: a short body must not become a large batch.
    ///
    /// # Errors
    /// The first rule that the distribution breaks.
    pub(super) fn expand(
        self,
        head: Head<'de>,
        room: usize,
        batch: &mut Batch<'de>,
    ) -> Result<(), Refusal> {
        let kind = match (head.kind, &self.buckets, &self.quantiles) {
            (MetricType::Unspecified, Some(_), None) => MetricType::Histogram,
            (MetricType::Unspecified, None, Some(_)) => MetricType::Summary,
            (MetricType::Histogram | MetricType::Summary, ..) => head.kind,
            (MetricType::Unspecified, ..) => {
                let message = "value is an object, but not one with either buckets or quantiles";
                return Err(Refusal::new(Code::ValueInvalid, message));
            }
            (kind, ..) => {
                let message = format!(
                    "value is an object, but type is {}; only a histogram's or a summary's is one",
                    kind.as_str()
                );
                return Err(Refusal::new(Code::ValueInvalid, message));
            }
        };
        let (code, reserved) = match kind {
            MetricType::Histogram => (Code::HistogramInvalid, "le"),
            _ => (Code::SummaryInvalid, "quantile"),
        };
        let labels = batch.labels_since(head.from);
        if labels.iter().any(|label| label.name == reserved) {
            let message = format!("label {reserved:?} is reserved on a {}", kind.as_str());
            return Err(Refusal::new(Code::LabelNameInvalid, message));
        }
        let parts = match kind {
            MetricType::Histogram => self.histogram(head.origin),
            _ => self.summary(head.origin),
        }
        .map_err(|message| Refusal::new(code, message))?;
        if cost(&head, labels).saturating_mul(parts.rows.len() + 2) > room {
            let message = format!(
                "the {} has {} series of {} labels, more than one body of this size may become",
                kind.as_str(),
                parts.rows.len() + 2,
                labels.len() + 1
            );
            return Err(Refusal::new(code, message));
        }
        emit(&head, kind, reserved, &parts, batch);
        Ok(())
    }

    fn histogram(self, origin: Origin) -> Result<Parts, String> {
        self.check_twice()?;
        let mut rows = Vec::new();
        for (text, found) in entries(self.buckets, "buckets")? {
            let bound = bound(&text)
                .ok_or_else(|| format!("bucket {:?} is not a number or \"+Inf\"", head(&text)))?;
            rows.push((
                bound,
                count(origin, &found, || format!("bucket {:?}", head(&text)))?,
            ));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        for pair in rows.windows(2) {
            let [(low, below), (high, at)] = pair else {
                continue;
            };
            if low.total_cmp(high).is_eq() {
                return Err(format!("bucket \"{}\" appears twice", Bound(*high)));
            }
            if at < below {
                return Err(format!(
                    "bucket \"{}\" has {}, less than the {} of bucket \"{}\"; buckets are cumulative",
                    Bound(*high),
                    Decimal(*at),
                    Decimal(*below),
                    Bound(*low)
                ));
            }
        }
        let stated = optional(self.count)
            .map(|found| count(origin, &found, || "value.count".to_owned()))
            .transpose()?;
        let last = rows.last().copied();
        let total = match (last, stated) {
            (Some((f64::INFINITY, all)), Some(stated)) if all.total_cmp(&stated).is_ne() => {
                return Err(format!(
                    "bucket \"+Inf\" has {}, but value.count is {}",
                    Decimal(all),
                    Decimal(stated)
                ));
            }
            (Some((f64::INFINITY, all)), _) => all,
            (Some((bound, below)), Some(stated)) if stated < below => {
                return Err(format!(
                    "value.count is {}, less than the {} of bucket \"{}\"",
                    Decimal(stated),
                    Decimal(below),
                    Bound(bound)
                ));
            }
            (_, Some(stated)) => {
                rows.push((f64::INFINITY, stated));
                stated
            }
            (_, None) => {
                let message = "the histogram has neither a bucket \"+Inf\" nor value.count";
                return Err(message.to_owned());
            }
        };
        Ok(Parts {
            rows,
            sum: sum(origin, self.sum)?,
            count: Some(total),
        })
    }

    fn summary(self, origin: Origin) -> Result<Parts, String> {
        self.check_twice()?;
        let mut rows = Vec::new();
        for (text, found) in entries(self.quantiles, "quantiles")? {
            let quantile = bound(&text)
                .filter(|quantile| (0.0..=1.0).contains(quantile))
                .ok_or_else(|| format!("quantile {:?} is not a number from 0 to 1", head(&text)))?;
            let value = origin
                .number(&found)
                .ok_or_else(|| format!("quantile {:?} is {found}, not a number", head(&text)))?;
            rows.push((quantile, value));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        for pair in rows.windows(2) {
            if let [(low, _), (high, _)] = pair
                && low.total_cmp(high).is_eq()
            {
                return Err(format!("quantile \"{}\" appears twice", Bound(*high)));
            }
        }
        let count = optional(self.count)
            .map(|found| count(origin, &found, || "value.count".to_owned()))
            .transpose()?;
        let sum = sum(origin, self.sum)?;
        if rows.is_empty() && count.is_none() && sum.is_none() {
            return Err("the summary has no quantiles, sum or count".to_owned());
        }
        Ok(Parts { rows, sum, count })
    }

    fn check_twice(&self) -> Result<(), String> {
        match self.twice {
            Some(name) => Err(format!("{name} appears twice")),
            None => Ok(()),
        }
    }
}

struct ReadTable;

impl<'de> Handle<'de> for ReadTable {
    type Out = Table<'de>;

    fn other(self, found: Found<'de>) -> Table<'de> {
        Table::Other(found)
    }

    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<Table<'de>, A::Error> {
        let mut entries = Vec::new();
        let mut rows = 0_usize;
        while let Some(key) = map.next_key_seed(Text)? {
            let plain = Any {
                parser,
                handler: Plain,
            };
            let found = map.next_value_seed(plain)?;
            rows += 1;
            if rows <= MAX_ROWS {
                entries.push((key, found));
            }
        }
        if rows > MAX_ROWS {
            return Ok(Table::TooMany);
        }
        Ok(Table::Entries(entries))
    }
}

/// A checked distribution: rows by their bound, a sum and a count where there are any.
struct Parts {
    rows: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

fn entries<'de>(table: Option<Table<'de>>, name: &str) -> Result<Entries<'de>, String> {
    match table {
        Some(Table::Entries(entries)) => Ok(entries),
        Some(Table::Other(Found::Null)) | None => Ok(Vec::new()),
        Some(Table::TooMany) => Err(format!("value.{name} has more than {MAX_ROWS} entries")),
        Some(Table::Other(found)) => Err(format!("value.{name} is {found}, not an object")),
    }
}

/// Serializers write absent options as null.
fn optional(found: Option<Found<'_>>) -> Option<Found<'_>> {
    found.filter(|found| *found != Found::Null)
}

fn sum(origin: Origin, found: Option<Found<'_>>) -> Result<Option<f64>, String> {
    let Some(found) = optional(found) else {
        return Ok(None);
    };
    match origin.number(&found) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("value.sum is {found}, not a number")),
    }
}

fn count(origin: Origin, found: &Found<'_>, what: impl Fn() -> String) -> Result<f64, String> {
    match origin.number(found) {
        Some(number) if number < 0.0 => Err(format!(
            "{} is {}; a count is not negative",
            what(),
            Decimal(number)
        )),
        Some(number) => Ok(number),
        None => Err(format!("{} is {found}, not a count", what())),
    }
}

/// A bucket's bound or a quantile.
fn bound(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (!number.is_nan() && number > f64::NEG_INFINITY).then_some(number + 0.0)
}

/// What each series costs, in labels; texts that are not borrowed count by their bytes.
fn cost(head: &Head<'_>, labels: &[Label<'_>]) -> usize {
    let owned = |text: &Cow<'_, str>| match text {
        Cow::Borrowed(_) => 0,
        Cow::Owned(text) => text.len(),
    };
    let bytes: usize = labels
        .iter()
        .map(|label| owned(&label.name) + owned(&label.value))
        .sum();
    let bytes = bytes + head.name.len() + owned(&head.unit) + owned(&head.help);
    labels.len() + 1 + bytes / size_of::<Label<'_>>()
}

fn emit<'de>(
    head: &Head<'de>,
    kind: MetricType,
    row_label: &'static str,
    parts: &Parts,
    batch: &mut Batch<'de>,
) {
    let labels = batch.labels_since(head.from).to_vec();
    batch.drop_labels(head.from);
    let mut add = |suffix: &str, row: Option<f64>, value: f64| {
        let from = batch.open_labels();
        for label in &labels {
            batch.push_label(label.name.clone(), label.value.clone());
        }
        if let Some(row) = row {
            batch.push_label(row_label, Bound(row).to_string());
        }
        let series = batch.close_series(format!("{}{suffix}", head.name), from);
        batch.describe(series, kind, head.unit.clone(), head.help.clone());
        batch.push_float(head.index, series, head.at_ms, value);
    };
    let row_suffix = if kind == MetricType::Histogram {
        "_bucket"
    } else {
        ""
    };
    for (row, value) in &parts.rows {
        add(row_suffix, Some(*row), *value);
    }
    if let Some(sum) = parts.sum {
        add("_sum", None, sum);
    }
    if let Some(count) = parts.count {
        add("_count", None, count);
    }
}

/// Refuses a plain number where the type asks for an object, unless it is one of the classic series.
///
/// # Errors
/// With the shape that the value should have.
pub(super) fn check_plain(
    kind: MetricType,
    name: &str,
    labels: &[Label<'_>],
    number: f64,
) -> Result<(), Refusal> {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    let (code, shape) = match kind {
        MetricType::Histogram if !ends(&["_bucket", "_sum", "_count"]) => (
            Code::HistogramInvalid,
            r#"{"buckets": {"0.1": 3, "+Inf": 9}, "sum": 1.5, "count": 9}"#,
        ),
        MetricType::Summary
            if !ends(&["_sum", "_count"])
                && !labels.iter().any(|label| label.name == "quantile") =>
        {
            (
                Code::SummaryInvalid,
                r#"{"quantiles": {"0.5": 1.2}, "sum": 3.0, "count": 2}"#,
            )
        }
        _ => return Ok(()),
    };
    let message = format!(
        "value is the number {}, but a {}'s is an object such as {shape}",
        Decimal(number),
        kind.as_str()
    );
    Err(Refusal::new(code, message))
}
