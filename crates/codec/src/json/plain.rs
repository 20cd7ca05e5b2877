//! Objects of series that no catalogue knows, as nearly all senders write them: read without a parser.
//!
//! A sender writes all its objects alike, with the same keys, and the same label names, at the same places. So each is
//! compared with the one before it, and only what differs is looked at. Whatever is unusual, such as an escape, a value
//! that is no plain number, or a field that no sample has, is for the parser: it reads the same of what is read here.

use std::ops::Range;

use model::{Batch, MetricType, Refusal, Sample, Value};

use super::body::Reading;
use super::distribution::check_plain;
use super::element::{Field, kind_named};
use super::{repeated, scan};
use crate::Decoded;
use crate::decimal;
use crate::refusing::too_many;
use crate::same::begins_with;

/// Fields that a sample must have.
const NEEDED: u8 =
    Field::MetricName.bit() | Field::Timestamp.bit() | Field::Value.bit() | Field::Labels.bit();

/// Who has written so many objects in a row that are not plain writes none.
const PATIENCE: u8 = 4;

/// Reads a body of which nothing is known; `None` when it must be read in another way.
pub(super) fn read(body: &str, max_samples: usize) -> Option<Result<Decoded<'_>, Refusal>> {
    let bytes = body.as_bytes();
    let mut at = scan::begin(bytes)?;
    let mut reading = Reading::new(body, max_samples);
    let mut plain = Plain::default();
    loop {
        let end = match plain.object(body, at, reading.batch_mut()) {
            Some(object) => object.push(&mut reading).map(|_| object.end),
            // All of it is parsed in one go then.
            None if plain.refused >= PATIENCE => return None,
            None => other(body, at, &mut reading),
        };
        let Some(end) = end else {
            return reading.is_too_much().then(|| Err(too_many(max_samples)));
        };
        at = end;
        if scan::separator(bytes, &mut at)? == b']' {
            break;
        }
    }
    scan::is_end(bytes, at).then(|| Ok(reading.into_decoded()))
}

/// Leaves an object to the parser; answers where it ends.
fn other<'de>(body: &'de str, at: usize, reading: &mut Reading<'de>) -> Option<usize> {
    let end = scan::object(body.as_bytes(), at)?.end;
    repeated::parse(body.get(at..end)?, reading)?;
    Some(end)
}

/// How the objects before were written.
#[derive(Debug, Default)]
pub(super) struct Plain<'de> {
    /// What each field begins with, from the end of the one before it to its value.
    fields: Vec<(Field, &'de [u8])>,
    labels: Vec<Alike<'de>>,
    /// The places of these by their names; none when it is not known.
    order: Vec<usize>,
    name: Text<'de>,
    /// So many objects in a row were not plain.
    refused: u8,
}

/// A label, and what it begins with.
#[derive(Debug)]
struct Alike<'de> {
    lead: &'de [u8],
    name: &'de str,
    value: Text<'de>,
}

/// A string, and the same in its quotes.
#[derive(Debug, Clone, Copy, Default)]
struct Text<'de> {
    text: &'de str,
    quoted: &'de [u8],
}

/// A plain object. Its labels are the open ones of the batch.
#[derive(Debug)]
pub(super) struct Object<'de> {
    name: &'de str,
    pub(super) at_ms: i64,
    pub(super) value: f64,
    /// Where these numbers are.
    pub(super) time_at: Range<usize>,
    pub(super) value_at: Range<usize>,
    kind: Option<MetricType>,
    unit: &'de str,
    help: &'de str,
    /// Where its labels start in the batch.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) end: usize,
}

impl<'de> Object<'de> {
    /// Adds it to the batch as a series of its own, and answers the series' number; `None` when it is one sample too many.
    #[inline]
    pub(super) fn push(&self, reading: &mut Reading<'de>) -> Option<u32> {
        let index = reading.count_object()?;
        let batch = reading.batch_mut();
        let series = batch.close_series(self.name, self.from);
        if self.kind.is_some() || !self.unit.is_empty() || !self.help.is_empty() {
            let kind = self.kind.unwrap_or_default();
            batch.describe(series, kind, self.unit, self.help);
        }
        reading.push(Sample {
            index,
            series,
            at_ms: self.at_ms,
            start_ms: 0,
            value: Value::Float(self.value),
        })?;
        Some(series)
    }
}

