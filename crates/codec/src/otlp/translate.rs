//! The way through a request: resources, scopes, metrics, data points.

use std::borrow::Cow;

use model::{Code, Label, MetricType, Refusal};

use super::attributes::Labels;
use super::known::Walk;
use super::metric::{Data, Metric};
use super::resource::Resource;
use super::{Stop, Translation};
use crate::decoded::{Decoded, Ignored};
use crate::protobuf::{Malformed, Reader};
use crate::refusing::refuse;

/// Labels that any body may become, however short it is.
const LABELS_ALWAYS: usize = 1_000_000;

/// Nobody has that many; each is compared with each.
const MAX_LABELS: usize = 1000;

/// What is known so far.
pub(super) struct Translator<'a, 't> {
    pub(super) translation: Translation<'t>,
    /// Where a catalogue is looked at.
    pub(super) walk: Option<Walk<'a, 't>>,
    pub(super) decoded: Decoded<'a>,
    pub(super) resource: Resource<'a>,
    /// Labels that replace a point's own: `job`, `instance`, and the scope's.
    fixed: Vec<Label<'a>>,
    /// Those of the point in hand.
    pub(super) labels: Labels<'a>,
    /// Its exemplars' messages.
    pub(super) exemplars: Vec<&'a [u8]>,
    max_samples: usize,
    samples: usize,
    metrics: usize,
    /// What the body's series may still take, in labels: names and labels are copied for each of them.
    room: usize,
}

/// What every data point has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Point {
    pub(super) start_ns: u64,
    pub(super) at_ns: u64,
    pub(super) flags: u32,
}

impl Point {
    pub(super) fn at_ms(self) -> i64 {
        to_ms(self.at_ns)
    }

    pub(super) fn start_ms(self) -> i64 {
        to_ms(self.start_ns)
    }

    /// The sender says that there is no value: the series has ended.
    pub(super) fn has_no_value(self) -> bool {
        self.flags & 1 != 0
    }
}

pub(super) fn to_ms(ns: u64) -> i64 {
    i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX)
}

impl<'a, 't> Translator<'a, 't> {
    pub(super) fn new(
        translation: Translation<'t>,
        walk: Option<Walk<'a, 't>>,
        max_samples: usize,
        body_bytes: usize,
    ) -> Self {
        Self {
            translation,
            walk,
            decoded: Decoded::default(),
            resource: Resource::default(),
            fixed: Vec::new(),
            labels: Labels::default(),
            exemplars: Vec::new(),
            max_samples,
            samples: 0,
            metrics: 0,
            room: body_bytes.saturating_mul(2).max(LABELS_ALWAYS),
        }
    }

    /// Where a body broke off, for a message.
    pub(super) fn place(&self) -> String {
        match self.metrics {
            0 => String::new(),
            metrics => format!(" (in or behind metric {})", metrics - 1),
        }
    }

    pub(super) fn request(&mut self, body: &'a [u8]) -> Result<(), Stop> {
        let mut reader = Reader(body);
        while let Some((number, field)) = reader.field()? {
            if number == 1 {
                self.resource_metrics(field.bytes()?)?;
            }
        }
        Ok(())
    }

