//! Writes series as a `prometheus.WriteRequest` (remote write 1.0).

use hashbrown::HashSet;
use model::{MetricType, Point};

use super::{Encoder, Part, Series};
use crate::protobuf::{
    Pen, Reader, delimited, delimited_len, put_bytes, put_double, put_head, put_sample, put_uint,
};
use crate::symbols::Symbols;

const TIMESERIES: u8 = 1;
const METADATA: u8 = 3;
const START_TIMESTAMP: u32 = 17;

pub(super) fn put_request(request: &mut Vec<u8>, encoder: &Encoder) {
    let mut content = Vec::new();
    let mut labels = Labels::default();
    encoder.each_part(|part| {
        labels.change_to(encoder.refs_of(&part.series.refs), &encoder.symbols);
        match encoder.points.only(part.points) {
            Some(point) if !part.has_others() => {
                let (sample, len) = encoded_sample(point);
                put_short_head(request, labels.encoded.len() + len);
                request.extend_from_slice(&labels.encoded);
                let end = request.len() + len;
                request.extend_from_slice(&sample);
                request.truncate(end);
            }
            _ => {
                content.clear();
                put_items(&mut content, encoder, part);
                put_head(request, TIMESERIES, labels.encoded.len() + content.len());
                request.extend_from_slice(&labels.encoded);
                request.extend_from_slice(&content);
            }
        }
    });
    let mut families = HashSet::new();
    for series in &encoder.series {
        if !series.is_described() {
            continue;
        }
        let name = family(encoder, series);
        if families.insert(name) {
            content.clear();
            put_uint(&mut content, 1, u64::from(series.kind.wire()));
            put_bytes(&mut content, 2, name);
            for (field, text) in [(4, series.help), (5, series.unit)] {
                if text != 0 {
                    put_bytes(&mut content, field, encoder.symbols.text(text));
                }
            }
            put_bytes(request, METADATA, &content);
        }
    }
}

/// What a sample takes at most: its head, a value, and a time of ten bytes; with room for the words they are written as.
const SAMPLE_ROOM: usize = 24;

/// A float sample, and how many of the bytes it is.
#[inline]
fn encoded_sample(point: &Point) -> ([u8; SAMPLE_ROOM], usize) {
    let mut sample = [0; SAMPLE_ROOM];
    let mut pen = Pen::new(&mut sample, 0);
    pen.put_sample(point, false);
    let len = pen.at;
    (sample, len)
}

/// The labels of a series, encoded. Series that follow each other have most of them in common, and only those that
/// differ are encoded anew.
#[derive(Default)]
struct Labels {
    pairs: Vec<[u32; 2]>,
    encoded: Vec<u8>,
    /// Where each label ends.
    ends: Vec<usize>,
    /// Those that differ from the series before.
    changed: Vec<u8>,
}

impl Labels {
    #[inline]
    fn change_to(&mut self, refs: &[u32], symbols: &Symbols) {
        let (pairs, _) = refs.as_chunks::<2>();
        if pairs.len() != self.pairs.len() {
            return self.encode_changed(pairs, symbols);
        }
        let places = self.pairs.iter_mut().zip(&self.ends);
        for ((known, end), pair) in places.zip(pairs) {
            if known == pair {
                continue;
            }
            // Hosts mostly differ by a number: then nothing moves, and no length changes.
            let [text, before] = [pair[1], known[1]].map(|value| symbols.text(value));
            let place = self.encoded.get_mut(end.saturating_sub(text.len())..*end);
            match place {
                Some(place) if known[0] == pair[0] && before.len() == text.len() => {
                    place.copy_from_slice(text);
                    *known = *pair;
                }
                _ => return self.encode_changed(pairs, symbols),
            }
        }
    }

