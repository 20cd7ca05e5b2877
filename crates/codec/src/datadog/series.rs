//! One series, whatever it is written in: collected, then added to the batch.

use std::borrow::Cow;

use model::{Code, MetricType, Refusal};

use super::Options;
use crate::refusing::{refuse, too_many};
use crate::{Decoded, Ignored};

/// What a tag without a value is worth, as in DogStatsD.
const NO_VALUE: &str = "true";

/// Nobody has that many.
const MAX_TAGS: usize = 1000;

/// More names than this are sorted, instead of comparing each with each.
const FEW: usize = 32;

type Pair<'de> = (Cow<'de, str>, Cow<'de, str>);

/// From here on seconds are milliseconds by mistake: the year 5138.
const NO_SECONDS: f64 = 1e11;

/// A point as far as it could be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Point {
    Float(i64, f64),
    Histogram(i64, Vec<u8>),
    /// There is a time, but no value. It is counted, and nothing else.
    Empty,
    Bad(Refusal),
}

/// The series read so far, and the one that is being read.
pub(super) struct Collector<'de> {
    decoded: Decoded<'de>,
    options: Options,
    pub(super) metric: Option<Cow<'de, str>>,
    /// What becomes labels beside the tags.
    pub(super) fields: Vec<Pair<'de>>,
    pub(super) tags: Vec<Cow<'de, str>>,
    pub(super) kind: MetricType,
    pub(super) unit: Cow<'de, str>,
    points: Vec<Point>,
    empty_points: u64,
    problem: Option<Refusal>,
    labels: Vec<Pair<'de>>,
}

impl<'de> Collector<'de> {
    pub(super) fn new(options: Options) -> Self {
        Self {
            decoded: Decoded::default(),
            options,
            metric: None,
            fields: Vec::new(),
            tags: Vec::new(),
            kind: MetricType::Unspecified,
            unit: Cow::Borrowed(""),
            points: Vec::new(),
            empty_points: 0,
            problem: None,
            labels: Vec::new(),
        }
    }

