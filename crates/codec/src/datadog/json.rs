//! The JSON of v1, v2 and distribution points.

use std::borrow::Cow;

use model::{Code, MetricType, Refusal};
use serde::de::{MapAccess, SeqAccess};

use super::series::{Collector, Point};
use super::{Options, sketch};
use crate::Decoded;
use crate::json::any::{Any, Found, Handle, Ignored as Skip, Parser, Plain, Text};
use crate::json::objects::Objects;

/// What a point looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// `[seconds, value]`
    V1,
    /// `{"timestamp": seconds, "value": value}`
    V2,
    /// `[seconds, [value, …]]`
    Distribution,
}

pub(super) struct Reading<'de> {
    version: Version,
    series: Collector<'de>,
}

impl<'de> Reading<'de> {
    pub(super) fn new(version: Version, options: Options) -> Self {
        Self {
            version,
            series: Collector::new(options),
        }
    }

    pub(super) fn into_decoded(self) -> Decoded<'de> {
        self.series.into_decoded()
    }

    fn take_text(&mut self, name: &'static str, found: Found<'de>) {
        match found {
            Found::Null => {}
            Found::Text(text) if name == "metric" => self.series.metric = Some(text),
            Found::Text(text) if name == "unit" => self.series.unit = text,
            Found::Text(text) => self.series.set_field(name, text),
            found => {
                let code = if name == "metric" {
                    Code::MetricNameInvalid
                } else {
                    Code::SampleInvalid
                };
                self.series
                    .refuse(code, || format!("{name} is {found}, not a string"));
            }
        }
    }
}

/// The type of a series; what counts or is a rate of an interval goes up and down.
pub(super) fn kind_of(number: u64) -> MetricType {
    match number {
        1..=3 => MetricType::Gauge,
        _ => MetricType::Unspecified,
    }
}

fn kind_named(found: &Found<'_>) -> MetricType {
    match found {
        Found::Uint(number) => kind_of(*number),
        Found::Int(number) => u64::try_from(*number).map_or(MetricType::Unspecified, kind_of),
        Found::Text(name) => match name.to_ascii_lowercase().as_str() {
            "gauge" | "rate" | "count" | "counter" => MetricType::Gauge,
            _ => MetricType::Unspecified,
        },
        _ => MetricType::Unspecified,
    }
}

impl<'de> Objects<'de> for Reading<'de> {
    fn begin(&mut self) {
        self.series.begin();
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
        let text = match name {
            "metric" => "metric",
            "host" => "host",
            "device" => "device",
            "unit" => "unit",
            "source_type_name" => "source_type_name",
            "type" => {
                let found = map.next_value_seed(plain)?;
                if self.version != Version::Distribution {
                    self.series.kind = kind_named(&found);
                }
                return Ok(());
            }
            "tags" => {
                self.series.tags.clear();
                let handler = List(Tag(&mut self.series));
                return map.next_value_seed(Any { parser, handler });
            }
            "resources" => {
                let handler = List(Resource(&mut self.series));
                return map.next_value_seed(Any { parser, handler });
            }
            "points" => {
                self.series.forget_points();
                let handler = List(OnePoint(self));
                return map.next_value_seed(Any { parser, handler });
            }
            _ => return map.next_value_seed(Skip::new(parser)),
        };
        let found = map.next_value_seed(plain)?;
        self.take_text(text, found);
        Ok(())
    }

    fn refuse(&mut self, code: Code, message: impl FnOnce() -> String) {
        self.series.refuse(code, message);
    }

    fn end(&mut self) -> Result<(), Refusal> {
        if self.version == Version::Distribution {
            self.series.kind = MetricType::GaugeHistogram;
        }
        self.series.end()
    }
}

/// What reads each element of an array.
trait Element<'de> {
    const FIELD: &'static str;

    fn each<A: SeqAccess<'de>>(&mut self, parser: Parser, seq: &mut A) -> Result<bool, A::Error>;

    fn series(&mut self) -> &mut Collector<'de>;
}

struct List<E>(E);

