//! Lines whose series a catalogue knows: compared, not parsed.
//!
//! What agents write is read here: a measurement with its tags, fields that are plain numbers, a time, one space between
//! them. A line that is anything else, or has a field that is not known, is for the parser as a whole.

use model::{FIRST_KNOWN, Sample};

use super::{FEW_FIELDS, Options, VALUE};
use crate::catalogue::{Form, Trail, Unknown, Walk};
use crate::decimal;

/// A walk along series that are found by what is before a line's fields, and by a field's name.
pub(super) struct Known<'a, 'c> {
    walk: Walk<'a, 'c>,
    /// The value of the label that the request adds, and its number in the catalogue.
    label: &'a [u8],
    label_part: Option<u32>,
    /// Series and value of the fields of the line that was read last.
    fields: Vec<(u32, f64)>,
}

/// What a line has beside its fields.
pub(super) struct Read {
    /// How long it is, without the line feed.
    pub(super) bytes: usize,
    pub(super) timestamp: Option<i64>,
    /// What the metric names would have taken if they had been made.
    pub(super) name_bytes: usize,
}

impl<'a, 'c> Known<'a, 'c> {
    /// A walk along a catalogue, if it is worth it.
    pub(super) fn along(trail: Trail<'c>, options: &Options<'a>) -> Option<Self> {
        let label = match options.label {
            // Not to be told from none.
            Some((_, "")) => return None,
            Some((_, value)) => value.as_bytes(),
            None => &[],
        };
        Some(Self {
            walk: Walk::along(trail)?,
            label,
            label_part: trail.catalogue().part(label),
            fields: Vec::new(),
        })
    }

    /// Series and value of the fields of the line that was read last.
    pub(super) fn fields(&self) -> &[(u32, f64)] {
        &self.fields
    }

    /// Hands on the fields of the line that was read last.
    #[inline]
    pub(super) fn take(&mut self, mut each: impl FnMut(u32, f64)) {
        for (series, value) in &self.fields {
            self.walk.turn_to(*series);
            self.walk.found(*series);
            each(FIRST_KNOWN + series, *value);
        }
    }

