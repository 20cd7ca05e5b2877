//! Writes series as an `io.prometheus.write.v2.Request` (remote write 2.0).

use super::Encoder;
use super::part::Part;
use crate::protobuf::{put_bytes, put_double, put_refs, put_sample, put_short, put_uint};

pub(super) const TIMESERIES: u8 = 5;

/// Writes everything anew, each series with all that it has.
pub(super) fn put_request(request: &mut Vec<u8>, encoder: &Encoder) {
    request.extend_from_slice(encoder.symbols.encoded());
    let mut content = Vec::new();
    encoder.each_part(|part| {
        content.clear();
        put_series(&mut content, encoder, part);
        put_bytes(request, TIMESERIES, &content);
    });
}

fn put_series(output: &mut Vec<u8>, encoder: &Encoder, part: &Part<'_>) {
    let series = part.series;
    let labels = encoder.request.get(series.labels.clone());
    output.extend_from_slice(labels.unwrap_or_default());
    for point in encoder.points.of(part.points) {
        put_sample(output, point, true);
    }
    for (_, histogram) in part.histograms {
        put_bytes(output, 3, &histogram.message);
    }
    let mut content = Vec::new();
    for (_, exemplar) in part.exemplars {
        content.clear();
        put_refs(&mut content, 1, encoder.refs_of(&exemplar.refs));
        put_double(&mut content, 2, exemplar.value);
        put_uint(&mut content, 3, exemplar.at_ms.cast_unsigned());
        put_bytes(output, 4, &content);
    }
    if series.is_described() {
        put_short(output, 5, |output| {
            put_uint(output, 1, u64::from(series.kind.wire()));
            put_uint(output, 3, u64::from(series.help));
            put_uint(output, 4, u64::from(series.unit));
        });
    }
}
