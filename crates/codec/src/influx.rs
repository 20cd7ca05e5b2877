//! InfluxDB's line protocol: a line is one object, each of its numeric fields one sample.
//!
//! Measurement and field make the metric name, tags the labels, which all fields of a line share. The grammar is
//! that of InfluxDB 1.8 where versions differ: a backslash escapes the byte after it and nothing else, an empty tag
//! is an error, a line feed ends a line unless it stands within a quoted field. A bad line costs only itself.

mod known;
mod line;
mod time;
mod value;

use std::borrow::Cow;

use hashbrown::HashMap;
use model::{Batch, Code, Refusal, head};

use crate::catalogue::Trail;
use crate::refusing::refuse;
use crate::{Decoded, Ignored};
use known::Known;
use line::{Parser, Point};
pub use time::Precision;
use value::Value;

/// The field whose metric is named like the measurement alone.
const VALUE: &str = "value";

/// Bytes of metric names that any body may become, however short it is.
const NAMES_ALWAYS: usize = 16 << 20;

/// A line of more fields than this looks for repeated ones in a table.
const FEW_FIELDS: usize = 32;

/// What becomes of fields whose value is text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strings {
    /// They are passed over, and counted.
    #[default]
    Skip,
    /// Their line is refused.
    Refuse,
}

/// What becomes of fields whose value is true or false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Booleans {
    /// They are 1 or 0.
    #[default]
    Number,
    /// They are passed over, and counted.
    Skip,
}

/// How bodies are read.
#[derive(Debug, Clone, Copy)]
pub struct Options<'o> {
    /// The unit of the timestamps.
    pub precision: Precision,
    /// The time of lines that say none, in Unix milliseconds.
    pub now_ms: i64,
    /// Stands between measurement and field in a metric name.
    pub separator: &'o str,
    /// Fields of text.
    pub strings: Strings,
    /// Fields that are true or false.
    pub booleans: Booleans,
    /// A label, by name and value, of every series that has no tag of that name.
    pub label: Option<(&'o str, &'o str)>,
    /// Lines and samples that a body may have.
    pub max_samples: usize,
    /// Bytes of a metric name. Names are made here, so that no body makes endless ones.
    pub max_metric_name_bytes: usize,
}

/// Decodes a body. [`model::Sample::index`] and the index of a refusal are the line's number from 0.
///
/// # Errors
/// When the body has too many lines or samples; bad lines are in [`Decoded::refused`].
pub fn decode<'a>(body: &'a [u8], options: &Options<'a>) -> Result<Decoded<'a>, Refusal> {
    read(body, options, None)
}

/// Like [`decode`], where series that a catalogue knows are found in it instead of read, and the others are told:
/// see [`Decoded::unknown`]. A catalogue is for bodies with the same separator and the same name of the label.
///
/// # Errors
/// Those of [`decode`], and the same ones.
pub fn decode_with<'a, 'c>(
    body: &'a [u8],
    options: &Options<'a>,
    trail: impl Into<Trail<'c>>,
) -> Result<Decoded<'a>, Refusal> {
    let trail = trail.into();
    let known = Known::along(trail, options);
    let is_known = known.is_some();
    let decoded = read(body, options, known)?;
    if !is_known {
        trail
            .catalogue()
            .count(0, decoded.batch.samples().len() as u64);
    }
    Ok(decoded)
}

fn read<'a>(
    body: &'a [u8],
    options: &Options<'a>,
    mut known: Option<Known<'a, '_>>,
) -> Result<Decoded<'a>, Refusal> {
    // A line with a sample is seldom shorter; room for more comes when it is needed.
    let lines = (body.len() / 64).min(options.max_samples);
    let batch = match &known {
        // What is known has no labels in the batch.
        Some(_) => Batch::with_samples(lines),
        None => Batch::with_capacity(lines, 4),
    };
    let mut decoder = Decoder {
        options,
        decoded: Decoded {
            batch,
            ..Decoded::default()
        },
        samples: 0,
        name_room: body.len().saturating_mul(8).max(NAMES_ALWAYS),
        texts: 0,
        booleans: 0,
    };
    let mut parser = Parser::new(body, options.max_samples);
    let mut point = Point::default();
    while let Some(number) = parser.next_line() {
        if decoder.decoded.objects as usize >= options.max_samples {
            return Err(decoder.too_many("lines"));
        }
        decoder.decoded.objects += 1;
        let line = parser.rest();
        if let Some(known) = &mut known
            && let Some(read) = decoder.take_known(number, line, known)
        {
            parser.end_line_at(read);
            continue;
        }
        let from = decoder.decoded.batch.open_labels();
        let before = decoder.decoded.batch.samples().len();
        let parsed = parser.point(&mut decoder.decoded.batch, &mut point);
        if let Err(refusal) = parsed.and_then(|()| decoder.store(number, from, &mut point)) {
            if refusal.code == Code::TooManySamples {
                return Err(refusal);
            }
            decoder.refuse(number, from, &refusal);
        } else if let Some(known) = &mut known {
            let samples = decoder.decoded.batch.samples().get(before..);
            known.note(line, samples.unwrap_or_default());
        }
        parser.end_line();
    }
    let Decoder {
        mut decoded,
        samples,
        texts,
        booleans,
        ..
    } = decoder;
    decoded.ignore(Ignored::Text, texts);
    decoded.ignore(Ignored::Boolean, booleans);
    if let Some(known) = known {
        decoded.unknown = known.end(samples);
    }
    Ok(decoded)
}

struct Decoder<'a, 'o> {
    options: &'o Options<'a>,
    decoded: Decoded<'a>,
    samples: usize,
    /// Bytes of metric names that may still be made.
    name_room: usize,
    texts: u64,
    booleans: u64,
}

