//! Field values that are not quoted: numbers and booleans.

use std::num::IntErrorKind;

/// What a field's value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Boolean(bool),
    Text,
}

/// Why a value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    Unknown,
    OutOfRange,
}

impl Value {
    /// The sample's value.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Boolean(truth) => Some(f64::from(u8::from(truth))),
            Self::Text => None,
        }
    }

    /// Reads a value without quotes. Integers beyond 2^53 are rounded, as all that becomes a 64-bit float.
    pub(super) fn parse(text: &str) -> Result<Self, Bad> {
        let bytes = text.as_bytes();
        match bytes {
            [_, .., b'i'] => {
                let number: i64 = integer(text, 'i')?;
                Ok(Self::Number(number as f64))
            }
            [_, .., b'u'] => {
                let number: u64 = integer(text, 'u')?;
                Ok(Self::Number(number as f64))
            }
            [b'0'..=b'9' | b'-' | b'.', ..] => float(text),
            b"t" | b"T" | b"true" | b"True" | b"TRUE" => Ok(Self::Boolean(true)),
            b"f" | b"F" | b"false" | b"False" | b"FALSE" => Ok(Self::Boolean(false)),
            _ => Err(Bad::Unknown),
        }
    }
}

fn integer<N: std::str::FromStr<Err = std::num::ParseIntError>>(
    text: &str,
    suffix: char,
) -> Result<N, Bad> {
    let digits = text.strip_suffix(suffix).unwrap_or_default();
    if digits.starts_with('+') {
        return Err(Bad::Unknown);
    }
    digits
        .parse()
        .map_err(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => Bad::OutOfRange,
            _ => Bad::Unknown,
        })
}

fn float(text: &str) -> Result<Value, Bad> {
    // The library also reads infinities and NaN, which the protocol does not have.
    let is_number = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.bytes().all(is_number) {
        return Err(Bad::Unknown);
    }
    let number: f64 = text.parse().map_err(|_| Bad::Unknown)?;
    if number.is_finite() {
        Ok(Value::Number(number))
    } else {
        Err(Bad::OutOfRange)
    }
}
