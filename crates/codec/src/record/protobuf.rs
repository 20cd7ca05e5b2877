//! A remote-write 2.0 request into a block, field by field.
//!
//! Lenient where senders differ: symbols may follow the series, numbers may be packed or not, the
//! start time may be the series' or the sample's. Memory is a small multiple of the record.

use bytes::Bytes;
use model::{Block, BlockBuilder, BlockError, Histogram, MetricType, Point};

use super::RecordError;
use crate::protobuf::{Malformed, Reader, Value, only_sample, usual_sample};

pub(super) fn decode(value: &Bytes) -> Result<Block, RecordError> {
    read::<true>(value)
}

/// The same without any shortcut, which the shortcuts are compared with.
#[cfg(test)]
pub(super) fn decode_field_by_field(value: &Bytes) -> Result<Block, RecordError> {
    read::<false>(value)
}

fn read<const SHORTCUTS: bool>(value: &Bytes) -> Result<Block, RecordError> {
    let mut builder = BlockBuilder::new();
    let table = match SHORTCUTS {
        true => Table::at_start_of(value),
        false => Table::default(),
    };
    let mut reader = Reader(value.get(table.bytes.len()..).unwrap_or_default());
    let alike = reserve(&table, reader, &mut builder).map_err(at_top)?;
    let mut refs = Vec::new();
    let mut symbols = table.symbols;
    let mut series = 0_usize;
    table.put(&mut builder)?;
    loop {
        let plain = match reader.0 {
            [0x2a, length @ ..0x80, rest @ ..] if SHORTCUTS => {
                let bytes = rest.split_at_checked(usize::from(*length));
                bytes.and_then(|(bytes, behind)| {
                    let read = read_plain_series(bytes, &mut builder)?;
                    reader.0 = behind;
                    Some(read)
                })
            }
            _ => None,
        };
        let read = match plain {
            Some(read) => read,
            None => match reader.field().map_err(at_top)? {
                None => break,
                Some((4, field)) => {
                    let text = field.bytes().map_err(|error| in_symbol(symbols, error))?;
                    if symbols == 0 && !text.is_empty() {
                        return Err(first_symbol());
                    }
                    builder.raw_symbol(text);
                    symbols += 1;
                    continue;
                }
                Some((5, field)) => field
                    .bytes()
                    .and_then(|bytes| read_series(value, bytes, &mut builder, &mut refs)),
                Some(_) => continue,
            },
        };
        let is_named = read.map_err(|error| RecordError::Protobuf {
            why: format!("series {series}: {error}"),
        })?;
        // Two bytes of nothing must not cost a series' memory.
        if !is_named {
            return Err(BlockError::NoName.into());
        }
        if series == 0 {
            // A point, or the number of a label, takes a byte at least.
            builder.reserve_alike(alike.saturating_sub(1), value.len());
        }
        series += 1;
    }
    builder.build().map_err(|error| match error {
        BlockError::Utf8 { symbol } => in_symbol(symbol, Malformed::Utf8),
        error => error.into(),
    })
}

fn in_symbol(symbol: usize, error: Malformed) -> RecordError {
    RecordError::Protobuf {
        why: format!("symbol {symbol}: {error}"),
    }
}

fn first_symbol() -> RecordError {
    RecordError::Protobuf {
        why: "symbol 0 is not empty".to_owned(),
    }
}

/// The symbols that a record starts with, as far as each has less than 128 bytes: nearly always all of them.
///
/// What is between their texts is ASCII then, so that they are copied and checked as one text.
#[derive(Default)]
struct Table<'a> {
    bytes: &'a [u8],
    symbols: usize,
}

/// The key and the length before a symbol of a [`Table`].
const SYMBOL_HEAD: usize = 2;

impl<'a> Table<'a> {
    fn at_start_of(record: &'a [u8]) -> Self {
        let (mut rest, mut symbols) = (record, 0);
        while let Some((_, behind)) = Self::split(rest) {
            symbols += 1;
            rest = behind;
        }
        let (bytes, _) = record.split_at(record.len() - rest.len());
        Self { bytes, symbols }
    }

    /// The first symbol's bytes, and what is behind it.
    #[inline]
    fn split(bytes: &[u8]) -> Option<(usize, &[u8])> {
        let [0x22, length @ ..0x80, rest @ ..] = bytes else {
            return None;
        };
        let length = usize::from(*length);
        Some((length, rest.get(length..)?))
    }

