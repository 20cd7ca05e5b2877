//! One line: its fields in any order, and the samples that they become.

use std::borrow::Cow;

use model::{Batch, Code, Refusal, head};
use serde::de::{MapAccess, SeqAccess};

use crate::json::any::{Any, Found, Handle, Ignored as Skip, Parser, Plain, Text};
use crate::json::objects::Objects;
use crate::refusing::{TOLD, refuse, too_many};
use crate::{Decoded, Ignored};

/// What an element of `values` or `timestamps` is that has no number; by its position.
type Oddity = (usize, Option<Refusal>);

/// The lines read so far, and the one that is being read.
pub(super) struct Lines<'de> {
    decoded: Decoded<'de>,
    max_samples: usize,
    /// Where the open line's labels start.
    from: usize,
    name: Option<Cow<'de, str>>,
    values: Vec<f64>,
    times: Vec<i64>,
    /// Values that are absent (`None`) or bad, and times that are bad, in their order.
    odd_values: Vec<Oddity>,
    odd_times: Vec<Oddity>,
    problem: Option<Refusal>,
    /// How many oddities have a sentence; the others' would not be told.
    told: usize,
}

impl<'de> Lines<'de> {
    pub(super) fn new(max_samples: usize) -> Self {
        Self {
            decoded: Decoded::default(),
            max_samples,
            from: 0,
            name: None,
            values: Vec::new(),
            times: Vec::new(),
            odd_values: Vec::new(),
            odd_times: Vec::new(),
            problem: None,
            told: 0,
        }
    }

    /// A refusal of one sample.
    fn oddity(&mut self, code: Code, message: impl FnOnce() -> String) -> Option<Refusal> {
        self.told += 1;
        let is_told = self.told <= TOLD;
        Some(Refusal::new(
            code,
            if is_told { message() } else { String::new() },
        ))
    }

    pub(super) fn objects(&self) -> u32 {
        self.decoded.objects
    }

