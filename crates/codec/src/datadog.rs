//! Datadog's metrics intake: `series` v1 and v2, distribution points, and the agent's sketches.
//!
//! A point is an object of the result. Names and tags are kept as they are; what a series has beside its tags
//! becomes labels too: `host`, `device`, `source_type_name`, and each resource by its type. A tag of one of these
//! names gets the prefix `exported_`, a tag without a value is `true` as in `DogStatsD`, and a tag that comes more
//! than once has its values, sorted, joined by commas.
//!
//! Nothing is summed up: a `count` is what was counted in its interval, a `rate` is per second, and both are
//! gauges. Distributions become native histograms of their interval.

mod json;
mod other;
mod protobuf;
mod series;
mod sketch;

use model::Refusal;

use crate::Decoded;
use crate::json::objects::{self, Place};
use json::{Reading, Version};

pub use other::{Passed, pass};

/// What decoding needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The time of a point that has none.
    pub now_ms: i64,
    /// Points in one body.
    pub max_samples: usize,
}

/// Decodes `/api/v1/series`: `{"series":[{"metric":"x","points":[[1700000000,1]],"type":"gauge","host":"h",
/// "tags":["k:v"]}]}`.
///
/// # Errors
/// When the body is no such object, or has too many points.
pub fn decode_v1(body: &[u8], options: Options) -> Result<Decoded<'_>, Refusal> {
    decode(body, Version::V1, options)
}

/// Decodes the JSON of `/api/v2/series`: as v1, but a point is `{"timestamp":s,"value":v}`, the type a number.
///
/// # Errors
/// When the body is no such object, or has too many points.
pub fn decode_v2_json(body: &[u8], options: Options) -> Result<Decoded<'_>, Refusal> {
    decode(body, Version::V2, options)
}

/// Decodes `/api/v1/distribution_points`: as v1, but a point is `[s,[v,…]]`.
///
/// # Errors
/// When the body is no such object, or has too many points.
pub fn decode_distributions(body: &[u8], options: Options) -> Result<Decoded<'_>, Refusal> {
    decode(body, Version::Distribution, options)
}

/// Decodes the protobuf of `/api/v2/series`, a `datadog.agentpayload.MetricPayload`.
///
/// # Errors
/// When the body is no such message, or has too many points.
pub fn decode_v2_protobuf(body: &[u8], options: Options) -> Result<Decoded<'_>, Refusal> {
    protobuf::series(body, options)
}

/// Decodes `/api/beta/sketches`, a `datadog.agentpayload.SketchPayload`.
///
/// # Errors
/// When the body is no such message, or has too many sketches.
pub fn decode_sketches(body: &[u8], options: Options) -> Result<Decoded<'_>, Refusal> {
    protobuf::sketches(body, options)
}

fn decode(body: &[u8], version: Version, options: Options) -> Result<Decoded<'_>, Refusal> {
    let text = objects::text(body)?;
    let place = Place::Field("series");
    let reading = objects::read(text, place, || Reading::new(version, options))?;
    Ok(reading.into_decoded())
}

#[cfg(test)]
mod tests;
