//! OTLP/JSON rewritten as protobuf, so that there is one translation.
//!
//! Driven by a table of the messages' fields: what is written is never longer than what was read, but for lists of
//! short numbers, which may be four times as long. Names are lowerCamelCase, 64-bit integers numbers or strings, enums integers, ids hexadecimal; unknown
//! fields are passed over, as the specification has it.

mod fields;
mod value;

use std::borrow::Cow;
use std::fmt;

use model::{Code, Refusal};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use fields::{Field, REQUEST};
use value::ValueSeed;

/// Deeper than any telemetry; each level is copied once.
const MAX_DEPTH: u8 = 24;

/// Rewrites an `ExportMetricsServiceRequest`.
///
/// # Errors
/// When it is no JSON, or a field has another type than it should; the message says where.
pub fn to_protobuf(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut output = Vec::with_capacity(body.len() / 2);
    let mut reader = serde_json::Deserializer::from_slice(body);
    let seed = MessageSeed {
        fields: &REQUEST,
        output: &mut output,
        depth: 0,
    };
    seed.deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| {
            let message = format!("the body is no ExportMetricsServiceRequest in JSON: {error}");
            Refusal::new(Code::BodyInvalid, message)
        })?;
    Ok(output)
}

/// Reads an object and appends its fields.
struct MessageSeed<'o> {
    fields: &'static [Field],
    output: &'o mut Vec<u8>,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for MessageSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MessageSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.depth >= MAX_DEPTH {
            return Err(serde::de::Error::custom("the body is nested too deep"));
        }
        while let Some(name) = map.next_key_seed(Name)? {
            let field = self.fields.iter().find(|field| field.name == name);
            match field {
                Some(field) => map.next_value_seed(ValueSeed {
                    field,
                    output: self.output,
                    depth: self.depth,
                })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
