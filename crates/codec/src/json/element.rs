//! One sample object: its fields, in any order, and what is wrong with them.

use std::borrow::Cow;

use model::{Batch, Code, MetricType, Refusal, head};
use serde::de::MapAccess;

use super::any::{Any, Decimal, Found, Handle, Ignored, Parser, Plain, Text};
use super::distribution::{self, Distribution};

/// Who wrote the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A sender of the push API.
    Push,
    /// A gateway, into a record: a plain number may carry any type, and what is no JSON number
    /// (see [`super::write`]) is a string.
    Record,
}

impl Origin {
    /// The number that a value stands for.
    pub(super) fn number(self, found: &Found<'_>) -> Option<f64> {
        match (self, found) {
            (Self::Record, Found::Text(text)) => super::write::special(text),
            (Self::Record, found) => found.number(),
            // sonic-rs reads -0 as 0; so that both parsers agree, 0 has no sign here.
            (Self::Push, found) => found.number().map(|number| number + 0.0),
        }
    }
}

/// The fields of a sample that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    MetricName,
    Timestamp,
    Value,
    Labels,
    Type,
    Unit,
    Help,
}

impl Field {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "metric_name" => Self::MetricName,
            "timestamp" => Self::Timestamp,
            "value" => Self::Value,
            "labels" => Self::Labels,
            "type" => Self::Type,
            "unit" => Self::Unit,
            "help" => Self::Help,
            _ => return None,
        })
    }

    /// Its place among the fields that have come.
    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::MetricName => "metric_name",
            Self::Timestamp => "timestamp",
            Self::Value => "value",
            Self::Labels => "labels",
            Self::Type => "type",
            Self::Unit => "unit",
            Self::Help => "help",
        }
    }

    /// The code for a value that this field cannot have.
    const fn invalid(self) -> Code {
        match self {
            Self::MetricName => Code::MetricNameInvalid,
            Self::Timestamp => Code::TimestampInvalid,
            Self::Value => Code::ValueInvalid,
            Self::Labels => Code::LabelsInvalid,
            Self::Type | Self::Unit | Self::Help => Code::MetadataInvalid,
        }
    }
}

#[derive(Debug)]
enum Measured<'de> {
    Number(f64),
    Distribution(Distribution<'de>),
}

/// A sample object as far as it has been read. Its labels are the open ones of the batch.
#[derive(Debug)]
pub(super) struct Element<'de> {
    origin: Origin,
    name: Option<Cow<'de, str>>,
    at_ms: Option<i64>,
    value: Option<Measured<'de>>,
    kind: Option<MetricType>,
    unit: Cow<'de, str>,
    help: Cow<'de, str>,
    /// A bit per field that has come.
    seen: u8,
    /// The field that is being read, for errors of the parser.
    reading: Option<Field>,
    /// The first thing that is wrong.
    refusal: Option<Refusal>,
}

/// What the samples of one object share.
#[derive(Debug)]
pub(super) struct Head<'de> {
    pub(super) origin: Origin,
    pub(super) index: u32,
    pub(super) name: Cow<'de, str>,
    pub(super) at_ms: i64,
    pub(super) kind: MetricType,
    pub(super) unit: Cow<'de, str>,
    pub(super) help: Cow<'de, str>,
    /// Where its labels start in the batch.
    pub(super) from: usize,
}

impl<'de> Element<'de> {
    pub(super) const fn new(origin: Origin) -> Self {
        Self {
            origin,
            name: None,
            at_ms: None,
            value: None,
            kind: None,
            unit: Cow::Borrowed(""),
            help: Cow::Borrowed(""),
            seen: 0,
            reading: None,
            refusal: None,
        }
    }

    /// The metric name, if it has been read; empty otherwise.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Notes what is wrong, unless something was before.
    fn refuse(&mut self, code: Code, message: impl FnOnce() -> String) {
        if self.refusal.is_none() {
            self.refusal = Some(Refusal::new(code, message()));
        }
    }

    /// Notes that the parser gave up within the object.
    pub(super) fn refuse_syntax(&mut self, why: &str) {
        let why = match why {
            "number out of range" => "the number is outside the range of a 64-bit float",
            why => why,
        };
        match self.reading {
            Some(field) => {
                self.refuse(field.invalid(), || format!("{}: {why}", field.as_str()));
            }
            None => self.refuse(Code::SampleInvalid, || why.to_owned()),
        }
    }

