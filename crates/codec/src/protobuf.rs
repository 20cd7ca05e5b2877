//! The protobuf that both ends of the buffer share: a reader that allocates nothing, and the
//! messages that remote write 1.0 and 2.0 have in common.
//!
//! Groups are refused instead of skipped: nothing here recurses.

mod numbers;
mod pen;
mod sample;

pub(crate) use pen::Pen;
use prost::encoding::{encode_varint, encoded_len_varint};
pub(crate) use sample::{
    Usual, only_sample, put_sample, put_sample_within, sample_len, usual_content, usual_sample,
};

/// The key of a field with this number whose value is length-delimited.
pub(crate) const fn delimited(field: u8) -> u8 {
    field << 3 | 2
}

/// The key of a field with this number whose value is a varint.
pub(crate) const fn varint(field: u8) -> u8 {
    field << 3
}

/// The key of a field with this number whose value has 64 bits.
pub(crate) const fn fixed64(field: u8) -> u8 {
    field << 3 | 1
}

/// The field of a `TimeSeries` that its samples are, in 1.0 as in 2.0.
pub(crate) const SAMPLES: u8 = 2;

/// The bytes are no protobuf message, or a field has another type than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a field breaks off")]
    Truncated,
    #[error("a varint has more than 64 bits")]
    Varint,
    #[error("a field has the wire type {0}")]
    WireType(u64),
    #[error("a field has a number that no field can have")]
    Number,
    #[error("a field has another type than it should")]
    Type,
    #[error("a string is not UTF-8")]
    Utf8,
    #[error("a 32-bit number has more bits")]
    Range,
}

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Value<'a> {
    pub(crate) fn varint(self) -> Result<u64, Malformed> {
        match self {
            Self::Varint(number) => Ok(number),
            Self::Fixed64(_) | Self::Bytes(_) | Self::Fixed32 => Err(Malformed::Type),
        }
    }

    pub(crate) fn int64(self) -> Result<i64, Malformed> {
        self.varint().map(u64::cast_signed)
    }

    pub(crate) fn uint32(self) -> Result<u32, Malformed> {
        u32::try_from(self.varint()?).map_err(|_| Malformed::Range)
    }

    pub(crate) fn sint32(self) -> Result<i32, Malformed> {
        i32::try_from(unzigzag(self.varint()?)).map_err(|_| Malformed::Range)
    }

    pub(crate) fn double(self) -> Result<f64, Malformed> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            Self::Varint(_) | Self::Bytes(_) | Self::Fixed32 => Err(Malformed::Type),
        }
    }

    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Fixed64(_) | Self::Fixed32 => Err(Malformed::Type),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::Utf8)
    }

    /// Calls `each` with every number of a repeated field, packed or not.
    pub(crate) fn each_uint32(self, mut each: impl FnMut(u32)) -> Result<(), Malformed> {
        let Self::Bytes(packed) = self else {
            each(self.uint32()?);
            return Ok(());
        };
        let mut reader = Reader(packed);
        while !reader.0.is_empty() {
            each(u32::try_from(reader.varint()?).map_err(|_| Malformed::Range)?);
        }
        Ok(())
    }

    /// Calls `each` with every number of a repeated `sint64`, packed or not.
    pub(crate) fn each_sint64(self, mut each: impl FnMut(i64)) -> Result<(), Malformed> {
        let Self::Bytes(packed) = self else {
            each(unzigzag(self.varint()?));
            return Ok(());
        };
        let mut reader = Reader(packed);
        while !reader.0.is_empty() {
            each(unzigzag(reader.varint()?));
        }
        Ok(())
    }

    /// Calls `each` with every number of a repeated `double`, packed or not.
    pub(crate) fn each_double(self, mut each: impl FnMut(f64)) -> Result<(), Malformed> {
        let Self::Bytes(packed) = self else {
            each(self.double()?);
            return Ok(());
        };
        let (numbers, rest) = packed.as_chunks::<8>();
        for bytes in numbers {
            each(f64::from_bits(u64::from_le_bytes(*bytes)));
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Truncated)
        }
    }
}

