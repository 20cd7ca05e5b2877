//! One `Metric` message.

use model::{Code, MetricType, Refusal, Sample, Value};

use super::{Family, Reading, Stop};
use crate::Ignored;
use crate::protobuf::{Malformed, Reader};

/// What the samples of a metric share. Its labels are the open ones of the batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'f, 'a> {
    pub(super) family: &'f Family<'a>,
    pub(super) index: u32,
    /// Where its labels start in the batch.
    pub(super) from: usize,
    pub(super) at_ms: i64,
}

/// The value's message by the field that it is in.
#[derive(Debug, Default)]
struct Values<'a> {
    gauge: Option<&'a [u8]>,
    counter: Option<&'a [u8]>,
    summary: Option<&'a [u8]>,
    untyped: Option<&'a [u8]>,
    histogram: Option<&'a [u8]>,
}

impl<'a> Reading<'a> {
    /// Reads a metric and adds its samples.
    ///
    /// # Errors
    /// With [`Stop::Refused`], only labels were added.
    pub(super) fn add(
        &mut self,
        family: &Family<'a>,
        index: u32,
        from: usize,
        message: &'a [u8],
    ) -> Result<(), Stop> {
        let mut values = Values::default();
        let mut at_ms = None;
        let mut reader = Reader(message);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => self.label(value.bytes()?)?,
                2 => values.gauge = Some(value.bytes()?),
                3 => values.counter = Some(value.bytes()?),
                4 => values.summary = Some(value.bytes()?),
                5 => values.untyped = Some(value.bytes()?),
                6 => at_ms = Some(value.int64()?),
                7 => values.histogram = Some(value.bytes()?),
                _ => {}
            }
        }
        if family.name.is_empty() {
            let message = "the metric family has no name";
            return Err(Stop::Refused(Refusal::new(
                Code::MetricNameMissing,
                message,
            )));
        }
        let head = Head {
            family,
            index,
            from,
            at_ms: at_ms.unwrap_or(self.now_ms),
        };
        let value = match family.kind {
            MetricType::Gauge => values.gauge,
            MetricType::Counter => values.counter,
            MetricType::Summary => values.summary,
            MetricType::Histogram | MetricType::GaugeHistogram => values.histogram,
            MetricType::Unspecified | MetricType::Info | MetricType::StateSet => values.untyped,
        };
        let Some(value) = value else {
            let message = format!(
                "the metric has no value of the type that its family has, which is {}",
                match family.kind {
                    MetricType::Unspecified => "untyped",
                    kind => kind.as_str(),
                }
            );
            return Err(Stop::Refused(Refusal::new(Code::ValueMissing, message)));
        };
        match family.kind {
            MetricType::Summary => self.summary(head, value),
            MetricType::Histogram | MetricType::GaugeHistogram => self.histogram(head, value),
            _ => self.number(head, value),
        }
    }

    fn label(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        let (mut name, mut text) = ("", "");
        let mut reader = Reader(message);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => name = value.text()?,
                2 => text = value.text()?,
                _ => {}
            }
        }
        self.decoded.batch.push_label(name, text);
        Ok(())
    }

    /// A gauge, a counter or an untyped value: its number is in the same field.
    fn number(&mut self, head: Head<'_, 'a>, message: &'a [u8]) -> Result<(), Stop> {
        let (mut number, mut start_ms, mut exemplar) = (0.0, 0, None);
        let is_counter = head.family.kind == MetricType::Counter;
        let mut reader = Reader(message);
        while let Some((field, value)) = reader.field()? {
            match field {
                1 => number = value.double()?,
                2 if is_counter => exemplar = Some(value.bytes()?),
                3 if is_counter => start_ms = timestamp(value.bytes()?)?,
                _ => {}
            }
        }
        let family = head.family;
        let batch = &mut self.decoded.batch;
        let series = batch.close_series(family.name, head.from);
        batch.describe(series, family.kind, family.unit, family.help);
        self.push(head, series, start_ms, Value::Float(number))?;
        match exemplar {
            Some(exemplar) => self.exemplar(head, series, exemplar, Some(head.at_ms)),
            None => Ok(()),
        }
    }

    /// Adds a sample, of which there may be so many in a body.
    pub(super) fn push(
        &mut self,
        head: Head<'_, 'a>,
        series: u32,
        start_ms: i64,
        value: Value,
    ) -> Result<(), Stop> {
        if self.samples >= self.max_samples {
            return Err(Stop::TooMany);
        }
        self.samples += 1;
        self.decoded.batch.push(Sample {
            index: head.index,
            series,
            at_ms: head.at_ms,
            start_ms,
            value,
        });
        Ok(())
    }

    /// Adds an exemplar. One that says no time has that of its sample, if `at_ms` is it, or else is dropped.
    pub(super) fn exemplar(
        &mut self,
        head: Head<'_, 'a>,
        series: u32,
        message: &'a [u8],
        mut at_ms: Option<i64>,
    ) -> Result<(), Stop> {
        let from = self.decoded.batch.open_labels();
        let mut number = 0.0;
        let mut reader = Reader(message);
        while let Some((field, value)) = reader.field()? {
            match field {
                1 => self.label(value.bytes()?)?,
                2 => number = value.double()?,
                3 => at_ms = Some(timestamp(value.bytes()?)?),
                _ => {}
            }
        }
        if self.exemplars >= self.max_samples {
            return Err(Stop::TooMany);
        }
        self.exemplars += 1;
        let Some(at_ms) = at_ms else {
            self.decoded.batch.drop_labels(from);
            self.decoded.ignore(Ignored::Exemplar, 1);
            return Ok(());
        };
        let batch = &mut self.decoded.batch;
        batch.push_exemplar(head.index, series, at_ms, number, from);
        Ok(())
    }
}

/// A `google.protobuf.Timestamp` in milliseconds since the Unix epoch.
pub(super) fn timestamp(message: &[u8]) -> Result<i64, Malformed> {
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    let mut reader = Reader(message);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => seconds = value.int64()?,
            2 => nanos = value.int64()?,
            _ => {}
        }
    }
    Ok(seconds
        .saturating_mul(1000)
        .saturating_add(nanos / 1_000_000))
}