    pub(super) fn into_decoded(self) -> Decoded<'de> {
        self.decoded
    }

    /// Adds what was read of a text that does not last.
    pub(super) fn append(&mut self, other: &Decoded<'_>) -> Result<(), Refusal> {
        let offset = self.decoded.objects;
        let after = offset.checked_add(other.objects);
        let after = after.filter(|after| *after as usize <= self.max_samples);
        self.decoded.objects = after.ok_or_else(|| too_many(self.max_samples))?;
        let batch = &mut self.decoded.batch;
        batch.drop_labels(self.from);
        let mut first = None;
        for series in other.batch.all_series() {
            let from = batch.open_labels();
            for label in other.batch.labels(series) {
                batch.push_label(
                    label.name.clone().into_owned(),
                    label.value.clone().into_owned(),
                );
            }
            let number = batch.close_series(series.name.clone().into_owned(), from);
            first.get_or_insert(number);
        }
        for sample in other.batch.samples() {
            batch.push(model::Sample {
                index: sample.index + offset,
                series: sample.series + first.unwrap_or_default(),
                ..*sample
            });
        }
        for refused in &other.refused {
            let index = refused.index + offset;
            refuse(
                &mut self.decoded.refused,
                index,
                &refused.metric_name,
                &refused.refusal,
            );
        }
        for (what, count) in &other.ignored {
            self.decoded.ignore(*what, *count);
        }
        self.clear();
        Ok(())
    }

    /// Room for as many samples as there may still be.
    pub(super) fn sibling<'other>(&self) -> Lines<'other> {
        let objects = self.decoded.objects as usize;
        Lines::new(self.max_samples.saturating_sub(objects))
    }

    /// Refuses all samples of the line as far as they are known, and one where none are.
    pub(super) fn refuse_line(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        self.decoded.batch.drop_labels(self.from);
        let count = self.values.len().max(self.times.len()).max(1);
        let name = self.name.take().unwrap_or_default();
        for _ in 0..count {
            let index = self.next_object()?;
            refuse(&mut self.decoded.refused, index, &name, &refusal);
        }
        self.clear();
        Ok(())
    }

    fn clear(&mut self) {
        self.name = None;
        self.values.clear();
        self.times.clear();
        self.odd_values.clear();
        self.odd_times.clear();
        self.problem = None;
        self.from = self.decoded.batch.open_labels();
    }

    fn next_object(&mut self) -> Result<u32, Refusal> {
        let index = self.decoded.objects;
        if index as usize >= self.max_samples {
            return Err(too_many(self.max_samples));
        }
        self.decoded.objects += 1;
        Ok(index)
    }

    fn check(&mut self) -> Result<(), Refusal> {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        let (values, times) = (self.values.len(), self.times.len());
        if values != times {
            let message = format!("values has {values} elements, but timestamps has {times}");
            return Err(Refusal::new(Code::SampleInvalid, message));
        }
        if values == 0 {
            let message = "values and timestamps are missing or empty";
            return Err(Refusal::new(Code::ValueMissing, message));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refusal> {
        if self.odd_values.len() == self.values.len()
            && self.odd_times.is_empty()
            && self.odd_values.iter().all(|(_, refusal)| refusal.is_none())
        {
            // No sample needs the series.
            self.decoded.batch.drop_labels(self.from);
            let count = self.values.len() as u64;
            self.decoded.ignore(Ignored::NoValue, count);
            return Ok(());
        }
        let name = self.name.take().unwrap_or_default();
        // Without any oddity there is no need to keep the name.
        let is_plain = self.odd_values.is_empty() && self.odd_times.is_empty();
        let shown = if is_plain {
            String::new()
        } else {
            name.clone().into_owned()
        };
        let series = self.decoded.batch.close_series(name, self.from);
        if is_plain {
            return self.push_all(series);
        }
        let mut odd_values = std::mem::take(&mut self.odd_values).into_iter().peekable();
        let mut odd_times = std::mem::take(&mut self.odd_times).into_iter().peekable();
        for at in 0..self.values.len() {
            let value = odd_values.next_if(|(odd, _)| *odd == at);
            let time = odd_times.next_if(|(odd, _)| *odd == at);
            let refusal = match (time, value) {
                (Some((_, Some(refusal))), _) | (_, Some((_, Some(refusal)))) => refusal,
                (_, Some((_, None))) => {
                    self.decoded.ignore(Ignored::NoValue, 1);
                    continue;
                }
                (Some((_, None)) | None, None) => {
                    let (value, at_ms) = (self.values.get(at), self.times.get(at));
                    let (Some(&value), Some(&at_ms)) = (value, at_ms) else {
                        continue;
                    };
                    let index = self.next_object()?;
                    self.decoded.batch.push_float(index, series, at_ms, value);
                    continue;
                }
            };
            let index = self.next_object()?;
            refuse(&mut self.decoded.refused, index, &shown, &refusal);
        }
        Ok(())
    }

    fn push_all(&mut self, series: u32) -> Result<(), Refusal> {
        let first = self.decoded.objects;
        let count = u32::try_from(self.values.len()).ok();
        let after = count.and_then(|count| first.checked_add(count));
        let after = after.filter(|after| *after as usize <= self.max_samples);
        self.decoded.objects = after.ok_or_else(|| too_many(self.max_samples))?;
        let batch: &mut Batch<'_> = &mut self.decoded.batch;
        for (index, (&at_ms, &value)) in (first..).zip(self.times.iter().zip(&self.values)) {
            batch.push_float(index, series, at_ms, value);
        }
        Ok(())
    }
}

impl<'de> Objects<'de> for Lines<'de> {
    fn begin(&mut self) {
        self.decoded.batch.drop_labels(self.from);
        self.clear();
    }

    fn field<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        parser: Parser,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "metric" => {
                self.decoded.batch.drop_labels(self.from);
                map.next_value_seed(Any {
                    parser,
                    handler: Metric(self),
                })
            }
            "values" => {
                self.values.clear();
                self.odd_values.clear();
                map.next_value_seed(Any {
                    parser,
                    handler: Numbers {
                        field: "values",
                        push: push_value,
                        lines: self,
                    },
                })
            }
            "timestamps" => {
                self.times.clear();
                self.odd_times.clear();
                map.next_value_seed(Any {
                    parser,
                    handler: Numbers {
                        field: "timestamps",
                        push: push_time,
                        lines: self,
                    },
                })
            }
            _ => map.next_value_seed(Skip::new(parser)),
        }
    }

    fn refuse(&mut self, code: Code, message: impl FnOnce() -> String) {
        if self.problem.is_none() {
            self.problem = Some(Refusal::new(code, message()));
        }
    }

    fn end(&mut self) -> Result<(), Refusal> {
        match self.check() {
            Ok(()) => {}
            Err(refusal) if refusal.code == Code::TooManySamples => return Err(refusal),
            Err(refusal) => return self.refuse_line(refusal),
        }
        self.close()?;
        self.clear();
        Ok(())
    }
}

