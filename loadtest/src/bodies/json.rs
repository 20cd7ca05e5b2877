//! Bodies of the JSON protocols that have an object per sample.

use super::Labels;
use super::draft::{Draft, TimeAs, ValueAs};
use super::layout::Layout;

/// The gateway's own shape, spaced as Python's `json.dumps` does it: agents in the field send it so,
/// about 195 bytes a sample.
pub(super) fn seed(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    draft.text(r#"{"metrics": ["#);
    for (number, &(name, host)) in layout.samples.iter().enumerate() {
        if number > 0 {
            draft.text(", ");
        }
        draft.text(r#"{"metric_name": ""#);
        draft.name(name);
        draft.text(r#"", "timestamp": "#);
        draft.time(TimeAs::Millis);
        draft.text(r#", "value": "#);
        draft.value(ValueAs::Digits);
        draft.text(r#", "labels": {"#);
        draft.label_members(labels, host, ": ", ", ");
        draft.text("}}");
    }
    draft.text("]}");
}

/// OpenTSDB's `/api/put`.
pub(super) fn opentsdb(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    draft.text("[");
    for (number, &(name, host)) in layout.samples.iter().enumerate() {
        if number > 0 {
            draft.text(",");
        }
        draft.text(r#"{"metric":""#);
        draft.name(name);
        draft.text(r#"","timestamp":"#);
        draft.time(TimeAs::Millis);
        draft.text(r#","value":"#);
        draft.value(ValueAs::Digits);
        draft.text(r#","tags":{"#);
        draft.label_members(labels, host, ":", ",");
        draft.text("}}");
    }
    draft.text("]");
}

/// VictoriaMetrics' lines, a series each.
pub(super) fn victoria(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    for &(name, host) in &layout.samples {
        draft.text(r#"{"metric":{"__name__":""#);
        draft.name(name);
        draft.text(r#"","#);
        draft.label_members(labels, host, ":", ",");
        draft.text(r#"},"values":["#);
        draft.value(ValueAs::Digits);
        draft.text(r#"],"timestamps":["#);
        draft.time(TimeAs::Millis);
        draft.text("]}\n");
    }
}

/// Datadog's `/api/v2/series`: gauges.
pub(super) fn datadog(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    draft.text(r#"{"series":["#);
    for (number, &(name, host)) in layout.samples.iter().enumerate() {
        if number > 0 {
            draft.text(",");
        }
        draft.text(r#"{"metric":""#);
        draft.name(name);
        draft.text(r#"","type":3,"points":[{"timestamp":"#);
        draft.time(TimeAs::Seconds);
        draft.text(r#","value":"#);
        draft.value(ValueAs::Digits);
        draft.text(r#"}],"resources":[{"type":"host","name":""#);
        draft.host(host);
        draft.text(r#""}],"tags":["#);
        for (number, (key, value)) in labels.iter().skip(1).enumerate() {
            draft.text(if number > 0 { ",\"" } else { "\"" });
            draft.text(key);
            draft.text(":");
            draft.label(value, host);
            draft.text("\"");
        }
        draft.text("]}");
    }
    draft.text("]}");
}
