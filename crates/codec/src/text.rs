//! Prometheus' text exposition 0.0.4 and OpenMetrics 1.0: one sample per line.
//!
//! A bad line is refused alone; the lines beside it are samples all the same. Strings are borrowed from the body
//! unless they have escapes. What the two formats demand of several lines together (a histogram's buckets that grow,
//! the order of label sets) is not checked: Prometheus does not check it either, and series and time say all.

mod cursor;
mod families;
mod line;
mod metadata;
mod number;
mod reading;
mod rules;

use model::Refusal;

use crate::Decoded;
use reading::Reading;

/// Which of the two formats a body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Prometheus' text exposition 0.0.4: timestamps in milliseconds, comments anywhere.
    Text,
    /// OpenMetrics 1.0: timestamps in seconds, exemplars, `# EOF` at the end.
    OpenMetrics,
}

/// How a body is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The format.
    pub dialect: Dialect,
    /// The time of samples without a timestamp, in Unix milliseconds.
    pub now_ms: i64,
}

/// Decodes a body. The index of a sample is the number of its line, from 0; refusals name it from 1, as editors do.
///
/// Lines end with `\n`; the last one may do without. The text format is read leniently where that is harmless:
/// `\r\n`, types of OpenMetrics, and exemplars are fine.
///
/// # Errors
/// When the body as a whole cannot be read: OpenMetrics without `# EOF`, or too many samples.
pub fn decode<'a>(
    body: &'a [u8],
    options: &Options,
    max_samples: usize,
) -> Result<Decoded<'a>, Refusal> {
    let whole = std::str::from_utf8(body).ok();
    let mut reading = Reading::new(body.len(), options, max_samples);
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', body).chain([body.len()]);
    for (index, end) in (0_u32..).zip(ends) {
        let bytes = body.get(start..end).unwrap_or_default();
        let is_last = end == body.len();
        start = end + 1;
        if is_last && bytes.is_empty() {
            break;
        }
        // Checking all of it at once is faster than line by line, which only a bad body needs.
        let line = match whole {
            Some(whole) => whole.get(end - bytes.len()..end),
            None => std::str::from_utf8(bytes).ok(),
        };
        reading.line(index, line)?;
    }
    reading.finish()
}

#[cfg(test)]
mod tests;
