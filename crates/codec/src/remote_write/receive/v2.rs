//! Reads an `io.prometheus.write.v2.Request`, remote write 2.0, into a batch.
//!
//! Symbols may follow the series that refer to them, and the start time may be the sample's or the series': senders
//! of the protocol's earlier drafts are still around.

mod by_texts;

use model::{Batch, Code, Family, Limits, MetricType, Refusal};

use super::series::{Facts, Labels};
use super::{Failure, MAX_EXEMPLAR_LABELS, Reading};
use crate::catalogue::Walk;
use crate::protobuf::{Malformed, Reader, Value, usual_content};
use crate::{Decoded, Ignored};
use by_texts::ByTexts;

const MESSAGE: &str = "io.prometheus.write.v2.Request";

/// Of a series with a name, a label and a sample.
const FEWEST_BYTES: usize = 20;

/// Of a request that a catalogue is looked at for. An empty text takes two bytes, and its number eight.
const MOST_SYMBOLS: usize = 1 << 20;

pub(super) fn decode<'a>(
    body: &'a [u8],
    limits: &Limits,
    walk: Option<Walk<'a, '_>>,
) -> Result<Decoded<'a>, Refusal> {
    let (symbols, likely) = read_symbols(body).map_err(|error| error.refusal(MESSAGE, ""))?;
    let likely = likely.min(limits.max_samples);
    let walk = walk.filter(|_| symbols.0.len() <= MOST_SYMBOLS);
    let batch = match &walk {
        // What is known has no labels in the batch.
        Some(_) => Batch::with_samples(likely),
        None => Batch::with_capacity(likely, 4),
    };
    let mut reading = Reading::new(limits, batch);
    let mut walk = walk.map(|walk| ByTexts::new(walk, symbols.0.len()));
    let mut reader = Reader(body);
    let mut series = 0_usize;
    while let Some((number, field)) = reader
        .field()
        .map_err(|error| Failure::from(error).refusal(MESSAGE, ""))?
    {
        if number == 5 {
            field
                .bytes()
                .map_err(Failure::from)
                .and_then(|bytes| match &mut walk {
                    Some(walk) => walk.find_series(bytes, &symbols, &mut reading),
                    None => read_series(bytes, &symbols, &mut reading).map(|_| ()),
                })
                .map_err(|error| error.refusal(MESSAGE, &format!("series {series}: ")))?;
            series += 1;
        }
    }
    if let Some(walk) = walk {
        reading.decoded.unknown = walk.end(reading.decoded.objects);
    }
    Ok(reading.decoded)
}

/// The texts of a request by number; `None` for one that is not UTF-8.
struct Symbols<'a>(Vec<Option<&'a str>>);

/// What a reference that names no text is.
enum BadSymbol {
    Unknown { reference: u32, symbols: usize },
    NotUtf8 { reference: u32 },
}

impl<'a> Symbols<'a> {
    #[inline]
    fn get(&self, reference: u64) -> Option<&'a str> {
        let at = usize::try_from(reference).ok()?;
        *self.0.get(at)?
    }

    fn text(&self, reference: u32) -> Result<&'a str, BadSymbol> {
        match self.0.get(reference as usize) {
            Some(Some(text)) => Ok(text),
            Some(None) => Err(BadSymbol::NotUtf8 { reference }),
            None => Err(BadSymbol::Unknown {
                reference,
                symbols: self.0.len(),
            }),
        }
    }
}

impl std::fmt::Display for BadSymbol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { reference, symbols } => {
                write!(f, "symbol {reference} is not one of the {symbols} symbols")
            }
            Self::NotUtf8 { reference } => write!(f, "symbol {reference} is not UTF-8"),
        }
    }
}

