//! Reads a `prometheus.WriteRequest`, remote write 1.0, into a batch.

use model::{Batch, Code, Family, Limits, MetricType, Refusal};

use super::known;
use super::series::{Facts, Labels};
use super::{Failure, MAX_EXEMPLAR_LABELS, Reading};
use crate::Decoded;
use crate::catalogue::{Form, Walk};
use crate::protobuf::{Malformed, Reader, Value, only_sample, usual_content};

const MESSAGE: &str = "prometheus.WriteRequest";

pub(super) fn decode<'a>(
    body: &'a [u8],
    limits: &Limits,
    mut walk: Option<Walk<'a, '_>>,
) -> Result<Decoded<'a>, Refusal> {
    let likely = count_series(body).min(limits.max_samples);
    let batch = match &walk {
        // What is known has no labels in the batch.
        Some(_) => Batch::with_samples(likely),
        None => Batch::with_capacity(likely, 4),
    };
    let mut reading = Reading::new(limits, batch);
    let mut reader = Reader(body);
    let mut recent = Recent::default();
    let mut series = 0_usize;
    while let Some((number, field)) = reader
        .field()
        .map_err(|error| Failure::from(error).refusal(MESSAGE, ""))?
    {
        match number {
            1 => {
                field
                    .bytes()
                    .map_err(Failure::from)
                    .and_then(|bytes| match &mut walk {
                        Some(walk) => find_series(bytes, walk, &mut recent, &mut reading),
                        None => read_series(bytes, &mut recent, &mut reading).map(|_| ()),
                    })
                    .map_err(|error| error.refusal(MESSAGE, &format!("series {series}: ")))?;
                series += 1;
            }
            3 => field
                .bytes()
                .and_then(|bytes| read_family(bytes, &mut reading))
                .map_err(|error| Failure::from(error).refusal(MESSAGE, "metadata: "))?,
            4 | 5 => {
                let message = "the body looks like remote write 2.0; its content type is \
                               application/x-protobuf;proto=io.prometheus.write.v2.Request";
                return Err(Refusal::new(Code::BodyInvalid, message));
            }
            _ => {}
        }
    }
    if let Some(walk) = walk {
        reading.decoded.unknown = walk.end(reading.decoded.objects);
    }
    Ok(reading.decoded)
}

/// Takes a series as the one that it is known to be, or reads it.
fn find_series<'a>(
    bytes: &'a [u8],
    walk: &mut Walk<'a, '_>,
    recent: &mut Recent<'a>,
    reading: &mut Reading<'a, '_>,
) -> Result<(), Failure> {
    let expected = walk.expected_parts().and_then(|(series, form, parts)| {
        let is_ours = form == Form::RemoteWrite1;
        Some((series, known::behind(bytes, parts).filter(|_| is_ours)?))
    });
    if let Some((series, samples)) = expected
        && let Some(point) = only_sample(samples)
    {
        walk.found(series);
        return reading.float(&known::facts(series), point.at_ms, 0, point.value);
    }
    let expected = expected.filter(|(_, samples)| known::has_only_samples(samples));
    let (series, samples) = if let Some(expected) = expected {
        expected
    } else {
        let Some((parts, samples)) = known::split(bytes) else {
            read_series(bytes, recent, reading)?;
            return Ok(());
        };
        let Some(series) = walk.catalogue.find(Form::RemoteWrite1, parts) else {
            let facts = read_series(bytes, recent, reading)?;
            walk.miss(known::unknown(Form::RemoteWrite1, parts, facts.as_ref()));
            return Ok(());
        };
        walk.turn_to(series);
        (series, samples)
    };
    walk.found(series);
    let facts = known::facts(series);
    known::each_sample(samples, |sample| {
        let (value, at_ms) = read_sample(sample)?;
        reading.float(&facts, at_ms, 0, value)
    })
}

/// How many series there are that have something in them, as far as the body goes well.
fn count_series(body: &[u8]) -> usize {
    /// Of a series with a name, a label and a sample.
    const FEWEST_BYTES: usize = 40;
    let mut series = 0;
    let mut reader = Reader(body);
    while let Ok(Some((number, field))) = reader.field() {
        if let (1, Value::Bytes(bytes)) = (number, field) {
            series += usize::from(bytes.len() >= FEWEST_BYTES);
        }
    }
    series
}

/// The label last read at each place of a series. The next series mostly has the same one there: it is not read
/// again, and its texts are the same ones in memory, which checks may make use of.
#[derive(Default)]
struct Recent<'a>(Vec<Known<'a>>);

struct Known<'a> {
    bytes: &'a [u8],
    name: &'a str,
    value: &'a str,
}

impl<'a> Recent<'a> {
    /// Later places are not looked after.
    const PLACES: usize = 64;