/// A signed number as the `sint` types write it.
fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Reads a message field by field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next field's number and value.
    ///
    /// Made to be inlined: nearly all keys and lengths have one byte, and what is rare or wrong is elsewhere.
    #[inline(always)]
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, Malformed> {
        let (key, rest) = match self.0 {
            [] => return Ok(None),
            [key @ 0x08..=0x7f, rest @ ..] => (*key, rest),
            _ => return self.any_field(),
        };
        let value = match key & 7 {
            0 => {
                let mut rest = Self(rest);
                let number = rest.varint()?;
                *self = rest;
                Value::Varint(number)
            }
            1 if let Some((bytes, rest)) = rest.split_first_chunk() => {
                self.0 = rest;
                Value::Fixed64(u64::from_le_bytes(*bytes))
            }
            2 => {
                let mut rest = Self(rest);
                let length = rest.reference()?;
                let Some((bytes, rest)) = usize::try_from(length)
                    .ok()
                    .and_then(|length| rest.0.split_at_checked(length))
                else {
                    return Err(Malformed::Truncated);
                };
                self.0 = rest;
                Value::Bytes(bytes)
            }
            _ => return self.any_field(),
        };
        Ok(Some((u32::from(key >> 3), value)))
    }

    #[inline(never)]
    fn any_field(&mut self) -> Result<Option<(u32, Value<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| Malformed::Number)?;
        if number == 0 || number > 0x1fff_ffff {
            return Err(Malformed::Number);
        }
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                let (bytes, rest) = self.0.split_first_chunk().ok_or(Malformed::Truncated)?;
                self.0 = rest;
                Value::Fixed64(u64::from_le_bytes(*bytes))
            }
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed::Truncated)?;
                let (bytes, rest) = self
                    .0
                    .split_at_checked(length)
                    .ok_or(Malformed::Truncated)?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            5 => {
                let (_, rest) = self
                    .0
                    .split_first_chunk::<4>()
                    .ok_or(Malformed::Truncated)?;
                self.0 = rest;
                Value::Fixed32
            }
            other => return Err(Malformed::WireType(other)),
        };
        Ok(Some((number, value)))
    }

    #[inline(always)]
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.0 {
            [byte @ ..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    /// A varint that mostly has one byte or two, as references have.
    #[inline(always)]
    pub(crate) fn reference(&mut self) -> Result<u64, Malformed> {
        match self.0 {
            [byte @ ..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            [low, high @ ..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(low & 0x7f) | u64::from(*high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    /// The number in a field with this head, if it comes next, and otherwise 0; `None` if it is no number of a text.
    #[inline(always)]
    pub(crate) fn reference_of(&mut self, head: u8) -> Option<u32> {
        match self.0 {
            [found, rest @ ..] if *found == head => {
                self.0 = rest;
                u32::try_from(self.reference().ok()?).ok()
            }
            _ => Some(0),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        if let Some((bytes, _)) = self.0.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*bytes);
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                let bits = ends.trailing_zeros() + 1;
                self.0 = self.0.get(bits as usize / 8..).unwrap_or_default();
                return Ok(sevens(word & (u64::MAX >> (64 - bits))));
            }
        }
        let mut number = 0;
        for (at, byte) in self.0.iter().enumerate().take(10) {
            // The tenth byte holds the last bit.
            if at == 9 && *byte > 1 {
                return Err(Malformed::Varint);
            }
            number |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.0 = self.0.get(at + 1..).unwrap_or_default();
                return Ok(number);
            }
        }
        Err(if self.0.len() < 10 {
            Malformed::Truncated
        } else {
            Malformed::Varint
        })
    }
}

/// The varint that the last so many bytes are, read in one go; `None` when they are not one of at most eight bytes, or
/// when there are less than eight in all.
#[inline(always)]
pub(crate) fn last_varint(bytes: &[u8], length: usize) -> Option<u64> {
    let last = u64::from_le_bytes(*bytes.last_chunk()?);
    let bits = 8 * u32::try_from(length).ok()?;
    // Of none, and of more than there are, no bit is left or asked for.
    let word = last.checked_shr(64_u32.checked_sub(bits)?)?;
    let more = 0x8080_8080_8080_8080 & ((1 << (bits - 8)) - 1);
    (word & 0x8080_8080_8080_8080 == more).then(|| sevens(word))
}

/// The number that the lower seven bits of eight bytes make: pairs of them, pairs of pairs, all.
#[inline]
fn sevens(word: u64) -> u64 {
    let pairs = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let quads = (pairs & 0x3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    (quads & 0x0fff_ffff) | ((quads & 0x0fff_ffff_0000_0000) >> 4)
}

/// Appends a varint.
#[inline(always)]
pub(crate) fn put_varint(output: &mut Vec<u8>, number: u64) {
    match u8::try_from(number) {
        Ok(byte @ ..0x80) => output.push(byte),
        _ => put_long_varint(output, number),
    }
}

fn put_long_varint(output: &mut Vec<u8>, number: u64) {
    let Some((word, length)) = varint_word(number) else {
        encode_varint(number, output);
        return;
    };
    output.extend_from_slice(&word.to_le_bytes());
    output.truncate(output.len() + length - 8);
}

/// A varint of at most eight bytes, the first of which is the lowest, and how many they are. The others are zero.
#[inline]
pub(crate) fn varint_word(number: u64) -> Option<(u64, usize)> {
    if number >= 1 << 56 {
        return None;
    }
    let length = varint_len(number);
    let more = 0x8080_8080_8080_8080 & ((1 << (8 * (length - 1))) - 1);
    Some((spread(number) | more, length))
}

/// The opposite of [`sevens`], for a number of at most 56 bits.
#[inline]
fn spread(number: u64) -> u64 {
    let quads = (number & 0x0fff_ffff) | ((number << 4) & 0x0fff_ffff_0000_0000);
    let pairs = (quads & 0x3fff_0000_3fff) | ((quads << 2) & 0x3fff_0000_3fff_0000);
    (pairs & 0x007f_007f_007f_007f) | ((pairs << 1) & 0x7f00_7f00_7f00_7f00)
}

/// A length as protobuf counts it.
pub(crate) fn length(bytes: usize) -> u64 {
    // A usize has at most 64 bits on every platform there is.
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The size of a length-delimited field with this content and a number below 16.
pub(crate) fn delimited_len(content: usize) -> usize {
    1 + encoded_len_varint(length(content)) + content
}

/// The size of a varint.
pub(crate) fn varint_len(number: u64) -> usize {
    encoded_len_varint(number)
}

/// Appends the head of a length-delimited field.
pub(crate) fn put_head(output: &mut Vec<u8>, field: u8, content: usize) {
    output.push(delimited(field));
    put_varint(output, length(content));
}

/// Appends a length-delimited field.
pub(crate) fn put_bytes(output: &mut Vec<u8>, field: u8, content: &[u8]) {
    put_head(output, field, content.len());
    output.extend_from_slice(content);
}

/// The size of packed numbers.
pub(crate) fn refs_len(numbers: &[u32]) -> usize {
    if are_short(numbers) {
        return numbers.len();
    }
    numbers
        .iter()
        .map(|number| encoded_len_varint(u64::from(*number)))
        .sum()
}

/// Whether each number takes one byte.
fn are_short(numbers: &[u32]) -> bool {
    numbers.iter().fold(0, |all, number| all | number) < 0x80
}

/// Appends a packed field of numbers.
pub(crate) fn put_refs(output: &mut Vec<u8>, field: u8, numbers: &[u32]) {
    if are_short(numbers) {
        put_head(output, field, numbers.len());
        output.extend(numbers.iter().map(|number| (number & 0x7f) as u8));
        return;
    }
    if numbers.len() <= MOST_PAIRED / 2 && are_pairs(numbers) {
        let mut place = [0; MOST_PAIRED];
        let mut at = 0;
        for number in numbers {
            let [low, high, ..] = (number << 1).to_le_bytes();
            let is_long = *number >= 0x80;
            if let Some(pair) = place.get_mut(at..at + 2) {
                pair.copy_from_slice(&[low >> 1 | u8::from(is_long) << 7, high]);
            }
            at += 1 + usize::from(is_long);
        }
        put_bytes(output, field, place.get(..at).unwrap_or_default());
        return;
    }
    put_head(output, field, refs_len(numbers));
    for number in numbers {
        put_varint(output, u64::from(*number));
    }
}

/// Bytes of numbers that are written at once.
const MOST_PAIRED: usize = 64;

/// Whether each number takes at most two bytes.
fn are_pairs(numbers: &[u32]) -> bool {
    numbers.iter().fold(0, |all, number| all | number) < 0x4000
}

/// Appends a field of at most 127 bytes that `content` writes.
pub(crate) fn put_short(output: &mut Vec<u8>, field: u8, content: impl FnOnce(&mut Vec<u8>)) {
    output.push(delimited(field));
    let at = output.len();
    output.push(0);
    content(output);
    let written = output.len() - at - 1;
    debug_assert!(written < 0x80, "{written} bytes need a longer length");
    if let Some(length) = output.get_mut(at) {
        *length = u8::try_from(written).unwrap_or_default();
    }
}

/// Appends an integer field, unless it is zero, which is the default.
pub(crate) fn put_uint(output: &mut Vec<u8>, field: u8, number: u64) {
    if number != 0 {
        output.push(varint(field));
        put_varint(output, number);
    }
}

/// Appends a double field, unless it is positive zero, which is the default.
pub(crate) fn put_double(output: &mut Vec<u8>, field: u8, number: f64) {
    if number.to_bits() != 0 {
        let [a, b, c, d, e, f, g, h] = number.to_bits().to_le_bytes();
        output.extend_from_slice(&[fixed64(field), a, b, c, d, e, f, g, h]);
    }
}

#[cfg(test)]
mod tests;
