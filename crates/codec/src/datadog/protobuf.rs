//! The protobuf that the agent sends: `MetricPayload` and `SketchPayload` of its `agent-payload`.

use model::{Code, MetricType, Refusal};

use super::Options;
use super::json::kind_of;
use super::series::{Collector, Point};
use super::sketch::Counts;
use crate::Decoded;
use crate::protobuf::{Malformed, Reader};

/// Buckets of one sketch; the agent has at most 4096.
const MAX_BUCKETS: usize = 65_536;

pub(super) fn series(body: &[u8], options: Options) -> Result<Decoded<'_>, Refusal> {
    each(body, options, "MetricPayload", one_series)
}

pub(super) fn sketches(body: &[u8], options: Options) -> Result<Decoded<'_>, Refusal> {
    each(body, options, "SketchPayload", one_sketch)
}

/// Both payloads have their series in field 1. A series that cannot be read is refused by itself.
fn each<'a>(
    body: &'a [u8],
    options: Options,
    message: &str,
    one: fn(&mut Collector<'a>, &'a [u8]) -> Result<(), Malformed>,
) -> Result<Decoded<'a>, Refusal> {
    let malformed = |error: Malformed| {
        let message = format!("the body is not a protobuf {message}: {error}");
        Refusal::new(Code::BodyInvalid, message)
    };
    let mut collector = Collector::new(options);
    let mut reader = Reader(body);
    while let Some((number, value)) = reader.field().map_err(malformed)? {
        if number != 1 {
            continue;
        }
        collector.begin();
        let content = value.bytes().map_err(malformed)?;
        if let Err(error) = one(&mut collector, content) {
            collector.refuse(Code::SampleInvalid, || {
                format!("the series cannot be read: {error}")
            });
        }
        collector.end()?;
    }
    Ok(collector.into_decoded())
}

fn one_series<'a>(series: &mut Collector<'a>, content: &'a [u8]) -> Result<(), Malformed> {
    let mut reader = Reader(content);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => resource(series, value.bytes()?)?,
            2 => series.metric = Some(value.text()?.into()),
            3 => series.tags.push(value.text()?.into()),
            4 => {
                let point = point(series, value.bytes()?)?;
                series.push(point);
            }
            5 => series.kind = kind_of(value.varint()?),
            6 => series.unit = value.text()?.into(),
            7 => series.set_field("source_type_name", value.text()?),
            _ => {}
        }
    }
    Ok(())
}

fn resource<'a>(series: &mut Collector<'a>, content: &'a [u8]) -> Result<(), Malformed> {
    let (mut kind, mut name) = ("", "");
    let mut reader = Reader(content);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => kind = value.text()?,
            2 => name = value.text()?,
            _ => {}
        }
    }
    if !kind.is_empty() {
        series.set_field(kind, name);
    }
    Ok(())
}

fn point(series: &Collector<'_>, content: &[u8]) -> Result<Point, Malformed> {
    let (mut measured, mut seconds) = (0.0, 0);
    let mut reader = Reader(content);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => measured = value.double()?,
            2 => seconds = value.int64()?,
            _ => {}
        }
    }
    Ok(match time(series, seconds) {
        Ok(at_ms) => Point::Float(at_ms, measured),
        Err(refusal) => Point::Bad(refusal),
    })
}

#[expect(clippy::cast_precision_loss, reason = "what has more bits is refused")]
fn time(series: &Collector<'_>, seconds: i64) -> Result<i64, Refusal> {
    series.at_ms(seconds as f64)
}

fn one_sketch<'a>(series: &mut Collector<'a>, content: &'a [u8]) -> Result<(), Malformed> {
    series.kind = MetricType::GaugeHistogram;
    let mut reader = Reader(content);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => series.metric = Some(value.text()?.into()),
            2 => series.set_field("host", value.text()?),
            3 => {
                let message = "distributions of agents before version 6 are not read";
                series.push(Point::Bad(Refusal::new(Code::HistogramInvalid, message)));
            }
            4 => series.tags.push(value.text()?.into()),
            7 => {
                let point = sketch(series, value.bytes()?)?;
                series.push(point);
            }
            _ => {}
        }
    }
    Ok(())
}

fn sketch(series: &Collector<'_>, content: &[u8]) -> Result<Point, Malformed> {
    let (mut seconds, mut stated, mut sum) = (0, 0, 0.0);
    let (mut keys, mut counts) = (Vec::new(), Vec::new());
    let mut reader = Reader(content);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => seconds = value.int64()?,
            2 => stated = value.varint()?,
            6 => sum = value.double()?,
            7 => value.each_uint32(|key| keys.push(zigzag(key)))?,
            8 => value.each_uint32(|count| counts.push(count))?,
            _ => {}
        }
    }
    let at_ms = match time(series, seconds) {
        Ok(at_ms) => at_ms,
        Err(refusal) => return Ok(Point::Bad(refusal)),
    };
    let bad = |message: String| Ok(Point::Bad(Refusal::new(Code::HistogramInvalid, message)));
    if keys.len() != counts.len() {
        let (keys, counts) = (keys.len(), counts.len());
        return bad(format!("the sketch has {keys} keys, but {counts} counts"));
    }
    if keys.len() > MAX_BUCKETS {
        let found = keys.len();
        return bad(format!(
            "the sketch has {found} buckets, the limit is {MAX_BUCKETS}"
        ));
    }
    let mut histogram = Counts::default();
    for (key, count) in keys.into_iter().zip(counts) {
        histogram.add_bucket(key, count);
    }
    if histogram.count() != stated {
        let found = histogram.count();
        return bad(format!(
            "the sketch's count is {stated}, but its buckets have {found} observations"
        ));
    }
    if histogram.is_empty() {
        return Ok(Point::Empty);
    }
    histogram.sum = sum;
    Ok(Point::Histogram(at_ms, histogram.message(at_ms)))
}

/// A `sint32` as it is on the wire.
fn zigzag(number: u32) -> i32 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}
