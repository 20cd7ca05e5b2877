//! The JSON of the push API, and of the record format `json`.
//!
//! sonic-rs reads bodies as they should be; whatever it stumbles over is read again by `serde_json`,
//! which says what is wrong, where, and of which sample. Both drive the same visitors, so that a
//! body means the same whoever reads it. Unknown fields are passed over.

pub(crate) mod any;
mod body;
mod distribution;
mod element;
mod explain;
pub(crate) mod objects;
mod plain;
mod repeated;
mod scan;
mod write;

use model::{Batch, Refusal};

use crate::Decoded;
use crate::catalogue::{Trail, Walk};

pub use write::{histogram, sample};

/// How many buckets a record's histogram may have and still be read.
pub const MAX_BUCKETS: usize = distribution::MAX_ROWS;

/// Decodes a body of the push API.
///
/// Labels are in the sender's order and nothing is validated beyond the shape: call
/// [`Batch::sort_labels`], [`model::check_series`] and [`model::check_at`] on the result.
///
/// # Errors
/// When the body as a whole is not a batch (`BodyInvalid`), or has more elements, or more samples
/// once histograms are series, than `max_samples` (`TooManySamples`).
pub fn decode(body: &[u8], max_samples: usize) -> Result<Decoded<'_>, Refusal> {
    parse(text(body)?, max_samples)
}

fn parse(body: &str, max_samples: usize) -> Result<Decoded<'_>, Refusal> {
    match body::fast(body, max_samples) {
        Some(result) => result,
        None => body::careful(body, max_samples),
    }
}

/// Like [`decode`], where series that a catalogue knows are found in it instead of read, and the others are told:
/// see [`Decoded::unknown`]. Labels may be sorted already.
///
/// # Errors
/// Those of [`decode`], and the same ones.
pub fn decode_with<'de, 'c>(
    body: &'de [u8],
    max_samples: usize,
    trail: impl Into<Trail<'c>>,
) -> Result<Decoded<'de>, Refusal> {
    let trail = trail.into();
    let text = text(body)?;
    let decoded = match Walk::along(trail) {
        Some(walk) => match repeated::read(text, max_samples, walk) {
            Some(result) => return result,
            None => parse(text, max_samples)?,
        },
        None => match plain::read(text, max_samples) {
            Some(result) => result?,
            None => parse(text, max_samples)?,
        },
    };
    trail.catalogue().count(0, u64::from(decoded.objects));
    Ok(decoded)
}

/// Decodes the one sample object of a record.
pub(crate) fn decode_one(value: &[u8]) -> Result<Batch<'_>, Refusal> {
    body::one(text(value)?)
}

/// A body as text, which may be empty.
pub(crate) fn utf8(body: &[u8]) -> Result<&str, Refusal> {
    // Some Windows tools write a byte-order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    simdutf8::basic::from_utf8(body).or_else(|_| {
        // This one says where.
        std::str::from_utf8(body).map_err(|error| explain::not_utf8(body, error))
    })
}

fn text(body: &[u8]) -> Result<&str, Refusal> {
    let text = utf8(body)?;
    if text.trim_ascii().is_empty() {
        return Err(explain::empty());
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