    fn put(&self, builder: &mut BlockBuilder) -> Result<(), RecordError> {
        let (mut rest, mut at) = (self.bytes, 0);
        let places = std::iter::from_fn(|| {
            let (length, behind) = Self::split(rest)?;
            rest = behind;
            let start = at + SYMBOL_HEAD;
            at = start + length;
            Some(start..at)
        });
        match self.bytes {
            [] => Ok(()),
            [_, 0, ..] => {
                builder.raw_symbols(self.bytes, places);
                Ok(())
            }
            _ => Err(first_symbol()),
        }
    }
}

/// Looks at the outline of what is behind the table and makes room for what the record holds; answers how many series
/// that is.
fn reserve(
    table: &Table<'_>,
    mut reader: Reader<'_>,
    builder: &mut BlockBuilder,
) -> Result<usize, Malformed> {
    /// Of a series with a name and a sample.
    const FEWEST_BYTES: usize = 6;
    let (mut symbols, mut text_bytes, mut series) = (table.symbols, table.bytes.len(), 0);
    loop {
        // Nearly all that there is.
        while let [0x2a, length @ ..0x80, rest @ ..] = reader.0
            && let Some(behind) = rest.get(usize::from(*length)..)
        {
            series += usize::from(usize::from(*length) >= FEWEST_BYTES);
            reader.0 = behind;
        }
        match reader.field()? {
            None => break,
            Some((4, Value::Bytes(text))) => {
                symbols += 1;
                text_bytes += text.len();
            }
            Some((5, Value::Bytes(bytes))) if bytes.len() >= FEWEST_BYTES => series += 1,
            Some(_) => {}
        }
    }
    builder.reserve(symbols, text_bytes, series);
    Ok(series)
}

fn at_top(error: Malformed) -> RecordError {
    RecordError::Protobuf {
        why: error.to_string(),
    }
}

/// Reads a `TimeSeries`; answers whether it has labels at all.
fn read_series(
    record: &Bytes,
    bytes: &[u8],
    builder: &mut BlockBuilder,
    refs: &mut Vec<u32>,
) -> Result<bool, Malformed> {
    let mut named = false;
    let mut has_exemplars = false;
    let mut created_ms = 0;
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            // Fewer than 128 symbols: the bytes are the numbers.
            1 if let Value::Bytes(packed) = field
                && packed.is_ascii() =>
            {
                named |= !packed.is_empty();
                builder.label_refs(packed.iter().copied().map(u32::from));
            }
            1 => field.each_uint32(|reference| {
                named = true;
                builder.label_ref(reference);
            })?,
            2 => builder.point(read_point(field.bytes()?)?),
            3 => builder.histogram(read_histogram(record, field.bytes()?)?),
            4 => has_exemplars = true,
            5 => read_metadata(field.bytes()?, builder)?,
            6 => created_ms = field.int64()?,
            _ => {}
        }
    }
    // The block wants them after the series' own references, whatever the order on the wire.
    let mut reader = Reader(if has_exemplars { bytes } else { &[] });
    while let Some((number, field)) = reader.field()? {
        if number == 4 {
            read_exemplar(field, builder, refs)?;
        }
    }
    if created_ms != 0 {
        builder.default_start(created_ms);
    }
    builder.end_series();
    Ok(named)
}

/// The most references that a plain series has: 32 labels.
const MOST_REFS: usize = 64;

/// What nearly all have at most.
const FEW_REFS: usize = 16;

/// Reads a `TimeSeries` as Sluice writes nearly all of them: up to 16,383 symbols, one float sample, and a description
/// or none. Answers like [`read_series`], and `None` when it may be something else, or wrong.
#[inline(always)]
fn read_plain_series(bytes: &[u8], builder: &mut BlockBuilder) -> Option<Result<bool, Malformed>> {
    let [0x0a, length @ ..0x80, rest @ ..] = bytes else {
        return None;
    };
    let (refs, rest) = rest.split_at_checked(usize::from(*length))?;
    // Nearly all series end with their sample.
    let (point, metadata) = match usual_sample(rest) {
        Some(point) => (point, None),
        None => read_rest(rest)?,
    };
    // Read to where they stay: a processor waits when it copies in large pieces what has just been put in small ones.
    let count = match (refs.is_ascii(), refs.len()) {
        (true, ..=FEW_REFS) => builder.references::<FEW_REFS>(|place| read_narrow(refs, place)),
        (true, _) => builder.references::<MOST_REFS>(|place| read_narrow(refs, place)),
        (false, ..=FEW_REFS) => builder.references::<FEW_REFS>(|place| read_wide(refs, place)),
        (false, _) => builder.references::<MOST_REFS>(|place| read_wide(refs, place)),
    }?;
    if let Some(metadata) = metadata
        && let Err(error) = read_metadata(metadata, builder)
    {
        return Some(Err(error));
    }
    builder.series_of_one(point);
    Some(Ok(count > 0))
}