impl<'de, E: Element<'de>> Handle<'de> for List<E> {
    type Out = ();

    fn other(mut self, found: Found<'de>) {
        if found != Found::Null {
            let series = self.0.series();
            series.refuse(Code::SampleInvalid, || {
                format!("{} is {found}, not an array", E::FIELD)
            });
        }
    }

    fn seq<A: SeqAccess<'de>>(mut self, parser: Parser, mut seq: A) -> Result<(), A::Error> {
        while self.0.each(parser, &mut seq)? {}
        Ok(())
    }
}

struct Tag<'s, 'de>(&'s mut Collector<'de>);

impl<'de> Element<'de> for Tag<'_, 'de> {
    const FIELD: &'static str = "tags";

    fn each<A: SeqAccess<'de>>(&mut self, parser: Parser, seq: &mut A) -> Result<bool, A::Error> {
        let handler = Plain;
        match seq.next_element_seed(Any { parser, handler })? {
            None => return Ok(false),
            Some(Found::Text(tag)) => self.0.tags.push(tag),
            Some(Found::Null) => {}
            Some(found) => self.0.refuse(Code::LabelsInvalid, || {
                format!("a tag is {found}, not a string")
            }),
        }
        Ok(true)
    }

    fn series(&mut self) -> &mut Collector<'de> {
        self.0
    }
}

struct Resource<'s, 'de>(&'s mut Collector<'de>);

impl<'de> Element<'de> for Resource<'_, 'de> {
    const FIELD: &'static str = "resources";

    fn each<A: SeqAccess<'de>>(&mut self, parser: Parser, seq: &mut A) -> Result<bool, A::Error> {
        let handler = Pair("type", "name");
        let Some(found) = seq.next_element_seed(Any { parser, handler })? else {
            return Ok(false);
        };
        match found {
            (Some(Found::Text(kind)), Some(Found::Text(name))) => self.0.set_field(kind, name),
            (None | Some(Found::Null), _) | (_, None | Some(Found::Null)) => {}
            _ => self.0.refuse(Code::LabelsInvalid, || {
                "a resource has a type or a name that is not a string".to_owned()
            }),
        }
        Ok(true)
    }

    fn series(&mut self) -> &mut Collector<'de> {
        self.0
    }
}

struct OnePoint<'s, 'de>(&'s mut Reading<'de>);

impl<'de> Element<'de> for OnePoint<'_, 'de> {
    const FIELD: &'static str = "points";

    fn each<A: SeqAccess<'de>>(&mut self, parser: Parser, seq: &mut A) -> Result<bool, A::Error> {
        let Reading { version, series } = &mut *self.0;
        let point = match version {
            Version::V1 => {
                let handler = Pair("", "");
                let found = seq.next_element_seed(Any { parser, handler })?;
                found.map(|found| float(series, found))
            }
            Version::V2 => {
                let handler = Pair("timestamp", "value");
                let found = seq.next_element_seed(Any { parser, handler })?;
                found.map(|found| float(series, found))
            }
            Version::Distribution => {
                let handler = Sampled(series);
                seq.next_element_seed(Any { parser, handler })?
            }
        };
        let Some(point) = point else {
            return Ok(false);
        };
        series.push(point);
        Ok(true)
    }

    fn series(&mut self) -> &mut Collector<'de> {
        &mut self.0.series
    }
}

/// Two values: of an array, or of an object's fields of these names.
struct Pair(&'static str, &'static str);

impl<'de> Handle<'de> for Pair {
    type Out = (Option<Found<'de>>, Option<Found<'de>>);

    fn other(self, found: Found<'de>) -> Self::Out {
        (Some(found), None)
    }

    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<Self::Out, A::Error> {
        let plain = || Any {
            parser,
            handler: Plain,
        };
        let mut pair = (None, None);
        while let Some(key) = map.next_key_seed(Text)? {
            if key == self.0 {
                pair.0 = Some(map.next_value_seed(plain())?);
            } else if key == self.1 {
                pair.1 = Some(map.next_value_seed(plain())?);
            } else {
                map.next_value_seed(Skip::new(parser))?;
            }
        }
        Ok(pair)
    }

