//! Prometheus' protobuf exposition: `io.prometheus.client.MetricFamily` messages, each after its length.
//!
//! A `Metric` message is the object that is refused as a whole. A classic histogram becomes the series that Prometheus
//! makes of it (`_bucket`, `_sum`, `_count`), a native one a native histogram; one that is both becomes both.

mod distribution;
mod metric;
mod native;

use model::{Batch, Code, MetricType, Refusal};

use crate::Decoded;
use crate::protobuf::{Malformed, Reader};
use crate::refusing::refuse;

/// Labels that any body may become, however short it is.
const LABELS_ALWAYS: usize = 100_000;

/// Decodes a body. The index of a sample is the position of its `Metric` message, counted over all families.
///
/// # Errors
/// When the body is no sequence of such messages, or has too many samples.
pub fn decode<'a>(body: &'a [u8], now_ms: i64, max_samples: usize) -> Result<Decoded<'a>, Refusal> {
    let mut reading = Reading {
        decoded: Decoded {
            batch: Batch::with_capacity((body.len() / 64).min(max_samples).min(10_000), 4),
            ..Decoded::default()
        },
        now_ms,
        max_samples,
        max_labels: body.len().max(LABELS_ALWAYS),
        samples: 0,
        exemplars: 0,
    };
    let mut reader = Reader(body);
    for number in 1_u64.. {
        if reader.0.is_empty() {
            break;
        }
        let explain = |malformed: Malformed| {
            let message = format!(
                "message {number} of the body is no MetricFamily after its length: {malformed}"
            );
            Refusal::new(Code::BodyInvalid, message)
        };
        let message = delimited(&mut reader).map_err(explain)?;
        let family = Family::read(message).map_err(explain)?;
        reading
            .family(&family, message)
            .map_err(|stop| match stop {
                Stop::Malformed(malformed) => explain(malformed),
                Stop::TooMany => {
                    let message =
                        format!("the body has more than {max_samples} samples; send it in parts");
                    Refusal::new(Code::TooManySamples, message)
                }
                Stop::Refused(refusal) => refusal,
            })?;
    }
    Ok(reading.decoded)
}

/// Takes a message after its length.
fn delimited<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(reader.varint()?).map_err(|_| Malformed::Truncated)?;
    let (message, rest) = reader
        .0
        .split_at_checked(length)
        .ok_or(Malformed::Truncated)?;
    reader.0 = rest;
    Ok(message)
}

/// Why reading ends early.
enum Stop {
    Malformed(Malformed),
    TooMany,
    /// Only this metric is bad.
    Refused(Refusal),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// What the metrics of a family share.
#[derive(Debug, Clone, Copy)]
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    kind: MetricType,
}

impl<'a> Family<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut family = Self {
            name: "",
            help: "",
            unit: "",
            // The type 0, which a message need not say.
            kind: MetricType::Counter,
        };
        let mut reader = Reader(message);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => family.name = value.text()?,
                2 => family.help = value.text()?,
                3 => {
                    family.kind = match value.varint()? {
                        0 => MetricType::Counter,
                        1 => MetricType::Gauge,
                        2 => MetricType::Summary,
                        4 => MetricType::Histogram,
                        5 => MetricType::GaugeHistogram,
                        _ => MetricType::Unspecified,
                    }
                }
                5 => family.unit = value.text()?,
                _ => {}
            }
        }
        Ok(family)
    }
}

struct Reading<'a> {
    decoded: Decoded<'a>,
    now_ms: i64,
    max_samples: usize,
    max_labels: usize,
    samples: usize,
    exemplars: usize,
}

impl<'a> Reading<'a> {
    fn family(&mut self, family: &Family<'a>, message: &'a [u8]) -> Result<(), Stop> {
        let mut reader = Reader(message);
        let objects = self.decoded.objects;
        while let Some((number, value)) = reader.field()? {
            if number == 4 {
                self.metric(family, value.bytes()?)?;
            }
        }
        if self.decoded.objects == objects && !family.name.is_empty() {
            if self.decoded.families.len() >= self.max_samples {
                return Err(Stop::TooMany);
            }
            self.decoded.families.push(model::Family {
                name: family.name.into(),
                kind: family.kind,
                unit: family.unit.into(),
                help: family.help.into(),
            });
        }
        Ok(())
    }

    fn metric(&mut self, family: &Family<'a>, message: &'a [u8]) -> Result<(), Stop> {
        let index = self.decoded.objects;
        self.decoded.objects = index.saturating_add(1);
        if self.decoded.objects as usize > self.max_samples {
            return Err(Stop::TooMany);
        }
        let from = self.decoded.batch.open_labels();
        match self.add(family, index, from, message) {
            Err(Stop::Refused(refusal)) => {
                self.decoded.batch.drop_labels(from);
                refuse(&mut self.decoded.refused, index, family.name, &refusal);
                Ok(())
            }
            result => result,
        }
    }
}

#[cfg(test)]
mod tests;
