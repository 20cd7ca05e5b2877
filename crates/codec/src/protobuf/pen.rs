//! Writes into a place that was made before, so that no number asks whether there is room for it.

use model::Point;

use super::{SAMPLES, delimited, fixed64, varint, varint_word};

/// Writes into a place of so many bytes. Beyond its end it only counts.
pub(crate) struct Pen<'p, const ROOM: usize> {
    place: &'p mut [u8; ROOM],
    /// Where the next byte goes.
    pub(crate) at: usize,
}

impl<'p, const ROOM: usize> Pen<'p, ROOM> {
    pub(crate) fn new(place: &'p mut [u8; ROOM], at: usize) -> Self {
        Self { place, at }
    }

    /// Writes bytes of which the first `len` count: what comes next overwrites the others.
    #[inline(always)]
    pub(crate) fn put<const N: usize>(&mut self, bytes: [u8; N], len: usize) {
        if let Some(place) = self.place.get_mut(self.at..self.at + N) {
            place.copy_from_slice(&bytes);
        }
        self.at += len;
    }

    /// Writes a byte for each item.
    #[inline(always)]
    pub(crate) fn put_each<T>(&mut self, items: &[T], byte: impl Fn(&T) -> u8) {
        let end = self.at + items.len();
        if let Some(place) = self.place.get_mut(self.at..end) {
            for (slot, item) in place.iter_mut().zip(items) {
                *slot = byte(item);
            }
        }
        self.at = end;
    }

    /// Writes a number field, unless it is zero, which is the default.
    #[inline(always)]
    pub(crate) fn put_number(&mut self, field: u8, number: u64) {
        if number == 0 {
            return;
        }
        self.put([varint(field)], 1);
        match varint_word(number) {
            Some((word, len)) => self.put(word.to_le_bytes(), len),
            None => self.put_long(number),
        }
    }

    #[cold]
    fn put_long(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.put([(number & 0x7f) as u8 | 0x80], 1);
            number >>= 7;
        }
        self.put([(number & 0x7f) as u8], 1);
    }

    /// Writes field 2 of a `TimeSeries`: `Sample { value = 1, timestamp = 2, start_timestamp = 3 }`,
    /// the last of which only 2.0 has.
    #[inline(always)]
    pub(crate) fn put_sample(&mut self, point: &Point, with_start: bool) {
        self.put_field(SAMPLES, |pen| {
            if point.value.to_bits() != 0 {
                pen.put([fixed64(1)], 1);
                pen.put(point.value.to_bits().to_le_bytes(), 8);
            }
            pen.put_number(2, point.at_ms.cast_unsigned());
            if with_start {
                pen.put_number(3, point.start_ms.cast_unsigned());
            }
        });
    }

    /// Writes a field of at most 127 bytes that `content` writes.
    #[inline(always)]
    pub(crate) fn put_field(&mut self, field: u8, content: impl FnOnce(&mut Self)) {
        let start = self.at;
        self.at += 2;
        content(self);
        let written = self.at - start - 2;
        debug_assert!(written < 0x80, "{written} bytes need a longer length");
        if let Some(head) = self.place.get_mut(start..start + 2) {
            let [length, ..] = written.to_le_bytes();
            head.copy_from_slice(&[delimited(field), length]);
        }
    }
}
