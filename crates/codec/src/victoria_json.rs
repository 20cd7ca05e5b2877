//! `VictoriaMetrics`' JSON lines, as its `/api/v1/export` writes and its `/api/v1/import` reads them.
//!
//! A line is a series with all its samples: `{"metric":{"__name__":"x","l":"v"},"values":[1],"timestamps":[ms]}`.
//! The object that is refused as a whole is a sample, so that a bad timestamp costs one sample of thousands; a
//! line that is no such object, or whose arrays differ in length, is refused with all that it has.

mod bare;
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

/// Decodes a body.
///
/// A `null` among the values means that there was none then: it is counted and passed over. `"NaN"` is a value.
///
/// # Errors
/// When there are more samples than `max_samples`.
pub fn decode<'a>(
    body: &'a [u8],
    max_samples: usize,
) -> Result<(Decoded<'a>, LineNumbers), Refusal> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut lines = Lines::new(max_samples);
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
    lines: &mut Lines<'a>,
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
        Err(refusal) if refusal.code != Code::TooManySamples => {
            if let Some(quoted) = bare::quoted(line) {
                let mut read = lines.sibling();
                match objects::read_one(&quoted, &mut read) {
                    Ok(()) => return lines.append(&read.into_decoded()),
                    Err(refusal) if refusal.code == Code::TooManySamples => return Err(refusal),
                    Err(_) => {}
                }
            }
            lines.refuse_line(refusal)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests;
