//! Bodies of objects that were seen before but for their times and values: compared, not parsed.
//!
//! Each object is compared with the one that a catalogue expects next: the bytes before, between and behind its two
//! numbers. What differs is scanned for its numbers and looked for by the bytes around them; what is not known is
//! read by itself. Anything odd, and the whole body is read as if there were no catalogue.

use model::{FIRST_KNOWN, Refusal, Sample, Value};
use serde::de::DeserializeSeed as _;

use super::any::{Any, Parser};
use super::body::Reading;
use super::element::{Element, Origin, ReadElement};
use super::plain::Plain;
use super::scan;
use crate::Decoded;
use crate::catalogue::{Form, Parts, Unknown, Walk};
use crate::decimal;
use crate::refusing::too_many;

/// Reads a body; `None` when it must be read in another way.
pub(super) fn read<'de>(
    body: &'de str,
    max_samples: usize,
    walk: Walk<'de, '_>,
) -> Option<Result<Decoded<'de>, Refusal>> {
    let mut cursor = Cursor {
        body,
        at: scan::begin(body.as_bytes())?,
        walk,
        plain: Plain::default(),
        has_turned: false,
    };
    let mut reading = Reading::with_catalogue(body, max_samples);
    loop {
        let read = cursor
            .expected(&mut reading)
            .or_else(|| cursor.other(&mut reading));
        if read.is_none() {
            return reading.is_too_much().then(|| Err(too_many(max_samples)));
        }
        if scan::separator(body.as_bytes(), &mut cursor.at)? == b']' {
            break;
        }
    }
    if !scan::is_end(body.as_bytes(), cursor.at) {
        return None;
    }
    let mut decoded = reading.into_decoded();
    decoded.unknown = cursor.walk.end(decoded.objects);
    Some(Ok(decoded))
}

struct Cursor<'de, 'c> {
    body: &'de str,
    at: usize,
    walk: Walk<'de, 'c>,
    plain: Plain<'de>,
    /// Whether an object was not the one that is expected.
    has_turned: bool,
}

impl<'de> Cursor<'de, '_> {
    /// Takes the object that is expected here, if it is the one.
    #[inline]
    fn expected(&mut self, reading: &mut Reading<'de>) -> Option<()> {
        let (series, form, parts) = self.walk.expected_parts()?;
        let bytes = self.body.as_bytes().get(self.at..)?;
        let (at_ms, value, rest) = compare(bytes, form, parts)?;
        self.take(reading, series, at_ms, value)?;
        self.at = self.body.len() - rest.len();
        Some(())
    }

    /// Adds a sample of a known series.
    #[inline]
    fn take(
        &mut self,
        reading: &mut Reading<'de>,
        series: u32,
        at_ms: i64,
        value: f64,
    ) -> Option<()> {
        let index = reading.count_object()?;
        self.walk.found(series);
        reading.push(Sample {
            index,
            series: FIRST_KNOWN + series,
            at_ms,
            start_ms: 0,
            // So that all parsers agree, 0 has no sign.
            value: Value::Float(value + 0.0),
        })
    }

    /// Takes whatever object is here.
    fn other(&mut self, reading: &mut Reading<'de>) -> Option<()> {
        // In most bodies it is the first one alone, which is known: that is found out without taking note of anything.
        if !std::mem::replace(&mut self.has_turned, true) {
            return self.scanned(reading, Self::read);
        }
        let batch = reading.batch_mut();
        let Some(object) = self.plain.object(self.body, self.at, batch) else {
            return self.scanned(reading, Self::parse);
        };
        let (time, value) = (object.time_at.clone(), object.value_at.clone());
        let (form, parts) = parts(self.body.as_bytes(), self.at..object.end, time, value)?;
        if let Some(series) = self.walk.catalogue.find(form, whole(parts)) {
            reading.batch_mut().drop_labels(object.from);
            self.walk.turn_to(series);
            self.take(reading, series, object.at_ms, object.value)?;
        } else {
            let series = object.push(reading)?;
            self.miss(Some(series), Some((form, parts)));
        }
        self.at = object.end;
        Some(())
    }

    /// Takes an object of which only the place of its numbers is looked at, unless it is not known: `read` reads one up to
    /// its end and answers its series, if it is one sample of one.
    fn scanned(
        &mut self,
        reading: &mut Reading<'de>,
        read: fn(&mut Self, usize, &mut Reading<'de>) -> Option<Option<u32>>,
    ) -> Option<()> {
        let bytes = self.body.as_bytes();
        let scanned = scan::object(bytes, self.at)?;
        let parts = scanned
            .numbers
            .and_then(|(time, value)| parts(bytes, self.at..scanned.end, time, value));
        let known = parts.and_then(|(form, parts)| self.walk.catalogue.find(form, whole(parts)));
        if let (Some((form, parts)), Some(series)) = (parts, known) {
            self.walk.turn_to(series);
            let object = bytes.get(self.at..scanned.end)?;
            if let Some((at_ms, value, [])) = compare(object, form, parts) {
                self.take(reading, series, at_ms, value)?;
                self.at = scanned.end;
                return Some(());
            }
        }
        let series = read(self, scanned.end, reading)?;
        // It may be known and have numbers that are not plain.
        if known.is_none() {
            self.miss(series, parts);
        }
        self.at = scanned.end;
        Some(())
    }

    fn read(&mut self, end: usize, reading: &mut Reading<'de>) -> Option<Option<u32>> {
        let batch = reading.batch_mut();
        match self.plain.object(self.body, self.at, batch) {
            Some(object) => object.push(reading).map(Some),
            None => self.parse(end, reading),
        }
    }

    fn parse(&mut self, end: usize, reading: &mut Reading<'de>) -> Option<Option<u32>> {
        parse(self.body.get(self.at..end)?, reading)
    }

    /// Notes that a series of the batch is not known, and what may be learned of it.
    fn miss(&mut self, series: Option<u32>, parts: Option<(Form, [&'de [u8]; 3])>) {
        let unknown = series.zip(parts).map(|(series, (form, parts))| Unknown {
            series,
            form,
            parts: whole(parts),
        });
        self.walk.miss(unknown);
    }
}

/// As many parts as a series may have.
const fn whole<'p>([before, between, behind]: [&'p [u8]; 3]) -> Parts<'p> {
    [before, between, behind, &[]]
}