    fn resource_metrics(&mut self, message: &'a [u8]) -> Result<(), Stop> {
        // Fields may come in any order.
        self.resource = Resource::default();
        let (mut resource, mut resources) = (None, 0_usize);
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            if number == 1 {
                resource = Some(field.bytes()?);
                resources += 1;
                self.resource
                    .read(field.bytes()?, self.translation.options)?;
            }
        }
        if let Some(walk) = &mut self.walk {
            walk.resource(match resources {
                0 => Some(&[]),
                1 => resource,
                _ => None,
            });
        }
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            if number == 2 {
                self.scope_metrics(field.bytes()?)?;
            }
        }
        self.target_info()
    }

    fn scope_metrics(&mut self, message: &'a [u8]) -> Result<(), Stop> {
        self.fixed.clear();
        self.take_room(copied(&self.resource.identity) / size_of::<Label<'_>>())?;
        self.fixed.extend_from_slice(&self.resource.identity);
        if self.translation.options.has_scope_labels {
            self.scope_labels(message)?;
        }
        if let Some(walk) = &mut self.walk {
            walk.scope(message);
        }
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            if number == 2 {
                self.metrics += 1;
                self.metric(field.bytes()?)?;
            }
        }
        Ok(())
    }

    fn scope_labels(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        let (mut name, mut version, mut schema) = ("", "", "");
        let mut attributes = Labels::default();
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                1 => {
                    let mut scope = Reader(field.bytes()?);
                    while let Some((number, field)) = scope.field()? {
                        match number {
                            1 => name = field.text()?,
                            2 => version = field.text()?,
                            3 => attributes.add(field.bytes()?)?,
                            _ => {}
                        }
                    }
                }
                3 => schema = field.text()?,
                _ => {}
            }
        }
        // A scope without a name says nothing.
        if name.is_empty() {
            return Ok(());
        }
        let names = self.translation.options.names;
        // A scope attribute whose name has nothing to it is left out.
        if attributes.finish(names, &[], &[]).is_ok() {
            for label in attributes.finished {
                let name = format!("otel_scope_{}", label.name);
                let name = names.label(&name).map(Cow::into_owned).unwrap_or(name);
                self.fixed.push(Label {
                    name: Cow::Owned(name),
                    value: label.value,
                });
            }
        }
        for (label, value) in [
            ("otel_scope_name", name),
            ("otel_scope_version", version),
            ("otel_scope_schema_url", schema),
        ] {
            self.fixed.push(Label {
                name: Cow::Borrowed(label),
                value: Cow::Borrowed(value),
            });
        }
        Ok(())
    }

    fn metric(&mut self, message: &'a [u8]) -> Result<(), Stop> {
        let names = self.translation.options.names;
        let walk = self.walk.as_ref();
        let heading = walk.and_then(|walk| walk.heading(message));
        // With nothing but known series, a metric's own fields are not read.
        let mut metric = None;
        let data_points = match &heading {
            Some(heading) if heading.is_known() => heading.data_points,
            _ => metric.insert(Metric::read(message, names)?).data_points,
        };
        let mut points = 0_u64;
        let mut reader = Reader(data_points);
        while let Some((number, field)) = reader.field()? {
            if number != 1 {
                continue;
            }
            points += 1;
            let point = field.bytes()?;
            let index = self.next_index()?;
            if let Some(heading) = &heading
                && self.known_point(heading, index, point)?
            {
                continue;
            }
            let metric = match &metric {
                Some(metric) => metric,
                None => metric.insert(Metric::read(message, names)?),
            };
            match self.point(metric, index, point) {
                Ok(()) => {
                    if let Some(heading) = &heading {
                        self.note_unknown(heading, point);
                    }
                }
                Err(Bad::Refused(refusal)) => self.refuse(metric, index, &refusal),
                Err(Bad::Stop(stop)) => return Err(stop),
            }
        }
        if points == 0 {
            // Its own fields may be malformed all the same.
            Metric::read(message, names)?;
            self.decoded.ignore(Ignored::NoValue, 1);
        }
        Ok(())
    }

    fn point(&mut self, metric: &Metric<'a>, index: u32, point: &'a [u8]) -> Result<(), Bad> {
        self.labels.clear();
        self.exemplars.clear();
        match metric.data {
            Data::Gauge | Data::Sum => self.number(metric, index, point),
            Data::Histogram => self.histogram(metric, index, point),
            Data::Exponential => self.exponential(metric, index, point),
            Data::Summary => self.summary(metric, index, point),
            Data::None => Ok(()),
        }
    }

    /// The number of the next object.
    pub(super) fn next_index(&mut self) -> Result<u32, Stop> {
        let index = self.decoded.objects;
        if index as usize >= self.max_samples {
            return Err(Stop::TooMany);
        }
        self.decoded.objects += 1;
        Ok(index)
    }

    /// Makes sure that so many more samples are let in.
    pub(super) fn count(&mut self, samples: usize) -> Result<(), Stop> {
        self.samples = self.samples.saturating_add(samples);
        if self.samples > self.max_samples {
            return Err(Stop::TooMany);
        }
        Ok(())
    }

    /// Makes sure that a point may become so many series with its labels and a name of so many bytes, before they
    /// are made: a short body must not become a large batch.
    pub(super) fn take_series(
        &mut self,
        metric: &Metric<'a>,
        name_bytes: usize,
        series: usize,
    ) -> Result<(), Stop> {
        let labels = &self.labels.finished;
        let bytes = copied(labels) + owned(&metric.unit) + name_bytes;
        let each = labels.len() + 1 + bytes / size_of::<Label<'_>>();
        self.take_room(each.saturating_mul(series))
    }

    fn take_room(&mut self, labels: usize) -> Result<(), Stop> {
        self.room = self.room.checked_sub(labels).ok_or(Stop::TooLarge)?;
        Ok(())
    }

    fn refuse(&mut self, metric: &Metric<'a>, index: u32, refusal: &Refusal) {
        let name = metric.raw_name;
        let end = name
            .char_indices()
            .nth(200)
            .map_or(name.len(), |(end, _)| end);
        let name = name.get(..end).unwrap_or_default();
        refuse(&mut self.decoded.refused, index, name, refusal);
    }

    /// Turns the point's attributes into its labels.
    pub(super) fn finish_labels(&mut self) -> Result<(), Refusal> {
        let labels = self.labels.len() + self.fixed.len();
        if labels > MAX_LABELS {
            let message =
                format!("the data point has {labels} attributes, the limit is {MAX_LABELS}");
            return Err(Refusal::new(Code::TooManyLabels, message));
        }
        self.labels.finish(
            self.translation.options.names,
            &self.resource.promoted,
            &self.fixed,
        )
    }

    /// A series of the point's labels and perhaps one more, which replaces a label of that name.
    pub(super) fn series(
        &mut self,
        metric: &Metric<'a>,
        name: Cow<'a, str>,
        extra: Option<(&'static str, Cow<'a, str>)>,
        kind: MetricType,
    ) -> u32 {
        let batch = &mut self.decoded.batch;
        let from = batch.open_labels();
        for label in &self.labels.finished {
            if extra.as_ref().is_none_or(|(name, _)| *name != label.name) {
                batch.push_label(label.name.clone(), label.value.clone());
            }
        }
        if let Some((name, value)) = extra {
            batch.push_label(name, value);
        }
        let series = batch.close_series(name, from);
        batch.describe(series, kind, metric.unit.clone(), metric.help);
        series
    }

    /// As [`Self::series`], for a point that becomes one series only: its labels are moved.
    pub(super) fn only_series(&mut self, metric: &Metric<'a>, name: Cow<'a, str>) -> u32 {
        let batch = &mut self.decoded.batch;
        let from = batch.open_labels();
        for label in self.labels.finished.drain(..) {
            batch.push_label(label.name, label.value);
        }
        let series = batch.close_series(name, from);
        batch.describe(series, metric.kind, metric.unit.clone(), metric.help);
        series
    }
}

/// The bytes that another series with this text would copy.
#[expect(clippy::ptr_arg, reason = "it asks whether the text is owned")]
pub(super) fn owned(text: &Cow<'_, str>) -> usize {
    match text {
        Cow::Borrowed(_) => 0,
        Cow::Owned(text) => text.len(),
    }
}

fn copied(labels: &[Label<'_>]) -> usize {
    let bytes = |label: &Label<'_>| owned(&label.name) + owned(&label.value);
    labels.iter().map(bytes).sum()
}

/// Why a data point is not translated.
#[derive(Debug)]
pub(super) enum Bad {
    Refused(Refusal),
    Stop(Stop),
}

impl From<Refusal> for Bad {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Malformed> for Bad {
    fn from(malformed: Malformed) -> Self {
        Self::Stop(Stop::Malformed(malformed))
    }
}

impl From<Stop> for Bad {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}
