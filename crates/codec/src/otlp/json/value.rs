//! One JSON value as one protobuf field.

use std::fmt;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::MessageSeed;
use super::fields::{Field, Kind};
use crate::protobuf::{put_bytes, put_varint};

/// Standard base64, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads the value of a field and appends it.
pub(super) struct ValueSeed<'o> {
    pub(super) field: &'static Field,
    pub(super) output: &'o mut Vec<u8>,
    pub(super) depth: u8,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl ValueSeed<'_> {
    fn key(&mut self, wire_type: u8) {
        put_varint(
            self.output,
            u64::from(self.field.number) << 3 | u64::from(wire_type),
        );
    }

    fn bits(&mut self, bits: u64) {
        self.key(1);
        self.output.extend_from_slice(&bits.to_le_bytes());
    }

    fn varint(&mut self, number: u64) {
        self.key(0);
        put_varint(self.output, number);
    }

    fn wrong<E: Error>(&self, found: &str) -> E {
        E::custom(format!("{} is {found}", self.field.name))
    }

    fn integer<E: Error>(&mut self, number: i128, found: &str) -> Result<(), E> {
        let signed = i64::try_from(number);
        match self.field.kind {
            Kind::Unsigned => match u32::try_from(number) {
                Ok(number) => self.varint(u64::from(number)),
                Err(_) => return Err(self.wrong(found)),
            },
            Kind::Fixed64 => match u64::try_from(number) {
                Ok(number) => self.bits(number),
                Err(_) => return Err(self.wrong(found)),
            },
            Kind::Signed => self.varint(signed.map_err(|_| self.wrong(found))?.cast_unsigned()),
            Kind::Sfixed64 => self.bits(signed.map_err(|_| self.wrong(found))?.cast_unsigned()),
            Kind::Zigzag => {
                let number = i32::try_from(number).map_err(|_| self.wrong(found))?;
                self.varint(u64::from(((number << 1) ^ (number >> 31)).cast_unsigned()));
            }
            Kind::Double => self.double(found)?,
            _ => return Err(self.wrong(found)),
        }
        Ok(())
    }

    fn double<E: Error>(&mut self, text: &str) -> Result<(), E> {
        let number = number(text).ok_or_else(|| self.wrong(&shown(text)))?;
        self.bits(number.to_bits());
        Ok(())
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value for {}", self.field.name)
    }

    /// `null` is the default.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => {
                self.varint(u64::from(value));
                Ok(())
            }
            _ => Err(self.wrong(if value { "true" } else { "false" })),
        }
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<(), E> {
        self.integer(i128::from(value), &value.to_string())
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<(), E> {
        self.integer(i128::from(value), &value.to_string())
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => {
                self.bits(value.to_bits());
                Ok(())
            }
            // "1.0" and "1e3" are integers too.
            _ if value.fract() == 0.0 && value.abs() < 9e15 => {
                let text = format!("{value:.0}");
                let number = text.parse().map_err(|_| self.wrong(&text))?;
                self.integer(number, &text)
            }
            _ => Err(self.wrong(&value.to_string())),
        }
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        match self.field.kind {
            Kind::Text => {
                put_bytes(self.output, self.field.number, text.as_bytes());
                Ok(())
            }
            Kind::Hex => {
                let bytes = unhex(text).ok_or_else(|| self.wrong(&shown(text)))?;
                put_bytes(self.output, self.field.number, &bytes);
                Ok(())
            }
            Kind::Base64 => {
                let bytes = BASE64.decode(text).map_err(|_| self.wrong(&shown(text)))?;
                put_bytes(self.output, self.field.number, &bytes);
                Ok(())
            }
            Kind::Double => self.double(text),
            Kind::Unsigned | Kind::Signed | Kind::Zigzag | Kind::Fixed64 | Kind::Sfixed64 => {
                match text.parse::<i128>() {
                    Ok(number) => self.integer(number, &shown(text)),
                    Err(_) => Err(self.wrong(&shown(text))),
                }
            }
            _ => Err(self.wrong(&shown(text))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Kind::Message(fields) = self.field.kind else {
            return Err(self.wrong("an object"));
        };
        let mut content = Vec::new();
        let message = MessageSeed {
            fields,
            output: &mut content,
            depth: self.depth + 1,
        };
        message.visit_map(map)?;
        put_bytes(self.output, self.field.number, &content);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut content = Vec::new();
        let number = self.field.number;
        match self.field.kind {
            Kind::Messages(fields) => loop {
                content.clear();
                let message = MessageSeed {
                    fields,
                    output: &mut content,
                    depth: self.depth + 1,
                };
                if list.next_element_seed(message)?.is_none() {
                    return Ok(());
                }
                put_bytes(self.output, number, &content);
            },
            Kind::Fixed64s | Kind::Doubles | Kind::Varints => {
                let element = Element {
                    kind: self.field.kind,
                    name: self.field.name,
                };
                while let Some(bits) = list.next_element_seed(element)? {
                    if matches!(self.field.kind, Kind::Varints) {
                        put_varint(&mut content, bits);
                    } else {
                        content.extend_from_slice(&bits.to_le_bytes());
                    }
                }
                put_bytes(self.output, number, &content);
                Ok(())
            }
            _ => Err(self.wrong("a list")),
        }
    }
}

/// A number of a list, as its bits.
#[derive(Clone, Copy)]
struct Element {
    kind: Kind,
    name: &'static str,
}

impl Element {
    fn wrong<E: Error>(self, found: &str) -> E {
        E::custom(format!("{} has {}", self.name, shown(found)))
    }
}

impl<'de> DeserializeSeed<'de> for Element {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Element {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number in {}", self.name)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
        if matches!(self.kind, Kind::Doubles) {
            return self.visit_str(&value.to_string());
        }
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u64, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<u64, E> {
        if matches!(self.kind, Kind::Doubles) {
            return Ok(value.to_bits());
        }
        self.visit_str(&value.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        if matches!(self.kind, Kind::Doubles) {
            return number(text)
                .map(f64::to_bits)
                .ok_or_else(|| self.wrong(text));
        }
        text.parse().map_err(|_| self.wrong(text))
    }
}

fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // What Rust reads beside numbers is not JSON's.
        _ if text.bytes().any(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect()
}

fn shown(text: &str) -> String {
    let text: String = text.chars().take(40).collect();
    format!("{text:?}")
}
