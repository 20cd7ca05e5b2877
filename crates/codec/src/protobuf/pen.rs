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

    /// Writes a number field, unless it is zero, which is the default; `None` for numbers of more than 56 bits.
    #[inline(always)]
    pub(crate) fn put_number(&mut self, field: u8, number: u64) -> Option<()> {
        if number != 0 {
            let (word, len) = varint_word(number)?;
            self.put([varint(field)], 1);
            self.put(word.to_le_bytes(), len);
        }
        Some(())
    }

    /// Writes a float sample as [`super::put_sample`] does; `None` for times of more than 56 bits.
    #[inline(always)]
    pub(crate) fn put_sample(&mut self, point: &Point, with_start: bool) -> Option<()> {
        let start = self.at;
        self.at += 2;
        if point.value.to_bits() != 0 {
            self.put([fixed64(1)], 1);
            self.put(point.value.to_bits().to_le_bytes(), 8);
        }
        self.put_number(2, point.at_ms.cast_unsigned())?;
        if with_start {
            self.put_number(3, point.start_ms.cast_unsigned())?;
        }
        self.put_length(start, SAMPLES)
    }

    /// Writes the head of a field of less than 128 bytes that began at `start` and is complete.
    #[inline(always)]
    pub(crate) fn put_length(&mut self, start: usize, field: u8) -> Option<()> {
        let content = u8::try_from(self.at - start - 2).ok()?;
        debug_assert!(content < 0x80, "{content} bytes need a longer length");
        let head = self.place.get_mut(start..start + 2)?;
        head.copy_from_slice(&[delimited(field), content]);
        Some(())
    }
}