/// Reads the labels, the name among them.
struct Metric<'s, 'de>(&'s mut Lines<'de>);

impl<'de> Handle<'de> for Metric<'_, 'de> {
    type Out = ();

    fn other(self, found: Found<'de>) {
        self.0.refuse(Code::LabelsInvalid, || {
            format!("metric is {found}, not an object of strings")
        });
    }

    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<(), A::Error> {
        let lines = self.0;
        while let Some(name) = map.next_key_seed(Text)? {
            let handler = Plain;
            match map.next_value_seed(Any { parser, handler })? {
                Found::Text(value) if name == model::NAME_LABEL => lines.name = Some(value),
                Found::Text(value) => lines.decoded.batch.push_label(name, value),
                // No value, no label.
                Found::Null => {}
                found => lines.refuse(Code::LabelsInvalid, || {
                    format!("label {:?} is {found}, not a string", head(&name))
                }),
            }
        }
        Ok(())
    }
}

/// Reads an array of numbers.
struct Numbers<'s, 'de> {
    field: &'static str,
    push: fn(&mut Lines<'de>, Found<'de>),
    lines: &'s mut Lines<'de>,
}

impl<'de> Handle<'de> for Numbers<'_, 'de> {
    type Out = ();

    fn other(self, found: Found<'de>) {
        let field = self.field;
        self.lines.refuse(Code::SampleInvalid, || {
            format!("{field} is {found}, not an array")
        });
    }

    #[inline]
    fn seq<A: SeqAccess<'de>>(self, parser: Parser, mut seq: A) -> Result<(), A::Error> {
        let handler = || Any {
            parser,
            handler: Plain,
        };
        while let Some(found) = seq.next_element_seed(handler())? {
            (self.push)(self.lines, found);
            if self.lines.values.len().max(self.lines.times.len()) > self.lines.max_samples {
                self.lines.problem = None;
                let most = self.lines.max_samples;
                self.lines.refuse(Code::TooManySamples, || {
                    format!("the line has more than {most} samples; send it in parts")
                });
                while seq.next_element_seed(Skip::new(parser))?.is_some() {}
                return Ok(());
            }
        }
        Ok(())
    }
}

#[inline]
fn push_value<'de>(lines: &mut Lines<'de>, found: Found<'de>) {
    let at = lines.values.len();
    let value = match found.number() {
        // sonic-rs reads -0 as 0; so that both parsers agree, 0 has no sign here.
        Some(number) => number + 0.0,
        None => match special(&found) {
            Special::Number(number) => number,
            Special::Absent => {
                lines.odd_values.push((at, None));
                0.0
            }
            Special::Bad => {
                let oddity = lines.oddity(Code::ValueInvalid, || {
                    format!("values[{at}] is {found}, not a number")
                });
                lines.odd_values.push((at, oddity));
                0.0
            }
        },
    };
    lines.values.push(value);
}

#[inline]
fn push_time<'de>(lines: &mut Lines<'de>, found: Found<'de>) {
    let at = lines.times.len();
    let at_ms = match found {
        Found::Int(at_ms) => Some(at_ms),
        Found::Uint(at_ms) => i64::try_from(at_ms).ok(),
        Found::Float(at_ms) if at_ms.fract() == 0.0 && at_ms.abs() < 9.2e18 => {
            #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
            let at_ms = at_ms as i64;
            Some(at_ms)
        }
        _ => None,
    };
    if at_ms.is_none() {
        let oddity = lines.oddity(Code::TimestampInvalid, || {
            format!("timestamps[{at}] is {found}, not a whole number of Unix milliseconds")
        });
        lines.odd_times.push((at, oddity));
    }
    lines.times.push(at_ms.unwrap_or_default());
}

enum Special {
    Number(f64),
    Absent,
    Bad,
}

/// What the exporter writes for values that JSON has no number for.
fn special(found: &Found<'_>) -> Special {
    let text = match found {
        Found::Null => return Special::Absent,
        Found::Text(text) => text.as_ref(),
        _ => return Special::Bad,
    };
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match rest {
        "infinity" | "Infinity" | "Inf" | "inf" => Special::Number(sign * f64::INFINITY),
        "nan" | "NaN" => Special::Number(f64::NAN),
        "null" | "Null" => Special::Absent,
        _ => Special::Bad,
    }
}
