//! `OpenTSDB`'s `/api/put`: a data point, or an array of them.
//!
//! `{"metric":"sys.cpu.nice","timestamp":1346846400,"value":18,"tags":{"host":"web01"}}`. Timestamps are seconds, or
//! milliseconds from 2^32 on; timestamps and values may be strings. As in `VictoriaMetrics` there need not be
//! tags, and as with `OpenTSDB`'s own parser a tag's value may be a number.

use std::borrow::Cow;

use model::{Code, Refusal, head};
use serde::de::MapAccess;

use crate::Decoded;
use crate::json::any::{Any, Found, Handle, Ignored as Skip, Parser, Plain, Text};
use crate::json::objects::{self, Objects, Place};
use crate::refusing::{refuse, too_many};

/// From here on a timestamp is in milliseconds, by `OpenTSDB`'s rule: it has more than 32 bits.
const FIRST_MS: i64 = 1 << 32;

/// Decodes a body. An object of the result is a data point.
///
/// # Errors
/// When the body is no JSON object or array (`BodyInvalid`), or has more than `max_samples` points.
pub fn decode(body: &[u8], max_samples: usize) -> Result<Decoded<'_>, Refusal> {
    let text = objects::text(body)?;
    let points = objects::read(text, Place::AloneOrArray, || Points::new(max_samples))?;
    Ok(points.decoded)
}

/// The data points as they stand in a body, by position: for an answer that repeats some of them.
#[must_use]
pub fn raw_points<'a>(body: &'a [u8], wanted: &[u32]) -> Vec<&'a str> {
    use serde_json::value::RawValue;
    let Ok(text) = objects::text(body) else {
        return Vec::new();
    };
    let all = if text.trim_ascii_start().starts_with('[') {
        serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default()
    } else {
        serde_json::from_str::<&RawValue>(text)
            .into_iter()
            .collect()
    };
    let raw = |index: &u32| all.get(*index as usize).map_or("null", |raw| raw.get());
    wanted.iter().map(raw).collect()
}

/// The points read so far, and the one that is being read.
struct Points<'de> {
    decoded: Decoded<'de>,
    max_samples: usize,
    from: usize,
    metric: Option<Cow<'de, str>>,
    at_ms: Option<i64>,
    value: Option<f64>,
    problem: Option<Refusal>,
}

impl<'de> Points<'de> {
    fn new(max_samples: usize) -> Self {
        Self {
            decoded: Decoded::default(),
            max_samples,
            from: 0,
            metric: None,
            at_ms: None,
            value: None,
            problem: None,
        }
    }

    fn take_metric(&mut self, found: Found<'de>) {
        match found {
            Found::Text(name) => self.metric = Some(name),
            found => self.refuse(Code::MetricNameInvalid, || {
                format!("metric is {found}, not a string")
            }),
        }
    }

    fn take_timestamp(&mut self, found: &Found<'_>) {
        match milliseconds(found) {
            Some(at_ms) => self.at_ms = Some(at_ms),
            None => self.refuse(Code::TimestampInvalid, || {
                format!("timestamp is {found}, not a number of seconds or milliseconds")
            }),
        }
    }

    fn take_value(&mut self, found: &Found<'_>) {
        match number(found) {
            // sonic-rs reads -0 as 0; so that both parsers agree, 0 has no sign here.
            Some(value) => self.value = Some(value + 0.0),
            None => self.refuse(Code::ValueInvalid, || {
                format!("value is {found}, not a number")
            }),
        }
    }

    fn check(&mut self) -> Result<(Cow<'de, str>, i64, f64), Refusal> {
        let name = self.metric.take();
        if let Some(problem) = self.problem.take() {
            self.metric = name;
            return Err(problem);
        }
        let missing = |code, field| Refusal::new(code, format!("{field} is missing"));
        let name = name.ok_or_else(|| missing(Code::MetricNameMissing, "metric"))?;
        let (Some(at_ms), Some(value)) = (self.at_ms, self.value) else {
            self.metric = Some(name);
            return Err(match self.at_ms {
                None => missing(Code::TimestampMissing, "timestamp"),
                Some(_) => missing(Code::ValueMissing, "value"),
            });
        };
        Ok((name, at_ms, value))
    }
}