impl<'de> Plain<'de> {
    /// Reads the object that begins here, if it is plain and not too many before it were not; otherwise the batch is as
    /// before.
    #[inline]
    pub(super) fn object(
        &mut self,
        body: &'de str,
        at: usize,
        batch: &mut Batch<'de>,
    ) -> Option<Object<'de>> {
        if self.refused >= PATIENCE {
            return None;
        }
        let from = batch.open_labels();
        let object = self.read(Cursor { body, at }, batch);
        if object.is_some() {
            self.refused = 0;
        } else {
            self.refused += 1;
            batch.drop_labels(from);
        }
        object
    }

    #[inline]
    fn read(&mut self, mut cursor: Cursor<'de>, batch: &mut Batch<'de>) -> Option<Object<'de>> {
        let mut object = Object {
            name: "",
            at_ms: 0,
            value: 0.0,
            time_at: 0..0,
            value_at: 0..0,
            kind: None,
            unit: "",
            help: "",
            from: batch.open_labels(),
            end: 0,
        };
        let mut seen = 0;
        for number in 0.. {
            let field = match self.fields.get(number) {
                Some((field, lead)) if cursor.pass(lead) => *field,
                _ => match self.field(number, &mut cursor)? {
                    Some(field) => field,
                    None => break,
                },
            };
            if seen & field.bit() != 0 {
                return None;
            }
            seen |= field.bit();
            match field {
                Field::MetricName => object.name = cursor.text_like(&mut self.name)?,
                Field::Timestamp => {
                    (object.at_ms, object.time_at) = cursor.number(decimal::integer)?;
                }
                Field::Value => {
                    (object.value, object.value_at) = cursor.number(decimal::number)?;
                    // So that all parsers agree, 0 has no sign.
                    object.value += 0.0;
                }
                Field::Labels => self.labels(&mut cursor, batch)?,
                Field::Type => object.kind = Some(kind_named(cursor.text()?.text)?),
                Field::Unit => object.unit = cursor.text()?.text,
                Field::Help => object.help = cursor.text()?.text,
            }
        }
        object.end = cursor.at;
        if seen & NEEDED != NEEDED || object.name.is_empty() {
            return None;
        }
        if let Some(kind) = object.kind {
            let labels = batch.labels_since(object.from);
            check_plain(kind, object.name, labels, object.value).ok()?;
        }
        Some(object)
    }

    /// The next field, which is not as before; `None` within when the object is over.
    fn field(&mut self, number: usize, cursor: &mut Cursor<'de>) -> Option<Option<Field>> {
        let start = cursor.at;
        if !cursor.is_more(number)? {
            return Some(None);
        }
        let field = Field::named(cursor.key()?)?;
        let lead = cursor.since(start);
        match self.fields.get_mut(number) {
            Some(known) => *known = (field, lead),
            None => self.fields.push((field, lead)),
        }
        Some(Some(field))
    }

    /// Reads the labels, and adds them to the batch in the order that they are wanted in later.
    #[inline]
    fn labels(&mut self, cursor: &mut Cursor<'de>, batch: &mut Batch<'de>) -> Option<()> {
        let mut count = 0;
        loop {
            let known = self.labels.get_mut(count);
            if let Some(label) = known
                && cursor.pass(label.lead)
            {
                cursor.text_like(&mut label.value)?;
            } else if !self.label(count, cursor)? {
                break;
            }
            count += 1;
        }
        if self.order.len() != count {
            self.sort(count);
        }
        for place in &self.order {
            if let Some(label) = self.labels.get(*place) {
                batch.push_label(label.name, label.value.text);
            }
        }
        Some(())
    }

    /// Reads the next label, which is not as before, if there is one.
    fn label(&mut self, number: usize, cursor: &mut Cursor<'de>) -> Option<bool> {
        let start = cursor.at;
        if !cursor.is_more(number)? {
            return Some(false);
        }
        let name = cursor.key()?;
        let label = Alike {
            lead: cursor.since(start),
            name,
            value: cursor.text()?,
        };
        self.order.clear();
        match self.labels.get_mut(number) {
            Some(known) => *known = label,
            None => self.labels.push(label),
        }
        Some(true)
    }

    #[cold]
    fn sort(&mut self, count: usize) {
        let Self { labels, order, .. } = self;
        order.clear();
        order.extend(0..count);
        // Stable: of labels that have the same name, each keeps its place.
        order.sort_by_key(|place| labels.get(*place).map(|label| label.name));
    }
}

