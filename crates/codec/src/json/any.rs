//! Any JSON value, read without giving up: a wrong type is a finding, not a parse error.
//!
//! Both parsers drive the same visitors, so that what they accept is the same by construction.

use model::head;
use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Which parser is behind the visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parser {
    /// sonic-rs: fast, but skipping an ignored value recurses without a bound, so that a body of
    /// brackets would overflow the stack. Ignored values are read instead, down to a few levels.
    Sonic,
    /// `serde_json`: skips ignored values without recursion.
    SerdeJson,
}

/// A JSON value as far as anybody cares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found<'de> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'de, str>),
    Array,
    Object,
}

impl Found<'_> {
    /// The value of a number.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sample's value is a 64-bit float by contract"
    )]
    pub(crate) fn number(&self) -> Option<f64> {
        match *self {
            Self::Int(number) => Some(number as f64),
            Self::Uint(number) => Some(number as f64),
            Self::Float(number) => number.is_finite().then_some(number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Array | Self::Object => None,
        }
    }
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "the number {number}"),
            Self::Uint(number) => write!(f, "the number {number}"),
            // Zero has no sign here: sonic-rs does not keep it.
            Self::Float(number) => write!(f, "the number {}", Decimal(number + 0.0)),
            Self::Text(text) => write!(f, "the string {:?}", head(text)),
            Self::Array => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
        }
    }
}

/// A float as JSON writes it, which for large ones is shorter than what Rust writes.
pub(crate) struct Decimal(pub(crate) f64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::Number::from_f64(self.0) {
            Some(number) => write!(f, "{number}"),
            None => write!(f, "{}", self.0),
        }
    }
}

/// What to do with a value, whatever its type.
pub(crate) trait Handle<'de>: Sized {
    type Out;

    /// It is no object or array that [`Self::map`] or [`Self::seq`] want.
    fn other(self, found: Found<'de>) -> Self::Out;

    fn map<A: MapAccess<'de>>(self, parser: Parser, map: A) -> Result<Self::Out, A::Error> {
        drain_map(Ignored::new(parser), map)?;
        Ok(self.other(Found::Object))
    }

    fn seq<A: SeqAccess<'de>>(self, parser: Parser, seq: A) -> Result<Self::Out, A::Error> {
        drain_seq(Ignored::new(parser), seq)?;
        Ok(self.other(Found::Array))
    }
}

fn drain_map<'de, A: MapAccess<'de>>(ignored: Ignored, mut map: A) -> Result<(), A::Error> {
    while map.next_key_seed(Text)?.is_some() {
        map.next_value_seed(ignored)?;
    }
    Ok(())
}

fn drain_seq<'de, A: SeqAccess<'de>>(ignored: Ignored, mut seq: A) -> Result<(), A::Error> {
    while seq.next_element_seed(ignored)?.is_some() {}
    Ok(())
}

/// Reads any value and hands it to a handler.
pub(crate) struct Any<H> {
    pub(crate) parser: Parser,
    pub(crate) handler: H,
}

impl<'de, H: Handle<'de>> DeserializeSeed<'de> for Any<H> {
    type Value = H::Out;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<H::Out, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, H: Handle<'de>> Visitor<'de> for Any<H> {
    type Value = H::Out;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<H::Out, E> {
        Ok(self.handler.other(Found::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<H::Out, E> {
        Ok(self.handler.other(Found::Bool(value)))
    }

    #[inline]
    fn visit_i64<E: Error>(self, number: i64) -> Result<H::Out, E> {
        Ok(self.handler.other(Found::Int(number)))
    }

    #[inline]
    fn visit_u64<E: Error>(self, number: u64) -> Result<H::Out, E> {
        Ok(self.handler.other(Found::Uint(number)))
    }

    #[inline]
    fn visit_f64<E: Error>(self, number: f64) -> Result<H::Out, E> {
        Ok(self.handler.other(Found::Float(number)))
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<H::Out, E> {
        Ok(self.handler.other(Found::Text(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<H::Out, E> {
        Ok(self.handler.other(Found::Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<H::Out, A::Error> {
        self.handler.seq(self.parser, seq)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<H::Out, A::Error> {
        self.handler.map(self.parser, map)
    }
}

/// Takes a value as it is.
pub(crate) struct Plain;

impl<'de> Handle<'de> for Plain {
    type Out = Found<'de>;

    #[inline]
    fn other(self, found: Found<'de>) -> Found<'de> {
        found
    }
}

/// How deep the fast parser follows a value that nobody wants; deeper is for the careful one.
const MAX_IGNORED_DEPTH: u8 = 16;

/// Passes over a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ignored {
    parser: Parser,
    depth: u8,
}

impl Ignored {
    pub(crate) const fn new(parser: Parser) -> Self {
        Self { parser, depth: 0 }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_IGNORED_DEPTH {
            return Err(E::custom("nested too deep"));
        }
        Ok(Self {
            parser: self.parser,
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Ignored {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.parser {
            Parser::Sonic => deserializer.deserialize_any(self),
            Parser::SerdeJson => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ()),
        }
    }
}

impl<'de> Visitor<'de> for Ignored {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        drain_seq(self.deeper()?, seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        drain_map(self.deeper()?, map)
    }
}

/// Reads a string, borrowed where it has no escapes. JSON's keys are always strings.
pub(crate) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