impl<'de> Objects<'de> for Points<'de> {
    fn begin(&mut self) {
        self.from = self.decoded.batch.open_labels();
        self.metric = None;
        self.at_ms = None;
        self.value = None;
        self.problem = None;
    }

    fn field<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        parser: Parser,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let plain = Any {
            parser,
            handler: Plain,
        };
        match name {
            "metric" => self.take_metric(map.next_value_seed(plain)?),
            "timestamp" => self.take_timestamp(&map.next_value_seed(plain)?),
            "value" => self.take_value(&map.next_value_seed(plain)?),
            "tags" => {
                self.decoded.batch.drop_labels(self.from);
                let handler = Tags(self);
                map.next_value_seed(Any { parser, handler })?;
            }
            _ => map.next_value_seed(Skip::new(parser))?,
        }
        Ok(())
    }

    fn refuse(&mut self, code: Code, message: impl FnOnce() -> String) {
        if self.problem.is_none() {
            self.problem = Some(Refusal::new(code, message()));
        }
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let index = self.decoded.objects;
        if index as usize >= self.max_samples {
            return Err(too_many(self.max_samples));
        }
        self.decoded.objects += 1;
        match self.check() {
            Ok((name, at_ms, value)) => {
                let batch = &mut self.decoded.batch;
                let series = batch.close_series(name, self.from);
                batch.push_float(index, series, at_ms, value);
            }
            Err(refusal) => {
                self.decoded.batch.drop_labels(self.from);
                let name = self.metric.take().unwrap_or_default();
                refuse(&mut self.decoded.refused, index, &name, &refusal);
            }
        }
        Ok(())
    }
}

struct Tags<'s, 'de>(&'s mut Points<'de>);

impl<'de> Handle<'de> for Tags<'_, 'de> {
    type Out = ();

    fn other(self, found: Found<'de>) {
        if found != Found::Null {
            self.0.refuse(Code::LabelsInvalid, || {
                format!("tags is {found}, not an object")
            });
        }
    }

    #[inline]
    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<(), A::Error> {
        let points = self.0;
        while let Some(name) = map.next_key_seed(Text)? {
            let handler = Plain;
            let value = match map.next_value_seed(Any { parser, handler })? {
                Found::Text(value) => value,
                // No value, no label.
                Found::Null => continue,
                Found::Int(number) => Cow::Owned(number.to_string()),
                Found::Uint(number) => Cow::Owned(number.to_string()),
                Found::Float(number) => Cow::Owned(number.to_string()),
                Found::Bool(value) => Cow::Owned(value.to_string()),
                found @ (Found::Array | Found::Object) => {
                    points.refuse(Code::LabelsInvalid, || {
                        format!("tag {:?} is {found}, not a string", head(&name))
                    });
                    continue;
                }
            };
            points.decoded.batch.push_label(name, value);
        }
        Ok(())
    }
}

/// A number, or a string that is one: finite, because `OpenTSDB` has no other.
fn number(found: &Found<'_>) -> Option<f64> {
    match found {
        Found::Text(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite()),
        found => found.number(),
    }
}

/// Unix milliseconds. Seconds with a fraction are seconds, however many there are.
fn milliseconds(found: &Found<'_>) -> Option<i64> {
    let whole = match found {
        Found::Int(number) => Some(*number),
        Found::Uint(number) => Some(i64::try_from(*number).ok()?),
        Found::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(number) = whole {
        return if number >= FIRST_MS {
            Some(number)
        } else {
            number.checked_mul(1000)
        };
    }
    let number = number(found)?;
    let is_ms = number.fract() == 0.0 && number >= 4_294_967_296.0;
    let at_ms = if is_ms { number } else { number * 1000.0 }.round();
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
    let at_ms = (at_ms.abs() < 9.2e18).then_some(at_ms as i64);
    at_ms
}

#[cfg(test)]
mod tests;