/// A place in a body.
struct Cursor<'de> {
    body: &'de str,
    at: usize,
}

impl<'de> Cursor<'de> {
    #[inline]
    fn rest(&self) -> &'de [u8] {
        self.body.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> &'de [u8] {
        let bytes = self.body.as_bytes();
        bytes.get(start..self.at).unwrap_or_default()
    }

    /// Goes behind these bytes, if they are here.
    #[inline]
    fn pass(&mut self, bytes: &[u8]) -> bool {
        let is_here = begins_with(self.rest(), bytes);
        if is_here {
            self.at += bytes.len();
        }
        is_here
    }

    fn skip_space(&mut self) {
        self.at = scan::skip_space(self.body.as_bytes(), self.at);
    }

    /// Goes to the key of this number in an object, if there is one; otherwise behind the object.
    fn is_more(&mut self, number: usize) -> Option<bool> {
        self.skip_space();
        if number == 0 {
            self.pass(b"{").then_some(())?;
            self.skip_space();
        }
        if self.pass(b"}") {
            return Some(false);
        }
        if number > 0 {
            self.pass(b",").then_some(())?;
            self.skip_space();
        }
        Some(true)
    }

    /// A key, up to its value.
    fn key(&mut self) -> Option<&'de str> {
        let key = self.text()?.text;
        self.skip_space();
        self.pass(b":").then_some(())?;
        self.skip_space();
        Some(key)
    }

    #[inline]
    fn number<T>(
        &mut self,
        read: impl FnOnce(&'de [u8]) -> Option<(T, &'de [u8])>,
    ) -> Option<(T, Range<usize>)> {
        let start = self.at;
        let (number, rest) = read(self.rest())?;
        self.at = self.body.len() - rest.len();
        Some((number, start..self.at))
    }

    /// A string that is mostly the same as before: then its text is the same one in memory, too.
    #[inline]
    fn text_like(&mut self, before: &mut Text<'de>) -> Option<&'de str> {
        if before.quoted.is_empty() || !self.pass(before.quoted) {
            *before = self.text()?;
        }
        Some(before.text)
    }

    /// A string without escapes.
    #[inline]
    fn text(&mut self) -> Option<Text<'de>> {
        let [b'"', rest @ ..] = self.rest() else {
            return None;
        };
        let start = self.at;
        let end = start + 1 + plain_len(rest)?;
        self.at = end + 1;
        Some(Text {
            text: self.body.get(start + 1..end)?,
            quoted: self.since(start),
        })
    }
}

/// How many bytes are before a string's closing quote, if there is neither an escape nor a control character; looks at
/// eight at a time.
#[inline]
fn plain_len(text: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    // The lowest byte with its highest bit set is zero; those above it may be anything.
    let zeros = |word: u64| word.wrapping_sub(EACH) & !word;
    let mut length = 0;
    let mut rest = text;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let controls = word.wrapping_sub(EACH * 0x20) & !word;
        let quotes = zeros(word ^ (EACH * u64::from(b'"')));
        let escapes = zeros(word ^ (EACH * u64::from(b'\\')));
        let ends = (controls | quotes | escapes) & (EACH * 0x80);
        if ends != 0 {
            length += ends.trailing_zeros() as usize / 8;
            return (text.get(length) == Some(&b'"')).then_some(length);
        }
        length += 8;
        rest = behind;
    }
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    let more = rest.iter().position(is_end)?;
    (rest.get(more) == Some(&b'"')).then_some(length + more)
}

#[cfg(test)]
mod tests;