/// The symbols, and how many series there are that have something in them.
fn read_symbols(body: &[u8]) -> Result<(Symbols<'_>, usize), Failure> {
    let mut symbols = Vec::with_capacity(body.len() / 64);
    let mut series = 0;
    let mut reader = Reader(body);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 | 3 => {
                let message = "the body looks like remote write 1.0; its content type is \
                               application/x-protobuf without proto=io.prometheus.write.v2.Request";
                return Err(Refusal::new(Code::BodyInvalid, message).into());
            }
            4 => symbols.push(std::str::from_utf8(field.bytes()?).ok()),
            5 => series += usize::from(field.bytes()?.len() >= FEWEST_BYTES),
            _ => {}
        }
    }
    Ok((Symbols(symbols), series))
}

/// Pairs of references, which may come in any number of pieces.
struct Pairs<'s, 'a> {
    symbols: &'s Symbols<'a>,
    name: Option<&'a str>,
    bad: Option<BadSymbol>,
}

impl<'s, 'a> Pairs<'s, 'a> {
    fn new(symbols: &'s Symbols<'a>) -> Self {
        Self {
            symbols,
            name: None,
            bad: None,
        }
    }

    #[inline]
    fn read(
        &mut self,
        field: Value<'a>,
        mut each: impl FnMut(&'a str, &'a str),
    ) -> Result<(), Malformed> {
        let mut rest = field;
        if let Value::Bytes(packed) = field
            && self.name.is_none()
        {
            // As senders write it: whole pairs of good references.
            let mut reader = Reader(packed);
            while !reader.0.is_empty() {
                rest = Value::Bytes(reader.0);
                let Some((name, value)) = self.pair(&mut reader)? else {
                    break;
                };
                each(name, value);
                rest = Value::Bytes(reader.0);
            }
        }
        if rest == Value::Bytes(&[]) {
            return Ok(());
        }
        self.read_any(rest, &mut each)
    }

    /// The next two references' texts, if they are there.
    #[inline]
    fn pair(&self, reader: &mut Reader<'a>) -> Result<Option<(&'a str, &'a str)>, Malformed> {
        let name = reader.varint()?;
        if reader.0.is_empty() {
            return Ok(None);
        }
        let value = reader.varint()?;
        Ok(self.symbols.get(name).zip(self.symbols.get(value)))
    }

    #[inline(never)]
    fn read_any(
        &mut self,
        field: Value<'a>,
        each: &mut impl FnMut(&'a str, &'a str),
    ) -> Result<(), Malformed> {
        field.each_uint32(|reference| match self.symbols.text(reference) {
            Ok(text) => match self.name.take() {
                None => self.name = Some(text),
                Some(name) => each(name, text),
            },
            Err(bad) => {
                self.name = match self.name {
                    None => Some(""),
                    Some(_) => None,
                };
                self.bad.get_or_insert(bad);
            }
        })
    }

