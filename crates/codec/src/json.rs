//! The JSON of the push API.

use model::{Batch, MetricType, Refusal, Refused};

/// What a body holds: the samples that have the right shape, and the elements that have not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded<'a> {
    /// The samples of well-formed elements; `Sample::index` is the element's position.
    pub batch: Batch<'a>,
    /// The elements that are not samples, in the order of their positions.
    pub refused: Vec<Refused>,
    /// How many elements `metrics` has: those in the batch and those refused.
    pub objects: u32,
}

/// Decodes a body of the push API.
///
/// Labels are in the sender's order and nothing is validated beyond the shape: call
/// [`Batch::sort_labels`], [`model::check_series`] and [`model::check_at`] on the result.
///
/// # Errors
/// When the body as a whole is not a batch (`BodyInvalid`), or has too many samples
/// (`TooManySamples`).
pub fn decode(_body: &[u8], _max_samples: usize) -> Result<Decoded<'_>, Refusal> {
    todo!()
}

/// One sample as the JSON object of the record format `json`. `labels` without `__name__`.
#[must_use]
pub fn sample<'x>(
    _name: &str,
    _labels: impl IntoIterator<Item = (&'x str, &'x str)>,
    _at_ms: i64,
    _value: f64,
    _kind: MetricType,
    _unit: &str,
    _help: &str,
) -> Vec<u8> {
    todo!()
}
