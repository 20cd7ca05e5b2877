//! Float samples of a `TimeSeries`, in 1.0 as in 2.0: field 2, a value, a time, and in 2.0 a start time.
//!
//! Nearly all of them have a value and a time of the last or the next decades: eighteen bytes, which are written and read
//! in one go.

use std::ops::Range;

use model::Point;

use super::{Pen, SAMPLES, delimited, fixed64, last_varint, sevens, spread, varint};

const SAMPLE: u8 = delimited(SAMPLES);
const VALUE: u8 = fixed64(1);
const TIME: u8 = varint(2);

/// The bytes of a usual sample: two heads, a value, and a time whose varint has six.
const USUAL_BYTES: usize = 18;

/// Of these the first counts what is behind it.
const USUAL_LENGTH: u8 = 16;

/// Times whose varint has six bytes: from 1971 to 2109.
const USUAL_TIMES: Range<u64> = 1 << 35..1 << 42;

/// What a sample may take, in whole words: three heads, a value, and two times of any length.
const ROOM: usize = 40;

/// A usual sample, without its first two bytes, which all of these have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usual(pub(crate) u128);

impl Usual {
    #[inline(always)]
    fn of(point: &Point, with_start: bool) -> Option<Self> {
        let (at_ms, value) = (point.at_ms.cast_unsigned(), point.value.to_bits());
        let has_start = with_start && point.start_ms != 0;
        if !USUAL_TIMES.contains(&at_ms) || value == 0 || has_start {
            return None;
        }
        // A byte, eight of the value, one, six of the time.
        let at_ms = u64::from(TIME) | (spread(at_ms) | 0x0080_8080_8080) << 8;
        let value = u128::from(VALUE) | u128::from(value) << 8;
        Some(Self(value | u128::from(at_ms) << 72))
    }
}

/// How many bytes a float sample is.
#[inline(always)]
pub(crate) fn sample_len(point: &Point, with_start: bool) -> usize {
    if Usual::of(point, with_start).is_some() {
        return USUAL_BYTES;
    }
    let mut place = [0; ROOM];
    let mut pen = Pen::new(&mut place, 0);
    pen.put_sample(point, with_start);
    pen.at
}

/// Appends a float sample as [`Pen::put_sample`] writes it, and some bytes behind it that do not count; answers where it
/// ends, and what it is if it is a usual one.
#[inline(always)]
pub(crate) fn put_sample_within(
    output: &mut Vec<u8>,
    point: &Point,
    with_start: bool,
) -> (usize, Option<Usual>) {
    let start = output.len();
    // Its place first: put together elsewhere, a processor waits before it copies it.
    output.extend_from_slice(&[0; ROOM]);
    let Some(place) = output.last_chunk_mut::<ROOM>() else {
        return (start, None);
    };
    let usual = Usual::of(point, with_start);
    if let Some(Usual(rest)) = usual {
        if let [sample, length, place @ ..] = place
            && let Some(place) = place.first_chunk_mut()
        {
            (*sample, *length) = (SAMPLE, USUAL_LENGTH);
            *place = rest.to_le_bytes();
        }
        return (start + USUAL_BYTES, usual);
    }
    let mut pen = Pen::new(place, 0);
    pen.put_sample(point, with_start);
    (start + pen.at, None)
}

/// Appends a float sample as [`Pen::put_sample`] writes it.
#[inline]
pub(crate) fn put_sample(output: &mut Vec<u8>, point: &Point, with_start: bool) {
    let (end, _) = put_sample_within(output, point, with_start);
    output.truncate(end);
}

/// A usual sample that is all there is.
#[inline(always)]
pub(crate) fn usual_sample(fields: &[u8]) -> Option<Point> {
    let sample: &[u8; USUAL_BYTES] = fields.try_into().ok()?;
    let (value, [SAMPLE, USUAL_LENGTH, VALUE]) =
        (sample.get(3..11)?.first_chunk()?, sample.first_chunk()?)
    else {
        return None;
    };
    usual_point(*value, *sample.last_chunk()?)
}

/// The same behind its first two bytes: what is in its field.
#[inline]
pub(crate) fn usual_content(content: &[u8]) -> Option<Point> {
    let content: &[u8; USUAL_LENGTH as usize] = content.try_into().ok()?;
    let [VALUE, behind @ ..] = content else {
        return None;
    };
    usual_point(*behind.first_chunk()?, *content.last_chunk()?)
}

/// A point of these bytes of a value and the last byte of these, a key, and six bytes of time.
#[inline(always)]
fn usual_point(value: [u8; 8], last: [u8; 8]) -> Option<Point> {
    const MORE: u64 = 0x8080_8080_8080;
    let last = u64::from_le_bytes(last);
    let (key, at_ms) = (last >> 8 & 0xff, last >> 16);
    if key != u64::from(TIME) || at_ms & MORE != MORE >> 8 {
        return None;
    }
    Some(Point {
        at_ms: sevens(at_ms).cast_signed(),
        value: f64::from_le_bytes(value),
        start_ms: 0,
    })
}

/// The only sample that there is, as senders write it: the value first unless it is zero, then the time, and nothing else.
#[inline]
pub(crate) fn only_sample(fields: &[u8]) -> Option<Point> {
    usual_sample(fields).or_else(|| unusual_sample(fields))
}

fn unusual_sample(fields: &[u8]) -> Option<Point> {
    let (length, value, time) = match fields {
        [SAMPLE, length, VALUE, rest @ ..] => {
            let (value, rest) = rest.split_first_chunk()?;
            let [TIME, time @ ..] = rest else {
                return None;
            };
            (*length, f64::from_le_bytes(*value), time)
        }
        [SAMPLE, length, TIME, time @ ..] => (*length, 0.0, time),
        _ => return None,
    };
    let at_ms = last_varint(fields, time.len())?.cast_signed();
    let is_all = usize::from(length) == fields.len() - 2 && length < 0x80;
    is_all.then_some(Point {
        at_ms,
        value,
        start_ms: 0,
    })
}

#[cfg(test)]
mod tests;
