//! Exemplars: an observed value with its trace, beside the series that it was counted in.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::attributes::attribute;
use super::number::integer;
use super::translate::{Point, Translator, to_ms};
use crate::decoded::Ignored;
use crate::protobuf::{Malformed, Reader};

/// What all labels of an exemplar may have together, in characters: the rule of `OpenMetrics`.
const MAX_CHARS: usize = 128;

/// What has no meaning beside a value that nobody observed is passed over. More per data point are not kept.
const MAX_EXEMPLARS: usize = 64;

impl<'a> Translator<'a, '_> {
    /// Adds the point's exemplars to the series that `series_of` answers for their values.
    pub(super) fn push_exemplars(
        &mut self,
        index: u32,
        point: Point,
        series_of: impl Fn(f64) -> u32,
    ) -> Result<(), Malformed> {
        let exemplars = std::mem::take(&mut self.exemplars);
        let mut ignored = exemplars.len().saturating_sub(MAX_EXEMPLARS);
        for message in exemplars.iter().take(MAX_EXEMPLARS) {
            if !self.push_exemplar(index, point, message, &series_of)? {
                ignored += 1;
            }
        }
        self.decoded.ignore(Ignored::Exemplar, ignored as u64);
        self.exemplars = exemplars;
        Ok(())
    }

    fn push_exemplar(
        &mut self,
        index: u32,
        point: Point,
        message: &'a [u8],
        series_of: &impl Fn(f64) -> u32,
    ) -> Result<bool, Malformed> {
        let (mut at_ns, mut value) = (0, None);
        let (mut span, mut trace): (&[u8], &[u8]) = (&[], &[]);
        let mut attributes = Vec::new();
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                2 => at_ns = field.fixed64()?,
                3 => value = Some(field.double()?),
                4 => span = field.bytes()?,
                5 => trace = field.bytes()?,
                6 => value = Some(integer(field.fixed64()?)),
                7 => attributes.push(attribute(field.bytes()?)?),
                _ => {}
            }
        }
        let Some(value) = value else {
            return Ok(false);
        };
        let ids = [("trace_id", trace), ("span_id", span)].map(|(name, bytes)| (name, hex(bytes)));
        let is_taken = |key: &str| {
            ids.iter()
                .any(|(name, value)| *name == key && !value.is_empty())
        };
        attributes.retain(|(key, _)| !is_taken(key));
        let id_chars: usize = ids
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let chars: usize = attributes
            .iter()
            .map(|(key, value)| key.chars().count() + value.chars().count())
            .sum();
        let series = series_of(value);
        let batch = &mut self.decoded.batch;
        let from = batch.open_labels();
        for (name, value) in ids {
            if !value.is_empty() {
                batch.push_label(name, value);
            }
        }
        // The trace is worth more than attributes that would make the exemplar too long.
        if id_chars + chars <= MAX_CHARS {
            for (key, value) in attributes {
                if !key.is_empty() && !value.is_empty() {
                    batch.push_label(Cow::Borrowed(key), value);
                }
            }
        }
        let at_ms = if at_ns == 0 {
            point.at_ms()
        } else {
            to_ms(at_ns)
        };
        batch.push_exemplar(index, series, at_ms, value, from);
        Ok(true)
    }
}

/// An id as text; all zero means that there is none.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    if bytes.len() <= 32 && bytes.iter().any(|byte| *byte != 0) {
        for byte in bytes {
            write!(text, "{byte:02x}").unwrap_or_default();
        }
    }
    text
}