/// Time, value and what is behind an object with these parts.
#[inline]
fn compare<'b>(
    bytes: &'b [u8],
    form: Form,
    [before, between, behind]: [&[u8]; 3],
) -> Option<(i64, f64, &'b [u8])> {
    let rest = bytes.strip_prefix(before)?;
    let (at_ms, value, rest) = match form {
        Form::JsonTimeFirst => {
            let (at_ms, rest) = decimal::integer(rest)?;
            let (value, rest) = decimal::number(rest.strip_prefix(between)?)?;
            (at_ms, value, rest)
        }
        Form::JsonValueFirst => {
            let (value, rest) = decimal::number(rest)?;
            let (at_ms, rest) = decimal::integer(rest.strip_prefix(between)?)?;
            (at_ms, value, rest)
        }
        _ => return None,
    };
    Some((at_ms, value, rest.strip_prefix(behind)?))
}

/// The bytes around the numbers of an object.
fn parts(
    bytes: &[u8],
    object: std::ops::Range<usize>,
    time: std::ops::Range<usize>,
    value: std::ops::Range<usize>,
) -> Option<(Form, [&[u8]; 3])> {
    let (form, first, second) = if time.start < value.start {
        (Form::JsonTimeFirst, time, value)
    } else {
        (Form::JsonValueFirst, value, time)
    };
    let before = bytes.get(object.start..first.start)?;
    let between = bytes.get(first.end..second.start)?;
    let behind = bytes.get(second.end..object.end)?;
    Some((form, [before, between, behind]))
}

/// Parses one object. Within is the number of its series, if it became one sample of one series.
pub(super) fn parse<'de>(object: &'de str, reading: &mut Reading<'de>) -> Option<Option<u32>> {
    let from = reading.open_labels();
    let mut element = Element::new(Origin::Push);
    let mut deserializer = sonic_rs::Deserializer::from_str(object);
    let parsed = Any {
        parser: Parser::Sonic,
        handler: ReadElement {
            element: &mut element,
            batch: reading.batch_mut(),
        },
    }
    .deserialize(&mut deserializer);
    parsed.and_then(|()| deserializer.end()).ok()?;
    let index = reading.count_object()?;
    let before = reading.samples().len();
    reading.finish(element, index, from)?;
    match reading.samples().get(before..)? {
        [sample] if matches!(sample.value, Value::Float(_)) => Some(Some(sample.series)),
        _ => Some(None),
    }
}