    /// Counts what was found of so many samples, and hands on what may be learned.
    pub(super) fn end(self, samples: usize) -> Vec<Unknown<'a>> {
        self.walk.end(u32::try_from(samples).unwrap_or(u32::MAX))
    }

    /// Reads the line that a text begins with.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<Read> {
        let label = self.label_part?;
        let catalogue = self.walk.catalogue;
        self.fields.clear();
        let mut name_bytes = 0;
        let (mut last, mut head) = (self.walk.last(), None);
        let mut rest = text;
        loop {
            let expected = last.and_then(|last| catalogue.after(last));
            let expected =
                expected.filter(|(_, form, [.., with, _])| *form == Form::Influx && *with == label);
            let behind = expected.and_then(|(series, _, [line, field, ..])| {
                let field_at = match head {
                    Some(head) => (head == line).then_some(rest)?,
                    None => rest
                        .strip_prefix(catalogue.part_bytes(line))?
                        .strip_prefix(b" ")?,
                };
                let name = catalogue.part_bytes(field);
                let behind = field_at.strip_prefix(name)?.strip_prefix(b"=")?;
                Some((series, line, name, behind))
            });
            let (series, line, name, behind) = match behind {
                Some(found) => found,
                None => self.search(rest, head, label)?,
            };
            (last, head) = (Some(series), Some(line));
            if name != VALUE.as_bytes() {
                name_bytes += catalogue.name(catalogue.name_of(series)?)?.len();
            }
            let (value, behind) = number(behind)?;
            // Of fields with one name the last counts, which is for the parser to see.
            let is_twice = self.fields.iter().any(|(other, _)| *other == series);
            if is_twice || self.fields.len() == FEW_FIELDS {
                return None;
            }
            self.fields.push((series, value));
            rest = match behind {
                [b',', rest @ ..] => rest,
                _ => {
                    rest = behind;
                    break;
                }
            };
        }
        let mut timestamp = None;
        if let [b' ', time @ ..] = rest {
            let (raw, behind) = decimal::whole(time, decimal::MOST_DIGITS)?;
            (timestamp, rest) = (Some(raw), behind);
        }
        matches!(rest, [] | [b'\n', ..]).then(|| Read {
            bytes: text.len() - rest.len(),
            timestamp,
            name_bytes,
        })
    }

    /// The series of a field which is not the one that is expected, the number of what is before its line's fields,
    /// its name, and what is behind that.
    #[inline(never)]
    fn search<'t>(
        &self,
        rest: &'t [u8],
        head: Option<u32>,
        label: u32,
    ) -> Option<(u32, u32, &'t [u8], &'t [u8])> {
        let catalogue = self.walk.catalogue;
        let (line, rest) = match head {
            Some(head) => (head, rest),
            None => {
                let (head, rest) = split_head(rest)?;
                (catalogue.part(head)?, rest)
            }
        };
        let (name, behind) = split_field(rest)?;
        let none = catalogue.part(&[])?;
        let parts = [line, catalogue.part(name)?, label, none];
        let series = catalogue.find_parts(Form::Influx, parts)?;
        Some((series, line, name, behind))
    }

    /// Notes what may be learned of a line that the parser has read, and made these samples of.
    pub(super) fn note(&mut self, text: &'a [u8], samples: &[Sample]) {
        if samples.len() > FEW_FIELDS || self.note_fields(text, samples).is_none() {
            self.walk.miss(None);
        }
    }

    fn note_fields(&mut self, text: &'a [u8], samples: &[Sample]) -> Option<()> {
        let (head, fields) = split_head(text)?;
        // Each field has become a sample, or there is something about the line that is not for here.
        let mut rest = fields;
        for at in 0..samples.len() {
            let (_, behind) = split_field(rest)?;
            let (_, behind) = number(behind)?;
            rest = match behind {
                [b',', rest @ ..] if at + 1 < samples.len() => rest,
                [] | [b' ' | b'\n', ..] if at + 1 == samples.len() => behind,
                _ => return None,
            };
        }
        let catalogue = self.walk.catalogue;
        let known = [catalogue.part(head), self.label_part, catalogue.part(&[])];
        let mut rest = fields;
        for sample in samples {
            let (name, behind) = split_field(rest)?;
            let series = if let [Some(head), Some(label), Some(none)] = known {
                let name = catalogue.part(name);
                name.and_then(|name| catalogue.find_parts(Form::Influx, [head, name, label, none]))
            } else {
                None
            };
            match series {
                Some(series) => self.walk.turn_to(series),
                None => self.walk.miss(Some(Unknown {
                    series: sample.series,
                    form: Form::Influx,
                    parts: [head, name, self.label, &[]],
                })),
            }
            let (_, behind) = number(behind)?;
            rest = behind.strip_prefix(b",").unwrap_or_default();
        }
        Some(())
    }
}

/// What is before the fields of a line, and the fields. Escapes are for the parser.
fn split_head(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr3(b' ', b'\\', b'\n', line)?;
    let (head, rest) = line.split_at_checked(at)?;
    Some((head, rest.strip_prefix(b" ")?))
}

/// The name of a field, and what is behind the equals sign. A tab is a blank before the first name and a part of others,
/// so names with one are for the parser.
fn split_field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let ends = |byte: &u8| matches!(byte, b'=' | b',' | b' ' | b'\t' | b'\\' | b'\n');
    let (name, rest) = text.split_at_checked(text.iter().position(ends)?)?;
    let rest = rest.strip_prefix(b"=")?;
    (!name.is_empty()).then_some((name, rest))
}

/// A value as agents write it, and what is behind it.
#[inline]
fn number(text: &[u8]) -> Option<(f64, &[u8])> {
    let (value, rest) = decimal::number(text)?;
    match rest {
        [] | [b',' | b' ' | b'\n', ..] => Some((value, rest)),
        [b'i', rest @ ..] => {
            let digits = text.strip_prefix(b"-").unwrap_or(text);
            let (_, behind) = decimal::integer(digits)?;
            // The integer 0 has no sign.
            (behind.len() == rest.len() + 1).then_some((value + 0.0, rest))
        }
        _ => None,
    }
}
