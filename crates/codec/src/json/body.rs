//! The body around the samples, with either parser.
//!
//! The fast one reads everything in one pass. Whatever it stumbles over is read again by the
//! careful one, which takes each element by itself and so finds out which of them is bad.

use model::{Batch, Refusal, Refused, Sample};
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::Decoded;
use crate::refusing::{refuse, too_many};

use super::any::{Any, Found, Handle, Ignored, Parser, Text};
use super::element::{Element, Origin, ReadElement};
use super::explain::{self, Whole};

/// Labels that any body may become, however short it is.
const LABELS_ALWAYS: usize = 100_000;

/// What has been read so far.
pub(super) struct Reading<'de> {
    batch: Batch<'de>,
    refused: Vec<Refused>,
    objects: usize,
    max_samples: usize,
    max_labels: usize,
    /// Whether `metrics` has come.
    found_metrics: bool,
    /// Whether there is a field that a sample has and a body has not.
    found_sample: bool,
    /// Why the whole body is refused, if it is not its syntax.
    whole: Option<Whole>,
}

impl<'de> Reading<'de> {
    pub(super) fn new(body: &str, max_samples: usize) -> Self {
        let samples = likely_samples(body, max_samples);
        Self::of(Batch::with_capacity(samples, 4), body, max_samples)
    }

    /// Where a catalogue is looked at: what it knows has no labels here.
    pub(super) fn with_catalogue(body: &str, max_samples: usize) -> Self {
        let samples = likely_samples(body, max_samples);
        Self::of(Batch::with_samples(samples), body, max_samples)
    }

    fn of(batch: Batch<'de>, body: &str, max_samples: usize) -> Self {
        Self {
            batch,
            refused: Vec::new(),
            objects: 0,
            max_samples,
            max_labels: body.len().max(LABELS_ALWAYS),
            found_metrics: false,
            found_sample: false,
            whole: None,
        }
    }

    fn stop<T, E: Error>(&mut self, whole: Whole) -> Result<T, E> {
        self.whole = Some(whole);
        Err(E::custom("refused"))
    }

    /// Counts an element; `None` when it is one too many.
    #[inline]
    pub(super) fn count_object(&mut self) -> Option<u32> {
        let index = self.objects;
        self.objects += 1;
        match u32::try_from(index) {
            Ok(index) if self.objects <= self.max_samples => Some(index),
            _ => self.too_many(),
        }
    }

    /// Adds a sample; `None` when it is one too many.
    #[inline]
    pub(super) fn push(&mut self, sample: Sample) -> Option<()> {
        self.batch.push(sample);
        self.within()
    }

    /// Adds what an element has come to, or its refusal; `None` when that is too much.
    pub(super) fn finish(&mut self, element: Element<'de>, index: u32, from: usize) -> Option<()> {
        let room = self.max_labels.saturating_sub(from);
        match element.finish(index, from, room, &mut self.batch) {
            Ok(()) => self.within(),
            Err((metric_name, refusal)) => {
                refuse(&mut self.refused, index, &metric_name, &refusal);
                Some(())
            }
        }
    }

    #[inline]
    fn within(&mut self) -> Option<()> {
        if self.batch.samples().len() > self.max_samples {
            return self.too_many();
        }
        Some(())
    }

    #[cold]
    fn too_many<T>(&mut self) -> Option<T> {
        self.whole = Some(Whole::TooMany);
        None
    }

    /// Whether the body was given up because there is too much in it.
    pub(super) fn is_too_much(&self) -> bool {
        matches!(self.whole, Some(Whole::TooMany))
    }

    pub(super) fn batch_mut(&mut self) -> &mut Batch<'de> {
        &mut self.batch
    }

    pub(super) fn open_labels(&self) -> usize {
        self.batch.open_labels()
    }

    pub(super) fn samples(&self) -> &[Sample] {
        self.batch.samples()
    }

    pub(super) fn into_decoded(self) -> Decoded<'de> {
        Decoded {
            batch: self.batch,
            refused: self.refused,
            // Not more than `max_samples`, and each was counted as a u32.
            objects: u32::try_from(self.objects).unwrap_or(u32::MAX),
            ..Decoded::default()
        }
    }
}

/// Agents send some 200 bytes per sample; a body that is not like that must grow.
fn likely_samples(body: &str, max_samples: usize) -> usize {
    (body.len() / 128).min(max_samples).min(10_000)
}

/// Reads a body in one pass; `None` when anything in it needs a closer look.
pub(super) fn fast(body: &str, max_samples: usize) -> Option<Result<Decoded<'_>, Refusal>> {
    let mut reading = Reading::new(body, max_samples);
    let mut deserializer = sonic_rs::Deserializer::from_str(body);
    let result =
        read(Parser::Sonic, &mut reading, &mut deserializer).and_then(|()| deserializer.end());
    match (result, &reading.whole) {
        (Ok(()), None) if reading.found_metrics => Some(Ok(reading.into_decoded())),
        (_, Some(Whole::TooMany)) => Some(Err(too_many(max_samples))),
        _ => None,
    }
}