/// Reads what is behind a plain series' references: its sample, and its description where it has one.
fn read_rest(rest: &[u8]) -> Option<(Point, Option<&[u8]>)> {
    let [0x12, length @ ..0x80, ..] = rest else {
        return None;
    };
    let (sample, rest) = rest.split_at_checked(2 + usize::from(*length))?;
    let point = only_sample(sample)?;
    let metadata = match rest {
        [] => None,
        [0x2a, length @ ..0x80, content @ ..] if usize::from(*length) == content.len() => {
            Some(content)
        }
        _ => return None,
    };
    Some((point, metadata))
}

/// Reads packed references of one byte each, and answers how many; `None` when there are too many.
#[inline(always)]
fn read_narrow(packed: &[u8], place: &mut [u32]) -> Option<usize> {
    let (eights, rest) = packed.as_chunks::<8>();
    let (places, _) = place.as_chunks_mut::<8>();
    for (place, eight) in places.iter_mut().zip(eights) {
        *place = eight.map(u32::from);
    }
    let places = place.get_mut(packed.len() - rest.len()..packed.len())?;
    for (place, byte) in places.iter_mut().zip(rest) {
        *place = u32::from(*byte);
    }
    Some(packed.len())
}

/// Reads packed references of one byte or two, and answers how many; `None` when one has more or breaks off, or when
/// there are too many.
#[inline(always)]
fn read_wide(mut packed: &[u8], place: &mut [u32]) -> Option<usize> {
    let mut count = 0;
    while let [low, rest @ ..] = packed {
        let slot = place.get_mut(count)?;
        (*slot, packed) = match rest {
            _ if *low < 0x80 => (u32::from(*low), rest),
            [high @ ..0x80, rest @ ..] => (u32::from(low & 0x7f) | u32::from(*high) << 7, rest),
            _ => return None,
        };
        count += 1;
    }
    Some(count)
}

fn read_point(bytes: &[u8]) -> Result<Point, Malformed> {
    let mut point = Point {
        at_ms: 0,
        value: 0.0,
        start_ms: 0,
    };
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => point.value = field.double()?,
            2 => point.at_ms = field.int64()?,
            3 => point.start_ms = field.int64()?,
            _ => {}
        }
    }
    Ok(point)
}

fn read_histogram(record: &Bytes, bytes: &[u8]) -> Result<Histogram, Malformed> {
    let mut at_ms = 0;
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        if number == 15 {
            at_ms = field.int64()?;
        }
    }
    Ok(Histogram {
        at_ms,
        message: record.slice_ref(bytes),
    })
}

fn read_exemplar(
    field: Value<'_>,
    builder: &mut BlockBuilder,
    refs: &mut Vec<u32>,
) -> Result<(), Malformed> {
    refs.clear();
    let (mut value, mut at_ms) = (0.0, 0);
    let mut reader = Reader(field.bytes()?);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => field.each_uint32(|reference| refs.push(reference))?,
            2 => value = field.double()?,
            3 => at_ms = field.int64()?,
            _ => {}
        }
    }
    builder.exemplar(at_ms, value, refs.iter().copied());
    Ok(())
}

fn read_metadata(bytes: &[u8], builder: &mut BlockBuilder) -> Result<(), Malformed> {
    let (mut kind, mut help, mut unit) = (0, 0, 0);
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            // An enum may be negative, which is no type that we know.
            1 => kind = u32::try_from(field.varint()?).unwrap_or_default(),
            3 => help = field.uint32()?,
            4 => unit = field.uint32()?,
            _ => {}
        }
    }
    builder.metadata(MetricType::from_wire(kind), unit, help);
    Ok(())
}
