//! Remote write 1.0 and 2.0 as senders push it, into what every decoder makes of a body.
//!
//! Text stays in the body: a label costs no allocation. An object is a sample or a native histogram, and what is
//! wrong with a series is wrong with each of its objects. A body that breaks off, or is the other version's message,
//! is refused whole.

mod known;
mod series;
mod v1;
mod v2;

use model::{Batch, Code, Limits, Refusal};

use super::Version;
use crate::catalogue::{Trail, Walk};
use crate::protobuf::Malformed;
use crate::refusing::refuse;
use crate::{Decoded, Ignored};
use series::Facts;

/// An exemplar belongs to no object: it is good or bad by itself.
const NO_OBJECT: u32 = u32::MAX;

/// With a name and a value each, more labels are longer than an exemplar's may be.
const MAX_EXEMPLAR_LABELS: usize = 64;

/// Decodes an uncompressed request of at most `limits.max_samples` samples.
///
/// # Errors
/// When the body is not the version's message, or has more samples than that.
pub fn decode<'a>(
    version: Version,
    body: &'a [u8],
    limits: &Limits,
) -> Result<Decoded<'a>, Refusal> {
    match version {
        Version::V1 => v1::decode(body, limits, None),
        Version::V2 => v2::decode(body, limits, None),
    }
}

/// Like [`decode`], where series that a catalogue knows are found in the body instead of read, and the others are
/// told: see [`Decoded::unknown`].
///
/// # Errors
/// Those of [`decode`], and the same ones.
pub fn decode_with<'a, 'c>(
    version: Version,
    body: &'a [u8],
    limits: &Limits,
    trail: impl Into<Trail<'c>>,
) -> Result<Decoded<'a>, Refusal> {
    let trail = trail.into();
    let walk = Walk::along(trail);
    let is_known = walk.is_some();
    let decoded = match version {
        Version::V1 => v1::decode(body, limits, walk),
        Version::V2 => v2::decode(body, limits, walk),
    }?;
    if !is_known {
        trail.catalogue().count(0, u64::from(decoded.objects));
    }
    Ok(decoded)
}

/// Why a body is given up.
enum Failure {
    Malformed(Malformed),
    Refusal(Refusal),
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Failure {
    /// The refusal of the body; `part` is where in it the bytes are malformed.
    fn refusal(self, message: &str, part: &str) -> Refusal {
        match self {
            Self::Refusal(refusal) => refusal,
            Self::Malformed(error) => Refusal::new(
                Code::BodyInvalid,
                format!("the body is not a {message}: {part}{error}"),
            ),
        }
    }
}

/// What has been read of a body.
struct Reading<'a, 'l> {
    limits: &'l Limits,
    decoded: Decoded<'a>,
    exemplars: usize,
}

impl<'a, 'l> Reading<'a, 'l> {
    fn new(limits: &'l Limits, batch: Batch<'a>) -> Self {
        Self {
            limits,
            decoded: Decoded {
                batch,
                ..Decoded::default()
            },
            exemplars: 0,
        }
    }

    /// The number of the next object.
    fn next_object(&mut self) -> Result<u32, Failure> {
        let index = self.decoded.objects;
        if index as usize >= self.limits.max_samples {
            let message = format!(
                "the body has more than {} samples; send several smaller ones",
                self.limits.max_samples
            );
            return Err(Refusal::new(Code::TooManySamples, message).into());
        }
        self.decoded.objects += 1;
        Ok(index)
    }

    /// Whether one more exemplar is kept; bodies of nothing else end somewhere too.
    fn may_have_exemplar(&mut self) -> bool {
        self.exemplars += 1;
        self.exemplars <= self.limits.max_samples
    }

    /// Adds a float sample, or its refusal.
    fn float(
        &mut self,
        facts: &Facts<'a>,
        at_ms: i64,
        start_ms: i64,
        value: f64,
    ) -> Result<(), Failure> {
        let index = self.next_object()?;
        match &facts.series {
            Ok(series) => self.decoded.batch.push(model::Sample {
                index,
                series: *series,
                at_ms,
                start_ms: if start_ms == 0 {
                    facts.start_ms
                } else {
                    start_ms
                },
                value: model::Value::Float(value),
            }),
            Err(refusal) => self.refuse(index, facts.name, refusal),
        }
        Ok(())
    }

    /// Adds a native histogram, or its refusal.
    fn histogram(&mut self, facts: &Facts<'a>, message: &'a [u8]) -> Result<(), Failure> {
        let index = self.next_object()?;
        let series = match &facts.series {
            Ok(series) => *series,
            Err(refusal) => {
                self.refuse(index, facts.name, refusal);
                return Ok(());
            }
        };
        match crate::native::check(message) {
            Ok(checked) => {
                let message = series::with_start(message, checked.has_start, facts.start_ms);
                self.decoded
                    .batch
                    .push_histogram(index, series, checked.at_ms, message);
            }
            Err(why) => {
                let refusal = Refusal::new(Code::HistogramInvalid, why);
                self.refuse(index, facts.name, &refusal);
            }
        }
        Ok(())
    }

    /// Adds an exemplar whose labels are those pushed since `from`, unless something is wrong with it.
    fn exemplar(&mut self, facts: &Facts<'a>, at_ms: i64, value: f64, from: usize, is_good: bool) {
        match &facts.series {
            Ok(series) if is_good && self.may_have_exemplar() => {
                let batch = &mut self.decoded.batch;
                batch.push_exemplar(NO_OBJECT, *series, at_ms, value, from);
            }
            _ => {
                self.decoded.batch.drop_labels(from);
                self.decoded.ignore(Ignored::Exemplar, 1);
            }
        }
    }

    fn refuse(&mut self, index: u32, name: &str, refusal: &Refusal) {
        refuse(&mut self.decoded.refused, index, name, refusal);
    }
}

#[cfg(test)]
mod tests;