/// Reads a body and finds out what is wrong with it.
pub(super) fn careful(body: &str, max_samples: usize) -> Result<Decoded<'_>, Refusal> {
    let mut reading = Reading::new(body, max_samples);
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let result =
        read(Parser::SerdeJson, &mut reading, &mut deserializer).and_then(|()| deserializer.end());
    match (result, reading.whole.take()) {
        (Ok(()), _) if reading.found_metrics => Ok(reading.into_decoded()),
        (Ok(()), _) => Err(explain::no_metrics(reading.found_sample)),
        (Err(_), Some(Whole::TooMany)) => Err(too_many(max_samples)),
        (Err(error), Some(Whole::Shape(what))) => Err(explain::shape(&what, &error)),
        (Err(error), None) => Err(explain::syntax(body, &error)),
    }
}

/// Reads one sample object, as a record has it.
pub(super) fn one(body: &str) -> Result<Batch<'_>, Refusal> {
    let mut batch = Batch::with_capacity(1, 8);
    let mut element = Element::new(Origin::Record);
    let mut deserializer = serde_json::Deserializer::from_str(body);
    Any {
        parser: Parser::SerdeJson,
        handler: ReadElement {
            element: &mut element,
            batch: &mut batch,
        },
    }
    .deserialize(&mut deserializer)
    .and_then(|()| deserializer.end())
    .map_err(|error| explain::syntax(body, &error))?;
    // A gateway writes ten bytes or more for a bucket of a series with as many labels as it lets in, and a record
    // is far smaller than a body may be.
    let room = body.len().saturating_mul(8).max(LABELS_ALWAYS);
    element
        .finish(0, 0, room, &mut batch)
        .map_err(|(_, refusal)| refusal)?;
    Ok(batch)
}

fn read<'de, D: serde::Deserializer<'de>>(
    parser: Parser,
    reading: &mut Reading<'de>,
    deserializer: D,
) -> Result<(), D::Error> {
    let handler = ReadBody(reading);
    match (Any { parser, handler }).deserialize(deserializer)? {
        None => Ok(()),
        Some(found) => reading.stop(Whole::Shape(if found == Found::Array {
            "the body is an array; send it as {\"metrics\": […]}".to_owned()
        } else {
            format!("the body is {found}, not an object with metrics")
        })),
    }
}

/// Answers what the body is if it is no object.
struct ReadBody<'s, 'de>(&'s mut Reading<'de>);

impl<'de> Handle<'de> for ReadBody<'_, 'de> {
    type Out = Option<Found<'de>>;

    fn other(self, found: Found<'de>) -> Self::Out {
        Some(found)
    }

    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<Self::Out, A::Error> {
        let reading = self.0;
        while let Some(key) = map.next_key_seed(Text)? {
            if key != "metrics" {
                reading.found_sample |= key == "metric_name";
                map.next_value_seed(Ignored::new(parser))?;
                continue;
            }
            if reading.found_metrics {
                return reading.stop(Whole::Shape("metrics appears twice".to_owned()));
            }
            reading.found_metrics = true;
            let handler = ReadMetrics(reading);
            if let Some(found) = map.next_value_seed(Any { parser, handler })? {
                let what = format!("metrics is {found}, not an array of samples");
                return reading.stop(Whole::Shape(what));
            }
        }
        Ok(None)
    }
}

/// Answers what `metrics` is if it is no array.
struct ReadMetrics<'s, 'de>(&'s mut Reading<'de>);

impl<'de> Handle<'de> for ReadMetrics<'_, 'de> {
    type Out = Option<Found<'de>>;

    fn other(self, found: Found<'de>) -> Self::Out {
        Some(found)
    }

    fn seq<A: SeqAccess<'de>>(self, parser: Parser, mut seq: A) -> Result<Self::Out, A::Error> {
        let reading = self.0;
        loop {
            let from = reading.batch.open_labels();
            let mut element = Element::new(Origin::Push);
            match parser {
                Parser::Sonic => {
                    let handler = ReadElement {
                        element: &mut element,
                        batch: &mut reading.batch,
                    };
                    if seq.next_element_seed(Any { parser, handler })?.is_none() {
                        return Ok(None);
                    }
                }
                Parser::SerdeJson => {
                    let Some(raw) = seq.next_element::<&RawValue>()? else {
                        return Ok(None);
                    };
                    read_raw(raw, &mut element, &mut reading.batch);
                }
            }
            let finished = reading
                .count_object()
                .and_then(|index| reading.finish(element, index, from));
            finished.ok_or_else(|| A::Error::custom("refused"))?;
        }
    }
}

/// Reads an element by itself, so that what the parser cannot read of it is its own fault alone.
fn read_raw<'de>(raw: &'de RawValue, element: &mut Element<'de>, batch: &mut Batch<'de>) {
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let result = Any {
        parser: Parser::SerdeJson,
        handler: ReadElement { element, batch },
    }
    .deserialize(&mut deserializer);
    if let Err(error) = result {
        element.refuse_syntax(&explain::without_position(&error));
    }
}