    /// Reads a label: its name and value, or which of them is no text.
    #[inline]
    fn read(
        &mut self,
        place: usize,
        bytes: &'a [u8],
    ) -> Result<Result<(&'a str, &'a str), &'static str>, Malformed> {
        match self.0.get_mut(place) {
            Some(known) if known.bytes == bytes => Ok(Ok((known.name, known.value))),
            Some(known) => {
                let label = read_label(bytes, known.name)?;
                if let Ok((name, value)) = label {
                    *known = Known { bytes, name, value };
                }
                Ok(label)
            }
            None => {
                let label = read_label(bytes, "")?;
                if let Ok((name, value)) = label
                    && place == self.0.len()
                    && place < Self::PLACES
                {
                    self.0.push(Known { bytes, name, value });
                }
                Ok(label)
            }
        }
    }
}

/// Reads a series and answers what its objects share, if it has any.
fn read_series<'a>(
    bytes: &'a [u8],
    recent: &mut Recent<'a>,
    reading: &mut Reading<'a, '_>,
) -> Result<Option<Facts<'a>>, Failure> {
    let limits = reading.limits;
    let mut labels = Labels::open(&reading.decoded.batch);
    // Samples come behind the labels, and need them; on the wire, order means nothing.
    let mut objects = None;
    let mut place = 0;
    let mut reader = Reader(bytes);
    loop {
        let here = reader;
        let Some((number, field)) = reader.field()? else {
            break;
        };
        match number {
            1 => {
                match recent.read(place, field.bytes()?)? {
                    Ok((name, value)) => {
                        labels.push(name, value, limits, &mut reading.decoded.batch);
                    }
                    Err(what) => labels.refuse(Code::LabelsInvalid, || {
                        format!("a label's {what} is not UTF-8")
                    }),
                }
                place += 1;
            }
            2..=4 if objects.is_none() => objects = Some(here),
            _ => {}
        }
    }
    let Some(mut reader) = objects else {
        labels.forget(&mut reading.decoded.batch);
        return Ok(None);
    };
    let facts = Facts {
        name: labels.name.unwrap_or_default(),
        series: labels.close(limits, &mut reading.decoded.batch),
        start_ms: 0,
    };
    while let Some((number, field)) = reader.field()? {
        match number {
            2 => {
                let (value, at_ms) = read_sample(field.bytes()?)?;
                reading.float(&facts, at_ms, 0, value)?;
            }
            3 => read_exemplar(field.bytes()?, &facts, reading)?,
            4 => reading.histogram(&facts, field.bytes()?)?,
            _ => {}
        }
    }
    Ok(Some(facts))
}

/// A label's name, which is likely to be `like`, and its value, or which of them is no text.
#[inline(never)]
fn read_label<'a>(
    bytes: &'a [u8],
    like: &'a str,
) -> Result<Result<(&'a str, &'a str), &'static str>, Malformed> {
    let (mut name, mut value) = (&[][..], &[][..]);
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => name = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    let name = if name == like.as_bytes() {
        like
    } else {
        let Ok(name) = std::str::from_utf8(name) else {
            return Ok(Err("name"));
        };
        name
    };
    let Ok(value) = std::str::from_utf8(value) else {
        return Ok(Err("value"));
    };
    Ok(Ok((name, value)))
}

fn read_sample(bytes: &[u8]) -> Result<(f64, i64), Malformed> {
    if let Some(point) = usual_content(bytes) {
        return Ok((point.value, point.at_ms));
    }
    let (mut value, mut at_ms) = (0.0, 0);
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => value = field.double()?,
            2 => at_ms = field.int64()?,
            _ => {}
        }
    }
    Ok((value, at_ms))
}

fn read_exemplar<'a>(
    bytes: &'a [u8],
    facts: &Facts<'a>,
    reading: &mut Reading<'a, '_>,
) -> Result<(), Malformed> {
    let batch = &mut reading.decoded.batch;
    let from = batch.open_labels();
    let (mut value, mut at_ms, mut is_good) = (0.0, 0, true);
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => match read_label(field.bytes()?, "")? {
                Ok((name, text)) if batch.open_labels() - from < MAX_EXEMPLAR_LABELS => {
                    batch.push_label(name, text);
                }
                _ => is_good = false,
            },
            2 => value = field.double()?,
            3 => at_ms = field.int64()?,
            _ => {}
        }
    }
    reading.exemplar(facts, at_ms, value, from, is_good);
    Ok(())
}

fn read_family<'a>(bytes: &'a [u8], reading: &mut Reading<'a, '_>) -> Result<(), Malformed> {
    let (mut kind, mut name, mut help, mut unit) = (0, "", "", "");
    let mut reader = Reader(bytes);
    while let Some((number, field)) = reader.field()? {
        match number {
            // An enum may be negative, which is no type that we know.
            1 => kind = u32::try_from(field.varint()?).unwrap_or_default(),
            2 => name = field.text()?,
            4 => help = field.text().unwrap_or_default(),
            5 => unit = field.text().unwrap_or_default(),
            _ => {}
        }
    }
    let families = &mut reading.decoded.families;
    if !name.is_empty() && families.len() < reading.limits.max_samples {
        families.push(Family {
            name: name.into(),
            kind: MetricType::from_wire(kind),
            unit: unit.into(),
            help: help.into(),
        });
    }
    Ok(())
}
