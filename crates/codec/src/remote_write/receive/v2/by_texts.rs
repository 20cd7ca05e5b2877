//! Series that a catalogue knows, found by the numbers that their texts have in it.
//!
//! The same text is another symbol in each request, so that bytes cannot be compared. Each symbol's text is looked for
//! once; then a series is a row of numbers, which mostly is the row that the catalogue expects here.

use model::{MetricType, Point};

use super::super::known::{self, LABELS, SAMPLES};
use super::super::{Failure, Reading};
use super::{Metadata, Symbols, read_metadata, read_sample, read_series};
use crate::catalogue::{EMPTY_TEXT, Form, PARTS, Unknown, Walk};
use crate::protobuf::{Reader, Value, delimited, only_sample, varint};

const METADATA: u8 = delimited(5);
const KIND: u8 = varint(1);
const HELP: u8 = varint(3);
const UNIT: u8 = varint(4);

/// Nobody has asked for the number of a symbol's text.
const NOT_ASKED: u32 = u32::MAX;

/// A text that the catalogue does not have. It has fewer than that many.
const NO_NUMBER: u32 = u32::MAX - 1;

/// A walk along series that are found by their texts' numbers in the catalogue.
pub(super) struct ByTexts<'a, 'c> {
    walk: Walk<'a, 'c>,
    /// The number of each symbol's text, as far as it was asked for.
    numbers: Vec<u32>,
    /// The numbers of the series that is being looked for.
    key: Vec<u8>,
    /// Whether one of its texts has no number.
    has_new_text: bool,
}

impl<'a, 'c> ByTexts<'a, 'c> {
    pub(super) fn new(walk: Walk<'a, 'c>, symbols: usize) -> Self {
        Self {
            walk,
            numbers: vec![NOT_ASKED; symbols],
            key: Vec::new(),
            has_new_text: false,
        }
    }