    #[inline]
    fn seq<A: SeqAccess<'de>>(self, parser: Parser, mut seq: A) -> Result<Self::Out, A::Error> {
        let plain = || Any {
            parser,
            handler: Plain,
        };
        let first = seq.next_element_seed(plain())?;
        let second = seq.next_element_seed(plain())?;
        while seq.next_element_seed(Skip::new(parser))?.is_some() {}
        Ok((first, second))
    }
}

fn float(
    series: &Collector<'_>,
    (seconds, value): (Option<Found<'_>>, Option<Found<'_>>),
) -> Point {
    let at_ms = match time_of(series, seconds) {
        Ok(at_ms) => at_ms,
        Err(refusal) => return Point::Bad(refusal),
    };
    match value {
        Some(Found::Null) => Point::Empty,
        None => Point::Bad(Refusal::new(Code::ValueMissing, "a point has no value")),
        Some(found) => match number(&found) {
            Some(value) => Point::Float(at_ms, value + 0.0),
            None => {
                let message = format!("a point's value is {found}, not a number");
                Point::Bad(Refusal::new(Code::ValueInvalid, message))
            }
        },
    }
}

fn time_of(series: &Collector<'_>, found: Option<Found<'_>>) -> Result<i64, Refusal> {
    match found {
        None | Some(Found::Null) => series.at_ms(0.0),
        Some(found) => match number(&found) {
            Some(seconds) => series.at_ms(seconds),
            None => {
                let message = format!("a point's timestamp is {found}, not a number of seconds");
                Err(Refusal::new(Code::TimestampInvalid, message))
            }
        },
    }
}

/// A number, or a string that is one, as the API's own examples have it.
fn number(found: &Found<'_>) -> Option<f64> {
    match found {
        Found::Text(text) => {
            let text: &str = Cow::as_ref(text);
            text.trim()
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())
        }
        found => found.number(),
    }
}

/// A point with many values.
struct Sampled<'s, 'de>(&'s Collector<'de>);

impl<'de> Handle<'de> for Sampled<'_, 'de> {
    type Out = Point;

    fn other(self, found: Found<'de>) -> Point {
        let message = format!("a point is {found}, not a timestamp and an array of values");
        Point::Bad(Refusal::new(Code::SampleInvalid, message))
    }

    fn seq<A: SeqAccess<'de>>(self, parser: Parser, mut seq: A) -> Result<Point, A::Error> {
        let handler = Plain;
        let seconds = seq.next_element_seed(Any { parser, handler })?;
        let values = seq.next_element_seed(Any {
            parser,
            handler: Values,
        })?;
        while seq.next_element_seed(Skip::new(parser))?.is_some() {}
        Ok(match (time_of(self.0, seconds), values) {
            (Err(refusal), _) | (Ok(_), Some(Err(refusal))) => Point::Bad(refusal),
            (Ok(_), None) => Point::Bad(Refusal::new(Code::ValueMissing, "a point has no values")),
            (Ok(_), Some(Ok(counts))) if counts.is_empty() => Point::Empty,
            (Ok(at_ms), Some(Ok(counts))) => Point::Histogram(at_ms, counts.message(at_ms)),
        })
    }
}

struct Values;

impl<'de> Handle<'de> for Values {
    type Out = Result<sketch::Counts, Refusal>;

    fn other(self, found: Found<'de>) -> Self::Out {
        let message = format!("a point's values are {found}, not an array of numbers");
        Err(Refusal::new(Code::ValueInvalid, message))
    }

    fn seq<A: SeqAccess<'de>>(self, parser: Parser, mut seq: A) -> Result<Self::Out, A::Error> {
        let mut counts = sketch::Counts::default();
        let mut bad = None;
        let plain = || Any {
            parser,
            handler: Plain,
        };
        while let Some(found) = seq.next_element_seed(plain())? {
            match number(&found) {
                Some(value) => counts.observe(value),
                None if bad.is_none() => {
                    let message = format!("one of a point's values is {found}, not a number");
                    bad = Some(Refusal::new(Code::ValueInvalid, message));
                }
                None => {}
            }
        }
        Ok(bad.map_or(Ok(counts), Err))
    }
}
