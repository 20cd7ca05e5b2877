//! OpenTelemetry's metrics: an `ExportMetricsServiceRequest`, in protobuf or JSON, as samples.
//!
//! The translation is that of Prometheus' own OTLP receiver, so that dashboards fit both. One data point is one
//! object: what it becomes (a histogram's series) is stored or refused as a whole. Attributes are borrowed from the
//! body; only names that have to change are copied.

mod answer;
mod attributes;
mod delta;
mod exemplars;
mod exponential;
mod histogram;
mod json;
mod known;
mod metric;
mod names;
mod number;
mod resource;
mod summary;
mod translate;

pub use answer::{response, status};
pub use delta::Deltas;
pub use json::to_protobuf;
pub use names::Names;

use model::{Code, Refusal};

use crate::catalogue::Trail;
use crate::decoded::Decoded;
use crate::protobuf::Malformed;

/// What an operator can choose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How names are translated.
    pub names: Names,
    /// Whether delta temporality is refused instead of converted.
    pub refuses_delta: bool,
    /// Resource attributes that become labels of every series.
    pub promoted: Vec<String>,
    /// Whether the scope's name, version and attributes become labels.
    pub has_scope_labels: bool,
    /// Whether each resource gets a series `target_info`.
    pub has_target_info: bool,
    /// The value of the label `gateway` of series whose sum is kept here; empty for no such label.
    pub gateway: String,
}

/// What a body is read with.
#[derive(Debug, Clone, Copy)]
pub struct Translation<'t> {
    /// The settings.
    pub options: &'t Options,
    /// The sums of delta series.
    pub deltas: &'t Deltas,
    /// Whose series they are.
    pub tenant: Option<&'t str>,
    /// The current time, Unix milliseconds.
    pub now_ms: i64,
}

/// Decodes an `ExportMetricsServiceRequest` in protobuf.
///
/// # Errors
/// When it is none, or has more than `max_samples` samples or data points.
pub fn decode<'a>(
    body: &'a [u8],
    translation: Translation<'_>,
    max_samples: usize,
) -> Result<Decoded<'a>, Refusal> {
    translated(body, translation, None, max_samples)
}

/// Like [`decode`], where series that a catalogue knows are found in the body instead of read, and the others are
/// told: see [`Decoded::unknown`].
///
/// # Errors
/// Those of [`decode`], and the same ones.
pub fn decode_with<'a, 'c>(
    body: &'a [u8],
    translation: Translation<'_>,
    max_samples: usize,
    trail: impl Into<Trail<'c>>,
) -> Result<Decoded<'a>, Refusal> {
    let trail = trail.into();
    let walk = known::Walk::new(trail, &translation);
    let is_walking = walk.is_some();
    let decoded = translated(body, translation, walk, max_samples)?;
    if !is_walking {
        trail.catalogue().count(0, u64::from(decoded.objects));
    }
    Ok(decoded)
}

fn translated<'a, 't>(
    body: &'a [u8],
    translation: Translation<'t>,
    walk: Option<known::Walk<'a, 't>>,
    max_samples: usize,
) -> Result<Decoded<'a>, Refusal> {
    let mut translator = translate::Translator::new(translation, walk, max_samples, body.len());
    match translator.request(body) {
        Ok(()) => {
            let mut decoded = translator.decoded;
            if let Some(walk) = translator.walk {
                decoded.unknown = walk.end(decoded.objects);
            }
            Ok(decoded)
        }
        Err(Stop::TooMany) => {
            let message = format!(
                "the body has more than {max_samples} samples (the limit is limits.max_samples); send several smaller ones"
            );
            Err(Refusal::new(Code::TooManySamples, message))
        }
        Err(Stop::TooLarge) => {
            let message = "the labels and names of all series are more than one body of this size may become; \
                           send several smaller ones";
            Err(Refusal::new(Code::TooManyLabels, message))
        }
        Err(Stop::Malformed(malformed)) => {
            let at = translator.place();
            let message = format!("the body is no ExportMetricsServiceRequest: {malformed}{at}");
            Err(Refusal::new(Code::BodyInvalid, message))
        }
    }
}

/// Why the rest of a body is not read.
#[derive(Debug)]
enum Stop {
    Malformed(Malformed),
    TooMany,
    TooLarge,
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The bits of Prometheus' stale marker, which says that a series has ended.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

#[cfg(test)]
mod tests;