    /// What is wrong with the references.
    fn problem(&self) -> Option<String> {
        match (&self.bad, self.name) {
            (Some(bad), _) => Some(bad.to_string()),
            (None, Some(name)) => Some(format!("label {name:?} has no reference to its value")),
            (None, None) => None,
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Metadata {
    kind: u32,
    help: u32,
    unit: u32,
}

/// Reads a series and answers what its objects share, if it has any.
fn read_series<'a>(
    bytes: &'a [u8],
    symbols: &Symbols<'a>,
    reading: &mut Reading<'a, '_>,
) -> Result<Option<Facts<'a>>, Failure> {
    let limits = reading.limits;
    let mut labels = Labels::open(&reading.decoded.batch);
    let mut pairs = Pairs::new(symbols);
    let mut metadata = None;
    let mut start_ms = 0;
    // Samples come behind the labels, and need them; on the wire, order means nothing.
    let mut objects = None;
    let mut reader = Reader(bytes);
    loop {
        let here = reader;
        let Some((number, field)) = reader.field()? else {
            break;
        };
        match number {
            1 => {
                let batch = &mut reading.decoded.batch;
                pairs.read(field, |name, value| labels.push(name, value, limits, batch))?;
            }
            2..=4 if objects.is_none() => objects = Some(here),
            5 => metadata = Some(read_metadata(field.bytes()?)?),
            6 => start_ms = field.int64()?,
            _ => {}
        }
    }
    if let Some(problem) = pairs.problem() {
        labels.refuse(Code::LabelsInvalid, || problem);
    }
    let described = metadata.map(|metadata| describe(metadata, symbols, reading));
    if let Some(Err(bad)) = &described {
        labels.refuse(Code::MetadataInvalid, || bad.to_string());
    }
    let name = labels.name.unwrap_or_default();
    let Some(mut reader) = objects else {
        labels.forget(&mut reading.decoded.batch);
        if let Some(Ok((kind, unit, help))) = described
            && !name.is_empty()
            && reading.decoded.families.len() < limits.max_samples
        {
            reading.decoded.families.push(Family {
                name: name.into(),
                kind,
                unit: unit.into(),
                help: help.into(),
            });
        }
        return Ok(None);
    };
    let batch = &mut reading.decoded.batch;
    let series = labels.close(limits, batch);
    if let (Ok(series), Some(Ok((kind, unit, help)))) = (&series, described) {
        batch.describe(*series, kind, unit, help);
    }
    let facts = Facts {
        series,
        name,
        start_ms,
    };
    while let Some((number, field)) = reader.field()? {
        match number {
            2 => {
                let (value, at_ms, start_ms) = read_sample(field.bytes()?)?;
                reading.float(&facts, at_ms, start_ms, value)?;
            }
            3 => reading.histogram(&facts, field.bytes()?)?,
            4 => read_exemplar(field.bytes()?, &facts, symbols, reading)?,
            _ => {}
        }
    }
    Ok(Some(facts))
}

fn read_sample(bytes: &[u8]) -> Result<(f64, i64, i64), Malformed> {
    if let Some(point) = usual_content(bytes) {
        return Ok((point.value, point.at_ms, 0));
    }
    let (mut value, mut at_ms, mut start_ms) = (0.0, 0, 0);
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => value = field.double()?,
            2 => at_ms = field.int64()?,
            3 => start_ms = field.int64()?,
            _ => {}
        }
    }
    Ok((value, at_ms, start_ms))
}

fn read_exemplar<'a>(
    bytes: &'a [u8],
    facts: &Facts<'a>,
    symbols: &Symbols<'a>,
    reading: &mut Reading<'a, '_>,
) -> Result<(), Malformed> {
    let batch = &mut reading.decoded.batch;
    let from = batch.open_labels();
    let mut pairs = Pairs::new(symbols);
    let (mut value, mut at_ms, mut is_good) = (0.0, 0, true);
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => pairs.read(field, |name, text| {
                if batch.open_labels() - from < MAX_EXEMPLAR_LABELS {
                    batch.push_label(name, text);
                } else {
                    is_good = false;
                }
            })?,
            2 => value = field.double()?,
            3 => at_ms = field.int64()?,
            _ => {}
        }
    }
    is_good &= pairs.problem().is_none();
    reading.exemplar(facts, at_ms, value, from, is_good);
    Ok(())
}

fn read_metadata(bytes: &[u8]) -> Result<Metadata, Malformed> {
    let mut metadata = Metadata::default();
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            // An enum may be negative, which is no type that we know.
            1 => metadata.kind = u32::try_from(field.varint()?).unwrap_or_default(),
            3 => metadata.help = field.uint32()?,
            4 => metadata.unit = field.uint32()?,
            _ => {}
        }
    }
    Ok(metadata)
}

/// Type, unit and help. A text beyond its limit is passed over: nobody loses samples for what describes them.
fn describe<'a>(
    metadata: Metadata,
    symbols: &Symbols<'a>,
    reading: &mut Reading<'a, '_>,
) -> Result<(MetricType, &'a str, &'a str), BadSymbol> {
    let mut text = |reference| {
        if reference == 0 {
            return Ok("");
        }
        let text = symbols.text(reference)?;
        if text.len() <= reading.limits.max_metadata_bytes {
            return Ok(text);
        }
        reading.decoded.ignore(Ignored::Metadata, 1);
        Ok("")
    };
    let (unit, help) = (text(metadata.unit)?, text(metadata.help)?);
    Ok((MetricType::from_wire(metadata.kind), unit, help))
}