    fn refuse_found(&mut self, field: Field, found: &Found<'_>, hint: &str) {
        self.refuse(field.invalid(), || {
            format!("{} is {found}, not {hint}", field.as_str())
        });
    }

    fn take_name(&mut self, found: Found<'de>) {
        match found {
            Found::Text(name) if name.is_empty() => {
                self.refuse(Code::MetricNameMissing, || {
                    "metric_name is empty".to_owned()
                });
            }
            Found::Text(name) => self.name = Some(name),
            found => self.refuse_found(Field::MetricName, &found, "a string"),
        }
    }

    fn take_timestamp(&mut self, found: &Found<'_>) {
        match *found {
            Found::Int(at_ms) => self.at_ms = Some(at_ms),
            Found::Uint(at_ms) if i64::try_from(at_ms).is_ok() => {
                self.at_ms = Some(at_ms.cast_signed());
            }
            Found::Float(at_ms) if at_ms.fract() == 0.0 && at_ms.abs() < 9.2e18 => {
                #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
                let at_ms = at_ms as i64;
                self.at_ms = Some(at_ms);
            }
            // From 2001 to 5138 in seconds, as Python's time.time() has them.
            Found::Float(seconds) if (1e9..1e11).contains(&seconds) => {
                self.refuse(Code::TimestampInSeconds, || {
                    format!(
                        "timestamp {} looks like seconds; send whole Unix milliseconds, such as {:.0}",
                        Decimal(seconds),
                        (seconds * 1000.0).trunc()
                    )
                });
            }
            Found::Float(at_ms) => self.refuse(Code::TimestampInvalid, || {
                format!(
                    "timestamp {} is not a whole number of Unix milliseconds",
                    Decimal(at_ms)
                )
            }),
            Found::Null
            | Found::Bool(_)
            | Found::Uint(_)
            | Found::Text(_)
            | Found::Array
            | Found::Object => self.refuse_found(
                Field::Timestamp,
                found,
                "a number of Unix milliseconds, such as 1700000000000",
            ),
        }
    }

    fn take_value(&mut self, found: &Found<'_>) {
        if let Some(number) = self.origin.number(found) {
            self.value = Some(Measured::Number(number));
            return;
        }
        let hint = match found {
            Found::Text(text) => {
                if text.trim().parse::<f64>().is_ok_and(f64::is_finite) {
                    "a number; send it without quotes"
                } else {
                    "a number"
                }
            }
            Found::Null => "a number; leave a sample without a value out",
            Found::Bool(_) => "a number; send 1 or 0",
            Found::Int(_) | Found::Uint(_) | Found::Float(_) | Found::Array | Found::Object => {
                "a number"
            }
        };
        self.refuse_found(Field::Value, found, hint);
    }

    fn take_metadata(&mut self, field: Field, found: Found<'de>) {
        match (field, found) {
            // Serializers write absent options as null.
            (_, Found::Null) => {}
            (Field::Type, Found::Text(text)) => match kind_named(&text) {
                Some(kind) => self.kind = Some(kind),
                None => self.refuse(Code::MetadataInvalid, || {
                    format!(
                        "type is {:?}; it can be counter, gauge, histogram or summary",
                        head(&text)
                    )
                }),
            },
            (Field::Help, Found::Text(text)) => self.help = text,
            (_, Found::Text(text)) => self.unit = text,
            (field, found) => self.refuse_found(field, &found, "a string"),
        }
    }

    /// Adds the object's samples to the batch, which may get `room` labels more by it.
    ///
    /// # Errors
    /// The first thing that is wrong with it. The batch is as before then.
    pub(super) fn finish(
        mut self,
        index: u32,
        from: usize,
        room: usize,
        batch: &mut Batch<'de>,
    ) -> Result<(), (String, Refusal)> {
        if let Err(refusal) = self.check(batch, from) {
            batch.drop_labels(from);
            return Err((shortened(self.name()), refusal));
        }
        let (Some(name), Some(at_ms), Some(value)) = (self.name, self.at_ms, self.value) else {
            let refusal = Refusal::new(Code::Internal, "an unchecked sample");
            return Err((String::new(), refusal));
        };
        let head = Head {
            origin: self.origin,
            index,
            name,
            at_ms,
            kind: self.kind.unwrap_or_default(),
            unit: self.unit,
            help: self.help,
            from,
        };
        match value {
            Measured::Number(value) => {
                let series = batch.close_series(head.name, from);
                if self.kind.is_some() || !head.unit.is_empty() || !head.help.is_empty() {
                    batch.describe(series, head.kind, head.unit, head.help);
                }
                batch.push_float(index, series, at_ms, value);
                Ok(())
            }
            Measured::Distribution(value) => {
                let name = shortened(&head.name);
                value.expand(head, room, batch).map_err(|refusal| {
                    batch.drop_labels(from);
                    (name, refusal)
                })
            }
        }
    }

