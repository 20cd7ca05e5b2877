//! Bodies of the protocols that have a line per sample.

use super::Labels;
use super::draft::{Draft, TimeAs, ValueAs};
use super::layout::Layout;

/// InfluxDB's line protocol: a field `value` per measurement.
pub(super) fn influx(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    for &(name, host) in &layout.samples {
        draft.name(name);
        for (key, value) in labels {
            draft.text(",");
            draft.text(key);
            draft.text("=");
            draft.label(value, host);
        }
        draft.text(" value=");
        draft.value(ValueAs::Digits);
        draft.text(" ");
        draft.time(TimeAs::Nanos);
        draft.text("\n");
    }
}

/// Prometheus' text format with times.
pub(super) fn text(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    for &(name, host) in &layout.samples {
        draft.name(name);
        for (number, (key, value)) in labels.iter().enumerate() {
            draft.text(if number > 0 { "," } else { "{" });
            draft.text(key);
            draft.text("=\"");
            draft.label(value, host);
            draft.text("\"");
        }
        draft.text("} ");
        draft.value(ValueAs::Digits);
        draft.text(" ");
        draft.time(TimeAs::Millis);
        draft.text("\n");
    }
}

/// `DogStatsD`: gauges, the lines of one packet.
pub(super) fn statsd(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    for &(name, host) in &layout.samples {
        draft.name(name);
        draft.text(":");
        draft.value(ValueAs::Digits);
        draft.text("|g|#");
        for (number, (key, value)) in labels.iter().enumerate() {
            draft.text(if number > 0 { "," } else { "" });
            draft.text(key);
            draft.text(":");
            draft.label(value, host);
        }
        draft.text("\n");
    }
}
