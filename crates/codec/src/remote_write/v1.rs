//! Writes series as a `prometheus.WriteRequest` (remote write 1.0).

use hashbrown::HashSet;
use model::MetricType;

use super::labels::{put_label, value_of};
use super::part::Part;
use super::plain::put_only;
use super::{Encoder, Series, Version};
use crate::protobuf::{Reader, put_bytes, put_double, put_head, put_sample, put_uint};

pub(super) const TIMESERIES: u8 = 1;
const METADATA: u8 = 3;
const START_TIMESTAMP: u32 = 17;

/// Writes all series anew, each with all that it has.
pub(super) fn put_all_series(request: &mut Vec<u8>, encoder: &Encoder) {
    let mut content = Vec::new();
    encoder.each_part(|part| {
        let labels = encoder.request.get(part.series.labels.clone());
        let labels = labels.unwrap_or_default();
        match encoder.points.only(part.points) {
            Some(point) if !part.has_others() => {
                let written = put_only(request, Version::V1, labels, point);
                request.truncate(written.end);
            }
            _ => {
                content.clear();
                put_items(&mut content, encoder, part);
                put_head(request, TIMESERIES, labels.len() + content.len());
                request.extend_from_slice(labels);
                request.extend_from_slice(&content);
            }
        }
    });
}

/// States each family once.
pub(super) fn put_metadata(request: &mut Vec<u8>, encoder: &Encoder) {
    let mut content = Vec::new();
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

fn put_items(output: &mut Vec<u8>, encoder: &Encoder, part: &Part<'_>) {
    for point in encoder.points.of(part.points) {
        put_sample(output, point, false);
    }
    let mut content = Vec::new();
    for (_, exemplar) in part.exemplars {
        content.clear();
        for (name, value) in encoder.pairs(&exemplar.refs) {
            put_label(&mut content, [name, value]);
        }
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
    let labels = encoder.request.get(series.labels.clone());
    let name = value_of(labels.unwrap_or_default(), model::NAME_LABEL.as_bytes());
    let name = name.unwrap_or_default();
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