impl<'a> Decoder<'a, '_> {
    /// Takes a line whose series are all known, and answers how many bytes it has; or takes nothing.
    #[inline]
    fn take_known(&mut self, number: u32, line: &[u8], known: &mut Known<'a, '_>) -> Option<usize> {
        let read = known.read(line)?;
        let at_ms = match read.timestamp {
            Some(raw) => {
                let at_ms = self.options.precision.at_ms(raw, self.options.now_ms);
                at_ms.ok()?
            }
            None => self.options.now_ms,
        };
        let samples = self.samples + known.fields().len();
        // Whatever is too much is told by who reads the line.
        let name_room = self.name_room.checked_sub(read.name_bytes)?;
        if samples > self.options.max_samples {
            return None;
        }
        (self.samples, self.name_room) = (samples, name_room);
        let batch = &mut self.decoded.batch;
        known.take(|series, value| batch.push_float(number, series, at_ms, value));
        Some(read.bytes)
    }

    /// Makes samples of a line's fields; its labels are those of the batch since `from`.
    fn store(&mut self, number: u32, from: usize, point: &mut Point<'a>) -> Result<(), Refusal> {
        let at_ms = match point.timestamp {
            Some(raw) => self.options.precision.at_ms(raw, self.options.now_ms)?,
            None => self.options.now_ms,
        };
        let mut skipped = (0, 0);
        let mut refused = None;
        point.fields.retain(|(key, value)| match value {
            Value::Number(_) => true,
            Value::Boolean(_) => {
                skipped.1 += u64::from(self.options.booleans == Booleans::Skip);
                self.options.booleans == Booleans::Number
            }
            Value::Text => {
                skipped.0 += 1;
                if self.options.strings == Strings::Refuse && refused.is_none() {
                    refused = Some(key.clone());
                }
                false
            }
        });
        if let Some(key) = refused {
            let message = format!(
                "field {:?} is text, and influx.strings: refuse takes numbers and booleans only",
                head(&key)
            );
            return Err(Refusal::new(Code::ValueInvalid, message));
        }
        keep_last(&mut point.fields);
        self.samples += point.fields.len();
        if self.samples > self.options.max_samples {
            return Err(self.too_many("samples"));
        }
        let mut name_bytes = 0;
        for (key, _) in &point.fields {
            name_bytes += self.check_name(&point.measurement, key)?;
        }
        self.name_room = self.name_room.checked_sub(name_bytes).ok_or_else(|| {
            let message = "the metric names of all fields are more than a body of this size may become; \
                           send several smaller ones";
            Refusal::new(Code::TooManySamples, message)
        })?;
        let batch = &mut self.decoded.batch;
        if let Some((name, value)) = self.options.label
            && batch.labels_since(from).iter().all(|tag| tag.name != name)
        {
            batch.push_label(name, value);
        }
        for (key, value) in point.fields.drain(..) {
            let Some(value) = value.number() else {
                continue;
            };
            let name = if key == VALUE {
                point.measurement.clone()
            } else {
                joined(&point.measurement, self.options.separator, &key)
            };
            // All fields of a line have the same labels, stored once.
            let series = batch.close_series(name, from);
            batch.push_float(number, series, at_ms, value);
        }
        self.texts += skipped.0;
        self.booleans += skipped.1;
        Ok(())
    }

    /// Checks the name that will be made, and answers its length.
    fn check_name(&self, measurement: &str, key: &str) -> Result<usize, Refusal> {
        if key == VALUE {
            return Ok(0);
        }
        let limit = self.options.max_metric_name_bytes;
        let bytes = measurement.len() + self.options.separator.len() + key.len();
        if bytes <= limit {
            return Ok(bytes);
        }
        let message = format!(
            "the metric name of measurement {:?} and field {:?} has {bytes} bytes, the limit is {limit}",
            head(measurement),
            head(key)
        );
        Err(Refusal::new(Code::MetricNameTooLong, message))
    }

    fn refuse(&mut self, number: u32, from: usize, refusal: &Refusal) {
        self.decoded.batch.drop_labels(from);
        refuse(&mut self.decoded.refused, number, "", refusal);
    }

    fn too_many(&self, what: &str) -> Refusal {
        let message = format!(
            "the body has more than {} {what}, the limit; send several smaller ones",
            self.options.max_samples
        );
        Refusal::new(Code::TooManySamples, message)
    }
}

/// Of fields with one key the last counts, as in InfluxDB.
fn keep_last(fields: &mut Vec<(Cow<'_, str>, Value)>) {
    if fields.len() <= FEW_FIELDS {
        let mut at = 0;
        while let Some((key, _)) = fields.get(at) {
            let mut later = fields.iter().skip(at + 1);
            if later.any(|(other, _)| other == key) {
                fields.remove(at);
            } else {
                at += 1;
            }
        }
        return;
    }
    let mut last: HashMap<Cow<'_, str>, usize, foldhash::fast::RandomState> = HashMap::default();
    for (at, (key, _)) in fields.iter().enumerate() {
        last.insert(key.clone(), at);
    }
    if last.len() < fields.len() {
        let mut at = 0;
        fields.retain(|(key, _)| {
            at += 1;
            last.get(key) == Some(&(at - 1))
        });
    }
}

fn joined<'a>(measurement: &str, separator: &str, key: &str) -> Cow<'a, str> {
    let mut name = String::with_capacity(measurement.len() + separator.len() + key.len());
    name.push_str(measurement);
    name.push_str(separator);
    name.push_str(key);
    Cow::Owned(name)
}

#[cfg(test)]
mod tests;
