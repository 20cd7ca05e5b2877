//! A series of texts that have numbers and one float sample, written in one go.
//!
//! Nearly everything in a record is such a frame of some forty bytes. Its place is made once, then each byte is put
//! where it belongs: no number asks whether there is room for it.

use model::Point;

use super::{Description, LABELS_REFS, METADATA, TIMESERIES};
use crate::protobuf::{Pen, delimited};
use crate::record::memo::Known;

/// Lengths of one byte: a longer frame is for who writes any.
const LONGEST: usize = 0x7f;

/// Numbers of texts of one or two bytes.
const MOST_SYMBOLS: u32 = 1 << 14;

/// The heads of the frame and of its references.
const HEADS: usize = 4;

/// What may be written before the length is looked at: a description takes so many bytes and a number eight, the rest of
/// which is overwritten or cut off.
const ROOM: usize = HEADS + LONGEST + LONGEST_SAID;

/// Two bytes of head, two for the type, three for each text.
const LONGEST_SAID: usize = 16;

/// Where something is in the record's series.
pub(super) type Place = (usize, usize);

/// So many texts have numbers of one byte.
pub(super) const FEW: usize = 0x80;

/// A description as it is written, which mostly is that of the series before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    description: Description,
    /// Of which so many count.
    bytes: [u8; LONGEST_SAID],
    len: usize,
}

impl Said {
    /// Turns to a description. Whether it is a usual one.
    #[inline]
    pub(super) fn turn_to(&mut self, description: Description) -> bool {
        if self.description == description {
            return true;
        }
        let said = Self::write(description);
        if let Some(said) = said {
            *self = said;
        }
        said.is_some()
    }

    #[inline(never)]
    fn write(description: Description) -> Option<Self> {
        let mut bytes = [0; LONGEST_SAID];
        let mut pen = Pen::new(&mut bytes, 0);
        if description != Description::default() {
            pen.put_field(METADATA, |pen| {
                pen.put_number(1, u64::from(description.kind.wire()));
                pen.put_number(3, u64::from(description.help));
                pen.put_number(4, u64::from(description.unit));
            });
        }
        let len = pen.at;
        (description.help | description.unit < MOST_SYMBOLS).then_some(Self {
            description,
            bytes,
            len,
        })
    }
}

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
    said: &Said,
    point: &Point,
) -> Option<(Place, Place)> {
    let start = output.len();
    output.extend_from_slice(&[0; ROOM]);
    let frame = output.last_chunk_mut::<ROOM>()?;
    let Some((refs_end, sample_end, end)) = write(frame, texts, said, point) else {
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
    said: &Said,
    point: &Point,
) -> Option<(usize, usize, usize)> {
    let mut pen = Pen::new(&mut *frame, HEADS);
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
    pen.put_sample(point, true);
    let sample_end = pen.at;
    pen.put(said.bytes, said.len);
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

impl Pen<'_, ROOM> {
    /// Writes numbers of one byte.
    #[inline(always)]
    fn put_few(&mut self, texts: &[Known]) {
        self.put_each(texts, |(_, symbol)| short(*symbol));
    }

    /// Writes numbers of one byte or two, and answers all their bits.
    #[inline(always)]
    fn put_any(&mut self, symbols: impl IntoIterator<Item = u32>) -> u32 {
        let mut all = 0;
        for symbol in symbols {
            all |= symbol;
            let is_long = symbol >= 0x80;
            let bytes = symbol & 0x7f | u32::from(is_long) << 7 | (symbol >> 7) << 8;
            let [low, high, ..] = bytes.to_le_bytes();
            self.put([low, high], 1 + usize::from(is_long));
        }
        all
    }
}