    fn encode_changed(&mut self, pairs: &[[u32; 2]], symbols: &Symbols) {
        let Self {
            pairs: known,
            encoded,
            ends,
            changed,
        } = self;
        let same = |(known, pair): &(&[u32; 2], &[u32; 2])| known == pair;
        let first = known.iter().zip(pairs).take_while(same).count();
        let last = match pairs.len() == known.len() {
            true => {
                let rest = known.iter().rev().zip(pairs.iter().rev());
                rest.take(pairs.len() - first).take_while(same).count()
            }
            false => 0,
        };
        let end_of = |count: usize| {
            let end = count.checked_sub(1).and_then(|at| ends.get(at));
            end.copied().unwrap_or_default()
        };
        let (from, to) = (end_of(first), end_of(known.len() - last));
        let behind = pairs.len() - last;
        changed.clear();
        ends.resize(pairs.len(), 0);
        let changing = ends.iter_mut().zip(pairs);
        for (end, &[name, value]) in changing.take(behind).skip(first) {
            let pair = (symbols.text(name), symbols.text(value));
            put_labels(changed, std::iter::once(pair));
            *end = from + changed.len();
        }
        match encoded.get_mut(from..to) {
            Some(place) if place.len() == changed.len() => place.copy_from_slice(changed),
            _ => {
                for end in ends.iter_mut().skip(behind) {
                    *end = *end - to + from + changed.len();
                }
                encoded.splice(from..to, changed.iter().copied());
            }
        }
        known.clear();
        known.extend_from_slice(pairs);
    }
}

fn put_items(output: &mut Vec<u8>, encoder: &Encoder, part: &Part<'_>) {
    for point in encoder.points.of(part.points) {
        put_sample(output, point, false);
    }
    let mut content = Vec::new();
    for (_, exemplar) in part.exemplars {
        content.clear();
        put_labels(&mut content, encoder.pairs(&exemplar.refs));
        put_double(&mut content, 2, exemplar.value);
        put_uint(&mut content, 3, exemplar.at_ms.cast_unsigned());
        put_bytes(output, 3, &content);
    }
    for (_, histogram) in part.histograms {
        content.clear();
        put_without_start(&mut content, &histogram.message);
        put_bytes(output, 4, &content);
    }
}

/// Appends the head of a series, which mostly has a length of two bytes.
#[inline]
fn put_short_head(request: &mut Vec<u8>, content: usize) {
    let [low, high, ..] = (content << 1).to_le_bytes();
    if (0x80..0x4000).contains(&content) {
        request.extend_from_slice(&[delimited(TIMESERIES), low >> 1 | 0x80, high]);
    } else {
        put_head(request, TIMESERIES, content);
    }
}

fn put_labels<'a>(output: &mut Vec<u8>, labels: impl Iterator<Item = (&'a [u8], &'a [u8])>) {
    for (name, value) in labels {
        put_head(
            output,
            1,
            delimited_len(name.len()) + delimited_len(value.len()),
        );
        put_bytes(output, 1, name);
        put_bytes(output, 2, value);
    }
}

/// A native histogram without the one field that only version 2.0 has.
fn put_without_start(output: &mut Vec<u8>, message: &[u8]) {
    let mut reader = Reader(message);
    loop {
        let before = reader.0;
        match reader.field() {
            Ok(Some((START_TIMESTAMP, _))) => {}
            Ok(Some(_)) => {
                let field = before.len() - reader.0.len();
                output.extend_from_slice(before.get(..field).unwrap_or_default());
            }
            // Records are checked when they are read, so that nothing is left here.
            Ok(None) | Err(_) => return,
        }
    }
}

/// The name that the types of version 1.0 go by: without the suffixes of a family's series.
fn family<'a>(encoder: &'a Encoder, series: &Series) -> &'a [u8] {
    let name = encoder
        .pairs(&series.refs)
        .find(|(name, _)| *name == model::NAME_LABEL.as_bytes())
        .map_or(&[][..], |(_, name)| name);
    let suffixes: &[&[u8]] = match series.kind {
        MetricType::Histogram => &[b"_bucket", b"_sum", b"_count"],
        MetricType::GaugeHistogram => &[b"_bucket", b"_gsum", b"_gcount"],
        MetricType::Summary => &[b"_sum", b"_count"],
        MetricType::Unspecified
        | MetricType::Counter
        | MetricType::Gauge
        | MetricType::Info
        | MetricType::StateSet => &[],
    };
    suffixes
        .iter()
        .find_map(|suffix| name.strip_suffix(*suffix))
        .filter(|family| !family.is_empty())
        .unwrap_or(name)
}

#[cfg(test)]
mod tests;
