//! Gauges and sums.

use model::{Code, Refusal, Sample, Value};

use super::STALE_BITS;
use super::delta::{Amount, Span};
use super::metric::{Data, Metric, Temporality};
use super::translate::{Bad, Point, Translator, owned, to_ms};
use crate::protobuf::Reader;

/// 1 January 2001: nobody pushes live samples of the last century.
pub(super) const EARLIEST_NS: u64 = 978_307_200_000_000_000;

impl<'a> Translator<'a, '_> {
    pub(super) fn number(
        &mut self,
        metric: &Metric<'a>,
        index: u32,
        message: &'a [u8],
    ) -> Result<(), Bad> {
        let mut point = Point::default();
        let mut value = None;
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                2 => point.start_ns = field.fixed64()?,
                3 => point.at_ns = field.fixed64()?,
                4 => value = Some(field.double()?),
                5 => self.exemplars.push(field.bytes()?),
                6 => value = Some(integer(field.fixed64()?)),
                7 => self.labels.add(field.bytes()?)?,
                8 => point.flags = field.uint32()?,
                _ => {}
            }
        }
        let name = metric.name()?;
        self.check_point(point)?;
        let is_delta = metric.data == Data::Sum && self.is_delta(metric)?;
        let mut value = match value {
            _ if point.has_no_value() => f64::from_bits(STALE_BITS),
            Some(value) => value,
            None => {
                let message = "the data point has neither as_double nor as_int";
                return Err(Refusal::new(Code::ValueMissing, message).into());
            }
        };
        self.count(1)?;
        let mut start_ms = point.start_ms();
        self.finish_labels()?;
        self.take_series(metric, owned(name), 1)?;
        if is_delta {
            self.add_gateway();
            if !point.has_no_value() {
                let (start_ns, total) = self.total(name, point, Amount::Number(value))?;
                start_ms = start_ns;
                if let Amount::Number(total) = total {
                    value = total;
                }
            }
        }
        let series = self.only_series(metric, name.clone());
        self.decoded.batch.push(Sample {
            index,
            series,
            at_ms: point.at_ms(),
            // A gauge has no start.
            start_ms: if metric.data == Data::Sum {
                start_ms
            } else {
                0
            },
            value: Value::Float(value),
        });
        if metric.data == Data::Sum {
            self.push_exemplars(index, point, |_| series)?;
        }
        Ok(())
    }

    /// Checks what every data point needs, and notes how new the resource is.
    pub(super) fn check_point(&mut self, point: Point) -> Result<(), Refusal> {
        if point.at_ns == 0 {
            let message = "time_unix_nano is absent or 0";
            return Err(Refusal::new(Code::TimestampMissing, message));
        }
        self.check_unit(point)?;
        self.resource.latest_ns = self.resource.latest_ns.max(point.at_ns);
        Ok(())
    }

    /// A time that would be a sensible one in a larger unit is taken for one.
    fn check_unit(&self, point: Point) -> Result<(), Refusal> {
        if point.at_ns >= EARLIEST_NS {
            return Ok(());
        }
        let latest_ms = self.translation.now_ms.saturating_add(86_400_000);
        for (unit, ns) in [
            ("seconds", 1_000_000_000),
            ("milliseconds", 1_000_000),
            ("microseconds", 1000),
        ] {
            let at_ns = point.at_ns.saturating_mul(ns);
            if at_ns >= EARLIEST_NS && to_ms(at_ns) <= latest_ms {
                let message = format!(
                    "time_unix_nano {} looks like {unit}; send Unix nanoseconds",
                    point.at_ns
                );
                return Err(Refusal::new(Code::TimestampInSeconds, message));
            }
        }
        Ok(())
    }

    /// Whether the points have to be added up.
    pub(super) fn is_delta(&self, metric: &Metric<'a>) -> Result<bool, Refusal> {
        let message = match metric.temporality {
            Temporality::Cumulative => return Ok(false),
            Temporality::Delta if !self.translation.options.refuses_delta => return Ok(true),
            Temporality::Delta => {
                "the metric has delta temporality, which otlp.delta: refuse does not take; \
                 let the SDK prefer cumulative temporality"
            }
            Temporality::Unspecified => {
                "aggregation_temporality is neither 1 (delta) nor 2 (cumulative)"
            }
        };
        Err(Refusal::new(Code::TemporalityInvalid, message))
    }

    /// Marks a series whose sum this gateway keeps, because another gateway keeps another one.
    pub(super) fn add_gateway(&mut self) {
        let gateway = &self.translation.options.gateway;
        if gateway.is_empty() {
            return;
        }
        let labels = &mut self.labels.finished;
        match labels.iter_mut().find(|label| label.name == "gateway") {
            Some(label) => label.value = gateway.clone().into(),
            None => labels.push(model::Label {
                name: "gateway".into(),
                value: gateway.clone().into(),
            }),
        }
    }

    /// Adds a delta to its series' sum: when that began, and what it is now.
    pub(super) fn total(
        &self,
        name: &str,
        point: Point,
        amount: Amount,
    ) -> Result<(i64, Amount), Refusal> {
        let mut labels: Vec<_> = self
            .labels
            .finished
            .iter()
            .map(|label| (label.name.as_ref(), label.value.as_ref()))
            .collect();
        labels.sort_unstable();
        let span = Span {
            start_ns: point.start_ns,
            at_ns: point.at_ns,
        };
        let translation = &self.translation;
        let key = super::delta::key(translation.tenant.unwrap_or_default(), name, &labels);
        translation
            .deltas
            .add(&key, span, amount, translation.now_ms)
    }
}

/// An `sfixed64`; beyond 2^53 the nearest float, as Prometheus has it.
#[expect(
    clippy::cast_precision_loss,
    reason = "samples are floats, whatever they were"
)]
pub(super) fn integer(bits: u64) -> f64 {
    bits.cast_signed() as f64
}