    fn check(&mut self, batch: &Batch<'_>, from: usize) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        for (field, code) in [
            (Field::MetricName, Code::MetricNameMissing),
            (Field::Timestamp, Code::TimestampMissing),
            (Field::Value, Code::ValueMissing),
            (Field::Labels, Code::LabelsMissing),
        ] {
            if self.seen & field.bit() == 0 {
                let hint = if field == Field::Labels {
                    "; write {} for none"
                } else {
                    ""
                };
                let message = format!("{} is missing{hint}", field.as_str());
                return Err(Refusal::new(code, message));
            }
        }
        match (self.origin, self.kind, &self.value) {
            (Origin::Push, Some(kind), Some(Measured::Number(number))) => {
                distribution::check_plain(kind, self.name(), batch.labels_since(from), *number)
            }
            _ => Ok(()),
        }
    }
}

/// A metric name for a refusal: whole, unless it is longer than a name may be.
fn shortened(name: &str) -> String {
    name.chars().take(1024).collect()
}

pub(super) fn kind_named(name: &str) -> Option<MetricType> {
    MetricType::ALL
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .or_else(|| (name == "untyped").then_some(MetricType::Unspecified))
}

/// Reads an element of `metrics` into an [`Element`] and its labels into the batch.
pub(super) struct ReadElement<'s, 'de> {
    pub(super) element: &'s mut Element<'de>,
    pub(super) batch: &'s mut Batch<'de>,
}

impl<'de> Handle<'de> for ReadElement<'_, 'de> {
    type Out = ();

    fn other(self, found: Found<'de>) {
        self.element.refuse(Code::SampleInvalid, || {
            format!("the sample is {found}, not an object")
        });
    }

    #[inline]
    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<(), A::Error> {
        let Self { element, batch } = self;
        let plain = || Any {
            parser,
            handler: Plain,
        };
        loop {
            element.reading = None;
            let Some(key) = map.next_key_seed(Text)? else {
                return Ok(());
            };
            let Some(field) = Field::named(&key) else {
                map.next_value_seed(Ignored::new(parser))?;
                continue;
            };
            element.reading = Some(field);
            let bit = field.bit();
            if element.seen & bit != 0 {
                element.refuse(Code::SampleInvalid, || {
                    format!("{} appears twice", field.as_str())
                });
                map.next_value_seed(Ignored::new(parser))?;
                continue;
            }
            element.seen |= bit;
            match field {
                Field::MetricName => element.take_name(map.next_value_seed(plain())?),
                Field::Timestamp => element.take_timestamp(&map.next_value_seed(plain())?),
                Field::Value => map.next_value_seed(Any {
                    parser,
                    handler: ReadValue(element),
                })?,
                Field::Labels => map.next_value_seed(Any {
                    parser,
                    handler: ReadLabels(element, batch),
                })?,
                Field::Type | Field::Unit | Field::Help => {
                    element.take_metadata(field, map.next_value_seed(plain())?);
                }
            }
        }
    }
}

struct ReadValue<'s, 'de>(&'s mut Element<'de>);

impl<'de> Handle<'de> for ReadValue<'_, 'de> {
    type Out = ();

    #[inline]
    fn other(self, found: Found<'de>) {
        self.0.take_value(&found);
    }

    fn map<A: MapAccess<'de>>(self, parser: Parser, map: A) -> Result<(), A::Error> {
        self.0.value = Some(Measured::Distribution(Distribution::read(parser, map)?));
        Ok(())
    }
}

struct ReadLabels<'s, 'de>(&'s mut Element<'de>, &'s mut Batch<'de>);

impl<'de> Handle<'de> for ReadLabels<'_, 'de> {
    type Out = ();

    fn other(self, found: Found<'de>) {
        self.0
            .refuse_found(Field::Labels, &found, "an object of strings");
    }

    #[inline]
    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text)? {
            match map.next_value_seed(Any {
                parser,
                handler: Plain,
            })? {
                Found::Text(value) => self.1.push_label(name, value),
                found => self.0.refuse(Code::LabelsInvalid, || {
                    format!("label {:?} is {found}, not a string", head(&name))
                }),
            }
        }
        Ok(())
    }
}
