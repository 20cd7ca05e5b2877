//! A remote-write 2.0 request into a block, field by field.
//!
//! Lenient where senders differ: symbols may follow the series, numbers may be packed or not, the
//! start time may be the series' or the sample's. Memory is a small multiple of the record.

use bytes::Bytes;
use model::{Block, BlockBuilder, BlockError, Histogram, MetricType, Point};

use super::RecordError;
use crate::protobuf::{Malformed, Reader, Value};

pub(super) fn decode(value: &Bytes) -> Result<Block, RecordError> {
    let mut builder = BlockBuilder::new();
    let alike = reserve(value, &mut builder).map_err(at_top)?;
    let mut refs = Vec::new();
    let mut symbols = 0_usize;
    let mut series = 0_usize;
    let mut reader = Reader(value);
    while let Some((number, field)) = reader.field().map_err(at_top)? {
        match number {
            4 => {
                let text = field.bytes().map_err(|error| in_symbol(symbols, error))?;
                if symbols == 0 && !text.is_empty() {
                    let why = "symbol 0 is not empty".to_owned();
                    return Err(RecordError::Protobuf { why });
                }
                builder.raw_symbol(text);
                symbols += 1;
            }
            5 => {
                let named = field
                    .bytes()
                    .and_then(|bytes| read_series(value, bytes, &mut builder, &mut refs))
                    .map_err(|error| RecordError::Protobuf {
                        why: format!("series {series}: {error}"),
                    })?;
                // Two bytes of nothing must not cost a series' memory.
                if !named {
                    return Err(BlockError::NoName.into());
                }
                if series == 0 {
                    // A point, or the number of a label, takes a byte at least.
                    builder.reserve_alike(alike.saturating_sub(1), value.len());
                }
                series += 1;
            }
            _ => {}
        }
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

/// Looks at the record's outline and makes room for what it holds; answers how many series that is.
fn reserve(value: &[u8], builder: &mut BlockBuilder) -> Result<usize, Malformed> {
    /// Of a series with a name and a sample.
    const FEWEST_BYTES: usize = 6;
    let (mut symbols, mut text_bytes, mut series) = (0, 0, 0);
    let mut reader = Reader(value);
    while let Some((number, field)) = reader.field()? {
        match (number, field) {
            (4, Value::Bytes(text)) => {
                symbols += 1;
                text_bytes += text.len();
            }
            (5, Value::Bytes(bytes)) if bytes.len() >= FEWEST_BYTES => series += 1,
            _ => {}
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
    if let Some(plain) = Plain::read(bytes) {
        if let Some(metadata) = plain.metadata {
            read_metadata(metadata, builder)?;
        }
        builder.series_of_one(plain.refs.iter().copied().map(u32::from), plain.point);
        return Ok(!plain.refs.is_empty());
    }
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

/// A `TimeSeries` as Sluice writes nearly all of them: up to 127 symbols, one float sample, and a description or none.
struct Plain<'a> {
    /// A byte each.
    refs: &'a [u8],
    point: Point,
    metadata: Option<&'a [u8]>,
}

impl<'a> Plain<'a> {
    /// `None` when it may be something else, or wrong.
    #[inline]
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let [0x0a, length @ ..0x80, rest @ ..] = bytes else {
            return None;
        };
        let (refs, rest) = rest.split_at_checked(usize::from(*length))?;
        let [0x12, length @ ..0x80, rest @ ..] = rest else {
            return None;
        };
        let (sample, rest) = rest.split_at_checked(usize::from(*length))?;
        let (value, at_ms) = match sample {
            [0x09, sample @ ..] => {
                let (value, sample) = sample.split_first_chunk()?;
                (f64::from_le_bytes(*value), sample)
            }
            sample => (0.0, sample),
        };
        let [0x10, at_ms @ ..] = at_ms else {
            return None;
        };
        let mut reader = Reader(at_ms);
        let at_ms = reader.varint().ok()?.cast_signed();
        let metadata = match rest {
            [] => None,
            [0x2a, length @ ..0x80, content @ ..] if usize::from(*length) == content.len() => {
                Some(content)
            }
            _ => return None,
        };
        let point = Point {
            at_ms,
            value,
            start_ms: 0,
        };
        (reader.0.is_empty() && refs.is_ascii()).then_some(Self {
            refs,
            point,
            metadata,
        })
    }
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
