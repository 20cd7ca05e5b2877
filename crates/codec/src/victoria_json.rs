//! `VictoriaMetrics`' JSON lines, as its `/api/v1/export` writes and its `/api/v1/import` reads them.
//!
//! A line is a series with all its samples: `{"metric":{"__name__":"x","l":"v"},"values":[1],"timestamps":[ms]}`.
//! The object that is refused as a whole is a sample, so that a bad timestamp costs one sample of thousands; a
//! line that is no such object, or whose arrays differ in length, is refused with all that it has.

mod line;

use model::{Code, Refusal};

use crate::Decoded;
use crate::json::objects;
use line::Lines;

/// Which line of the body each object came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineNumbers {
    /// The first object of each line that has any, and the line's number.
    starts: Vec<(u32, u32)>,
}

impl LineNumbers {
    /// The line, counted from 1, of an object.
    #[must_use]
    pub fn line_of(&self, index: u32) -> u32 {
        let behind = self.starts.partition_point(|(start, _)| *start <= index);
        let found = behind.checked_sub(1).and_then(|at| self.starts.get(at));
        found.map_or(0, |(_, line)| *line)
    }
}

/// Decodes a body. Each series gets the `extra` labels, which replace its own of the same names.
///
/// A `null` among the values means that there was none then: it is counted and passed over. `"NaN"` is a value.
///
/// # Errors
/// When there are more samples than `max_samples`, or the extra labels would take more room than the body.
pub fn decode<'a>(
    body: &'a [u8],
    extra: &[(String, String)],
    max_samples: usize,
) -> Result<(Decoded<'a>, LineNumbers), Refusal> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // A label takes at least eight bytes of the body, so only extra ones can reach this.
    let max_labels = (body.len() / 8).max(100_000);
    let mut lines = Lines::new(extra, max_samples, max_labels);
    let mut numbers = LineNumbers::default();
    let mut read = |number: usize, line: Result<&'a str, std::str::Utf8Error>| {
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let start = lines.objects();
        read_line(&mut lines, line)?;
        if lines.objects() > start {
            numbers.starts.push((start, number));
        }
        Ok::<_, Refusal>(())
    };
    match std::str::from_utf8(body) {
        Ok(text) => {
            for (number, line) in text.split('\n').enumerate() {
                read(number, Ok(line))?;
            }
        }
        Err(_) => {
            for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
                read(number, std::str::from_utf8(line))?;
            }
        }
    }
    Ok((lines.into_decoded(), numbers))
}

fn read_line<'a>(
    lines: &mut Lines<'a, '_>,
    line: Result<&'a str, std::str::Utf8Error>,
) -> Result<(), Refusal> {
    let line = match line {
        Ok(line) => line,
        Err(error) => {
            let at = error.valid_up_to() + 1;
            let message = format!("the line is not UTF-8 at its byte {at}");
            return lines.refuse_line(Refusal::new(Code::SampleInvalid, message));
        }
    };
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    match objects::read_one(line, lines) {
        Err(refusal) if refusal.code != Code::TooManySamples => lines.refuse_line(refusal),
        result => result,
    }
}

#[cfg(test)]
mod tests;
