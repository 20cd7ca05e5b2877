//! Bodies of OpenTelemetry: gauges, a metric per name with a point per host.

use super::Labels;
use super::draft::{Draft, TimeAs, ValueAs};
use super::layout::Layout;

/// Eight bytes in field 3 of a point.
const TIME: u8 = 3 << 3 | 1;
/// A double in field 4 of a point.
const VALUE: u8 = 4 << 3 | 1;

/// Hosts by name, in the order of the names' slots.
fn by_name(layout: &Layout) -> Vec<Vec<u32>> {
    let mut groups = vec![Vec::new(); layout.names.len()];
    for &(name, host) in &layout.samples {
        if let Some(group) = groups.get_mut(name as usize) {
            group.push(host);
        }
    }
    groups
}

/// `ExportMetricsServiceRequest` in protobuf.
pub(super) fn protobuf(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    let groups = by_name(layout);
    draft.message(1, |resource_metrics| {
        resource_metrics.message(2, |scope_metrics| {
            for (name, hosts) in layout.name_slots().zip(&groups) {
                scope_metrics.message(2, |metric| {
                    metric.message(1, |text| text.name(name));
                    metric.message(5, |gauge| {
                        for &host in hosts {
                            gauge.message(1, |point| point_of(point, labels, host));
                        }
                    });
                });
            }
        });
    });
}

fn point_of(point: &mut Draft, labels: &Labels, host: u32) {
    point.bytes.push(TIME);
    point.time(TimeAs::FixedNanos);
    point.bytes.push(VALUE);
    point.value(ValueAs::Double);
    for (key, value) in labels {
        point.message(7, |attribute| {
            attribute.field(1, key);
            attribute.message(2, |any| any.message(1, |text| text.label(value, host)));
        });
    }
}

/// The same in JSON.
pub(super) fn json(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    draft.text(r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":["#);
    for (name, hosts) in layout.name_slots().zip(by_name(layout)) {
        draft.text(if name > 0 { ",{" } else { "{" });
        draft.text(r#""name":""#);
        draft.name(name);
        draft.text(r#"","gauge":{"dataPoints":["#);
        for (number, &host) in hosts.iter().enumerate() {
            draft.text(if number > 0 { ",{" } else { "{" });
            draft.text(r#""timeUnixNano":""#);
            draft.time(TimeAs::Nanos);
            draft.text(r#"","asDouble":"#);
            draft.value(ValueAs::Digits);
            draft.text(r#","attributes":["#);
            for (number, (key, value)) in labels.iter().enumerate() {
                draft.text(if number > 0 { ",{" } else { "{" });
                draft.text(r#""key":""#);
                draft.text(key);
                draft.text(r#"","value":{"stringValue":""#);
                draft.label(value, host);
                draft.text(r#""}}"#);
            }
            draft.text("]}");
        }
        draft.text("]}}");
    }
    draft.text("]}]}]}");
}