    /// Counts what was found of so many objects, and hands on what may be learned.
    pub(super) fn end(self, objects: u32) -> Vec<Unknown<'a>> {
        self.walk.end(objects)
    }

    /// Takes a series as the one that it is known to be, or reads it.
    #[inline]
    pub(super) fn find_series(
        &mut self,
        bytes: &'a [u8],
        symbols: &Symbols<'a>,
        reading: &mut Reading<'a, '_>,
    ) -> Result<(), Failure> {
        let Some((series, point)) = self.expected(bytes, symbols) else {
            return self.search(bytes, symbols, reading);
        };
        self.walk.found(series);
        reading.float(&known::facts(series), point.at_ms, 0, point.value)
    }

    /// The series that is expected here and its sample, if this is it, written as senders do, and has only one.
    #[inline]
    fn expected(&mut self, series: &[u8], symbols: &Symbols<'a>) -> Option<(u32, Point)> {
        let (number, form, [key]) = self.walk.expected_parts()?;
        let (texts, [kind]) = key.as_chunks() else {
            return None;
        };
        let (labels, [unit, help]) = texts.split_last_chunk()?;
        let [LABELS, length @ ..0x80, rest @ ..] = series else {
            return None;
        };
        let (packed, rest) = rest.split_at_checked(usize::from(*length))?;
        let mut references = Reader(packed);
        for text in labels {
            let reference = references.reference().ok()?;
            if !self.is_number(reference, u32::from_le_bytes(*text), symbols) {
                return None;
            }
        }
        let [SAMPLES, length @ ..0x80, ..] = rest else {
            return None;
        };
        let (sample, rest) = rest.split_at_checked(2 + usize::from(*length))?;
        let metadata = plain_metadata(rest)?;
        let mut is_text = |reference, text: &[u8; 4]| {
            Some(self.described(reference, symbols)? == u32::from_le_bytes(*text))
        };
        let is_it = form == Form::RemoteWrite2
            && references.0.is_empty()
            && kind_byte(metadata) == Some(*kind)
            && is_text(metadata.unit, unit)?
            && is_text(metadata.help, help)?;
        is_it.then_some((number, only_sample(sample)?))
    }

    /// Looks for a series among all that are known, or reads it.
    #[inline(never)]
    fn search(
        &mut self,
        bytes: &'a [u8],
        symbols: &Symbols<'a>,
        reading: &mut Reading<'a, '_>,
    ) -> Result<(), Failure> {
        let Some(samples) = self.make_key(bytes, symbols) else {
            read_series(bytes, symbols, reading)?;
            return Ok(());
        };
        let parts = [self.key.as_slice(), &[], &[], &[]];
        let is_known = !self.has_new_text;
        let found = is_known.then(|| self.walk.catalogue.find(Form::RemoteWrite2, parts));
        let Some(series) = found.flatten() else {
            let facts = read_series(bytes, symbols, reading)?;
            // Its key needs the numbers of its texts: the catalogue makes it when it has them.
            let unknown = known::unknown(Form::RemoteWrite2, [&[]; PARTS], facts.as_ref());
            self.walk.miss(unknown);
            return Ok(());
        };
        self.walk.turn_to(series);
        self.walk.found(series);
        let facts = known::facts(series);
        known::each_sample(samples, |sample| {
            let (value, at_ms, start_ms) = read_sample(sample)?;
            reading.float(&facts, at_ms, start_ms, value)
        })
    }

    /// Makes the key of a series that is as senders write it, and answers its samples.
    fn make_key<'s>(&mut self, series: &'s [u8], symbols: &Symbols<'a>) -> Option<&'s [u8]> {
        self.key.clear();
        self.has_new_text = false;
        let mut reader = Reader(series);
        let (1, Value::Bytes(packed)) = reader.field().ok()?? else {
            return None;
        };
        let mut references = Reader(packed);
        while !references.0.is_empty() {
            let reference = references.varint().ok()?;
            let number = self.number(reference, symbols)?;
            self.add(number);
        }
        let samples = reader.0;
        let mut metadata = Metadata::default();
        let mut end = 0;
        while let Some((number, field)) = reader.field().ok()? {
            match number {
                2 => end = samples.len() - reader.0.len(),
                // The last field, so that the samples are all before it.
                5 if reader.0.is_empty() => metadata = read_metadata(field.bytes().ok()?).ok()?,
                _ => return None,
            }
        }
        for reference in [metadata.unit, metadata.help] {
            let number = self.described(reference, symbols)?;
            self.add(number);
        }
        self.key.extend(kind_byte(metadata));
        samples.get(..end).filter(|samples| !samples.is_empty())
    }

    /// Adds the number of a text to the key.
    fn add(&mut self, number: u32) {
        self.has_new_text |= number == NO_NUMBER;
        self.key.extend_from_slice(&number.to_le_bytes());
    }

    /// The number of a unit or a help text.
    #[inline]
    fn described(&mut self, reference: u32, symbols: &Symbols<'a>) -> Option<u32> {
        match reference {
            // It says nothing, whatever the first symbol is.
            0 => Some(EMPTY_TEXT),
            _ => self.number(u64::from(reference), symbols),
        }
    }

    /// Whether a symbol's text has this number, which is none of those that say something else.
    #[inline]
    fn is_number(&mut self, reference: u64, number: u32, symbols: &Symbols<'a>) -> bool {
        let at = usize::try_from(reference).ok();
        match at.and_then(|at| self.numbers.get(at)) {
            Some(found) if *found == number => true,
            Some(&NOT_ASKED) => self.number(reference, symbols) == Some(number),
            _ => false,
        }
    }

    /// The number of a symbol's text, or [`NO_NUMBER`]; `None` if there is no such symbol.
    #[inline]
    fn number(&mut self, reference: u64, symbols: &Symbols<'a>) -> Option<u32> {
        let at = usize::try_from(reference).ok()?;
        match *self.numbers.get(at)? {
            NOT_ASKED => self.ask(at, symbols),
            number => Some(number),
        }
    }

    #[inline(never)]
    fn ask(&mut self, at: usize, symbols: &Symbols<'a>) -> Option<u32> {
        let text = symbols.0.get(at).copied().flatten();
        let found = text.and_then(|text| self.walk.catalogue.text_number(text));
        let number = found.unwrap_or(NO_NUMBER);
        *self.numbers.get_mut(at)? = number;
        Some(number)
    }
}

/// A type as keys have it.
#[inline]
fn kind_byte(metadata: Metadata) -> Option<u8> {
    u8::try_from(MetricType::from_wire(metadata.kind).wire()).ok()
}

/// The metadata of a series, in which nothing else is left: type, help and unit in this order, as far as they say
/// something.
#[inline]
fn plain_metadata(field: &[u8]) -> Option<Metadata> {
    let content = match field {
        [] => return Some(Metadata::default()),
        [METADATA, length @ ..0x80, content @ ..] if usize::from(*length) == content.len() => {
            content
        }
        _ => return None,
    };
    let mut reader = Reader(content);
    let metadata = Metadata {
        kind: reader.reference_of(KIND)?,
        help: reader.reference_of(HELP)?,
        unit: reader.reference_of(UNIT)?,
    };
    reader.0.is_empty().then_some(metadata)
}