    pub(super) fn into_decoded(self) -> Decoded<'de> {
        self.decoded
    }

    pub(super) fn begin(&mut self) {
        self.metric = None;
        self.fields.clear();
        self.tags.clear();
        self.kind = MetricType::Unspecified;
        self.unit = Cow::Borrowed("");
        self.forget_points();
        self.problem = None;
    }

    /// Makes room for another list of points.
    pub(super) fn forget_points(&mut self) {
        self.points.clear();
        self.empty_points = 0;
    }

    pub(super) fn refuse(&mut self, code: Code, message: impl FnOnce() -> String) {
        if self.problem.is_none() {
            self.problem = Some(Refusal::new(code, message()));
        }
    }

    /// Adds a label that is no tag; an empty value is none, and so is an empty name.
    pub(super) fn set_field(
        &mut self,
        name: impl Into<Cow<'de, str>>,
        value: impl Into<Cow<'de, str>>,
    ) {
        let (name, value) = (name.into(), value.into());
        if !name.is_empty() && !value.is_empty() {
            self.fields.push((name, value));
        }
    }

    /// Adds a point, unless there are more than a body may have.
    pub(super) fn push(&mut self, point: Point) {
        if point == Point::Empty {
            self.empty_points += 1;
        } else if self.points.len() <= self.options.max_samples {
            self.points.push(point);
        }
    }

    /// Unix milliseconds of a point's seconds; none are now.
    pub(super) fn at_ms(&self, seconds: f64) -> Result<i64, Refusal> {
        if seconds == 0.0 {
            return Ok(self.options.now_ms);
        }
        if !(-NO_SECONDS..NO_SECONDS).contains(&seconds) {
            let message = format!("timestamp {seconds} is not in seconds since 1970");
            return Err(Refusal::new(Code::TimestampInvalid, message));
        }
        #[expect(clippy::cast_possible_truncation, reason = "in range")]
        let at_ms = (seconds * 1000.0).round() as i64;
        Ok(at_ms)
    }

    /// Adds the series to the batch.
    ///
    /// # Errors
    /// When the body has too many points.
    pub(super) fn end(&mut self) -> Result<(), Refusal> {
        if self.metric.is_none() {
            self.refuse(Code::MetricNameMissing, || "metric is missing".to_owned());
        }
        if self.tags.len() + self.fields.len() > MAX_TAGS {
            let found = self.tags.len();
            self.refuse(Code::TooManyLabels, || {
                format!("the series has {found} tags, the limit is {MAX_TAGS}")
            });
        }
        let name = self.metric.take().unwrap_or_default();
        if let Some(problem) = self.problem.take() {
            // One that was not read to its end may have more.
            for _ in 0..self.points.len().max(1) {
                let index = self.next_object()?;
                refuse(&mut self.decoded.refused, index, &name, &problem);
            }
            return Ok(());
        }
        let is_empty = self.points.is_empty();
        let no_values = self.empty_points.max(u64::from(is_empty));
        self.decoded.ignore(Ignored::NoValue, no_values);
        if is_empty {
            return Ok(());
        }
        self.make_labels();
        let batch = &mut self.decoded.batch;
        let from = batch.open_labels();
        for (name, value) in self.labels.drain(..) {
            batch.push_label(name, value);
        }
        // The name is the batch's from here on.
        let shown = match self
            .points
            .iter()
            .any(|point| matches!(point, Point::Bad(_)))
        {
            true => name.clone().into_owned(),
            false => String::new(),
        };
        let series = batch.close_series(name, from);
        let unit = std::mem::replace(&mut self.unit, Cow::Borrowed(""));
        if self.kind != MetricType::Unspecified || !unit.is_empty() {
            batch.describe(series, self.kind, unit, "");
        }
        let mut points = std::mem::take(&mut self.points);
        for point in points.drain(..) {
            match point {
                Point::Float(at_ms, value) => {
                    let index = self.next_object()?;
                    self.decoded.batch.push_float(index, series, at_ms, value);
                }
                Point::Histogram(at_ms, message) => {
                    let index = self.next_object()?;
                    let batch = &mut self.decoded.batch;
                    batch.push_histogram(index, series, at_ms, message);
                }
                Point::Empty => {}
                Point::Bad(refusal) => {
                    let index = self.next_object()?;
                    refuse(&mut self.decoded.refused, index, &shown, &refusal);
                }
            }
        }
        self.points = points;
        Ok(())
    }

    fn next_object(&mut self) -> Result<u32, Refusal> {
        let index = self.decoded.objects;
        if index as usize >= self.options.max_samples {
            return Err(too_many(self.options.max_samples));
        }
        self.decoded.objects += 1;
        Ok(index)
    }

    /// Fields and tags as labels, each name once: of a tag that is repeated the last counts.
    fn make_labels(&mut self) {
        let (fields, labels) = (&mut self.fields, &mut self.labels);
        labels.clear();
        labels.extend(self.tags.drain(..).map(split));
        labels.retain(|(name, _)| !name.is_empty());
        keep_last(labels);
        keep_last(fields);
        let is_sorted = fields.len() > FEW;
        let field = |name: &str| match is_sorted {
            true => fields
                .binary_search_by(|(field, _)| field.as_ref().cmp(name))
                .ok()
                .and_then(|at| fields.get(at)),
            false => fields.iter().find(|(field, _)| field == name),
        };
        let mut has_exported = false;
        labels.retain_mut(|(name, value)| match field(name) {
            None => true,
            Some((_, known)) if known == value => false,
            Some(_) => {
                *name = Cow::Owned(format!("exported_{name}"));
                has_exported = true;
                true
            }
        });
        labels.splice(0..0, fields.drain(..));
        if has_exported {
            keep_last(labels);
        }
    }
}

/// Of several pairs with one name the last stays. Many of them are sorted by their names then.
fn keep_last(pairs: &mut Vec<Pair<'_>>) {
    if pairs.len() <= FEW {
        let mut at = 0;
        while let Some((name, _)) = pairs.get(at) {
            if pairs.iter().skip(at + 1).any(|(later, _)| later == name) {
                pairs.remove(at);
            } else {
                at += 1;
            }
        }
        return;
    }
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    pairs.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            std::mem::swap(later, kept);
        }
        is_same
    });
}

/// A tag's name and value.
fn split(tag: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    match tag {
        Cow::Borrowed(tag) => {
            let (name, value) = pair(tag);
            (Cow::Borrowed(name), Cow::Borrowed(value))
        }
        Cow::Owned(tag) => {
            let (name, value) = pair(&tag);
            (Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()))
        }
    }
}

fn pair(tag: &str) -> (&str, &str) {
    match tag.split_once(':') {
        Some((name, value)) if !value.is_empty() => (name, value),
        Some((name, _)) => (name, NO_VALUE),
        None => (tag, NO_VALUE),
    }
}
