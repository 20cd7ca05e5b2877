//! A series of texts that have numbers and one float sample, written in one go.
//!
//! Nearly everything in a record is such a frame of some forty bytes. Its place is made once, then each byte is put
//! where it belongs: no number asks whether there is room for it.

use model::Point;

use super::{Description, LABELS_REFS, METADATA, TIMESERIES};
use crate::protobuf::{SAMPLES, delimited, fixed64, varint, varint_word};
use crate::record::memo::Known;

/// Lengths of one byte: a longer frame is for who writes any.
const LONGEST: usize = 0x7f;

/// Numbers of texts of one or two bytes.
const MOST_SYMBOLS: u32 = 1 << 14;

/// The heads of the frame and of its references.
const HEADS: usize = 4;

/// What may be written before the length is looked at: a number takes eight bytes, the rest of which the next one
/// overwrites.
const ROOM: usize = HEADS + LONGEST + 8;

/// Where something is in the record's series.
pub(super) type Place = (usize, usize);

/// So many texts have numbers of one byte.
pub(super) const FEW: usize = 0x80;

/// The symbols of a series' texts.
#[derive(Clone, Copy)]
pub(super) struct Texts<'t> {
    /// Before `__name__`.
    pub(super) before: &'t [Known],
    pub(super) name: [u32; 2],
    pub(super) behind: &'t [Known],
    /// Whether the record has not more than [`FEW`].
    pub(super) are_few: bool,
}

/// Appends a frame, and answers where its references and where its sample are; or appends nothing if it is
/// not one of the usual ones.
#[inline]
pub(super) fn put(
    output: &mut Vec<u8>,
    texts: Texts<'_>,
    description: Description,
    point: &Point,
) -> Option<(Place, Place)> {
    let start = output.len();
    output.extend_from_slice(&[0; ROOM]);
    let frame = output.last_chunk_mut::<ROOM>()?;
    let Some((refs_end, sample_end, end)) = write(frame, texts, description, point) else {
        output.truncate(start);
        return None;
    };
    output.truncate(start + end);
    Some((
        (start + HEADS, start + refs_end),
        (start + refs_end, start + sample_end),
    ))
}

#[inline]
fn write(
    frame: &mut [u8; ROOM],
    texts: Texts<'_>,
    description: Description,
    point: &Point,
) -> Option<(usize, usize, usize)> {
    let mut pen = Pen {
        frame: &mut *frame,
        at: HEADS,
    };
    let mut all = 0;
    if texts.are_few {
        pen.put_few(texts.before);
        let [label, name] = texts.name;
        pen.put([short(label), short(name)], 2);
        pen.put_few(texts.behind);
    } else {
        all |= pen.put_any(texts.before.iter().map(|(_, symbol)| *symbol));
        all |= pen.put_any(texts.name);
        all |= pen.put_any(texts.behind.iter().map(|(_, symbol)| *symbol));
    }
    let refs_end = pen.at;
    pen.put_sample(point)?;
    let sample_end = pen.at;
    if description != Description::default() {
        pen.put_description(description)?;
        all |= description.help | description.unit;
    }
    let end = pen.at;
    // A pen that was beyond the room has gone on counting.
    let content = u8::try_from(end - 2).ok()?;
    if usize::from(content) > LONGEST || all >= MOST_SYMBOLS {
        return None;
    }
    let refs = u8::try_from(refs_end - HEADS).ok()?;
    let heads = frame.first_chunk_mut::<HEADS>()?;
    *heads = [delimited(TIMESERIES), content, delimited(LABELS_REFS), refs];
    Some((refs_end, sample_end, end))
}

/// A number below [`FEW`].
#[inline(always)]
fn short(symbol: u32) -> u8 {
    (symbol & 0x7f) as u8
}

/// Writes into a frame. Beyond its end it only counts.
struct Pen<'f> {
    frame: &'f mut [u8; ROOM],
    at: usize,
}

impl Pen<'_> {
    /// Writes bytes of which the first `len` count.
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N], len: usize) {
        if let Some(place) = self.frame.get_mut(self.at..self.at + N) {
            place.copy_from_slice(&bytes);
        }
        self.at += len;
    }

    /// Writes numbers of one byte.
    #[inline(always)]
    fn put_few(&mut self, texts: &[Known]) {
        let end = self.at + texts.len();
        if let Some(place) = self.frame.get_mut(self.at..end) {
            for (byte, (_, symbol)) in place.iter_mut().zip(texts) {
                *byte = short(*symbol);
            }
        }
        self.at = end;
    }

    /// Writes numbers of one byte or two, and answers all their bits.
    #[inline(always)]
    fn put_any(&mut self, symbols: impl IntoIterator<Item = u32>) -> u32 {
        let mut all = 0;
        for symbol in symbols {
            all |= symbol;
            self.put_symbol(symbol);
        }
        all
    }

    #[inline(always)]
    fn put_symbol(&mut self, symbol: u32) {
        let is_long = symbol >= 0x80;
        let [low, high, ..] =
            (symbol & 0x7f | u32::from(is_long) << 7 | (symbol >> 7) << 8).to_le_bytes();
        self.put([low, high], 1 + usize::from(is_long));
    }

    /// Writes a number field, unless it is zero, which is the default.
    #[inline(always)]
    fn put_number(&mut self, field: u8, number: u64) -> Option<()> {
        if number != 0 {
            let (word, len) = varint_word(number)?;
            self.put([varint(field)], 1);
            self.put(word.to_le_bytes(), len);
        }
        Some(())
    }

    /// `None` for numbers that are longer than any time.
    #[inline(always)]
    fn put_sample(&mut self, point: &Point) -> Option<()> {
        let start = self.at;
        self.at += 2;
        if point.value.to_bits() != 0 {
            self.put([fixed64(1)], 1);
            self.put(point.value.to_bits().to_le_bytes(), 8);
        }
        self.put_number(2, point.at_ms.cast_unsigned())?;
        self.put_number(3, point.start_ms.cast_unsigned())?;
        self.put_length(start, SAMPLES)
    }

    #[inline(never)]
    fn put_description(&mut self, description: Description) -> Option<()> {
        let start = self.at;
        self.at += 2;
        self.put_number(1, u64::from(description.kind.wire()))?;
        self.put_number(3, u64::from(description.help))?;
        self.put_number(4, u64::from(description.unit))?;
        self.put_length(start, METADATA)
    }

    /// Writes the head of a field that began at `start` and is complete.
    #[inline(always)]
    fn put_length(&mut self, start: usize, field: u8) -> Option<()> {
        let content = u8::try_from(self.at - start - 2).ok()?;
        let head = self.frame.get_mut(start..start + 2)?;
        head.copy_from_slice(&[delimited(field), content]);
        Some(())
    }
}
