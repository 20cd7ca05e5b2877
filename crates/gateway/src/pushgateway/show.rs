//! Groups as people and scripts see them: JSON in the shape of the Pushgateway's own API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use model::MetricType;
use serde_json::{Map, Value, json};
use service::units::Period;

use super::Groups;
use super::group::{Family, Group, Label, Series};
use super::samples::{own_times, seconds};

/// The answer of `GET /api/v1/metrics`: the Pushgateway's, one object per group. In pieces that are made when they
/// are wanted: as JSON, all groups together take many times their room.
pub(crate) fn shown_all(groups: Vec<Arc<Group>>) -> impl Iterator<Item = Bytes> + Send + 'static {
    let pieces = groups.into_iter().enumerate().map(|(number, group)| {
        let comma = if number == 0 { "" } else { "," };
        Bytes::from(format!("{comma}{}", listed(&group)))
    });
    let head = Bytes::from_static(br#"{"data":["#);
    let end = Bytes::from_static(br#"],"status":"success"}"#);
    std::iter::once(head)
        .chain(pieces)
        .chain(std::iter::once(end))
}

fn listed(group: &Group) -> Value {
    let mut object = families(group);
    for (name, time_ms) in own_times(group) {
        let metric = json!({"labels": labels(&group.labels), "value": number(seconds(time_ms))});
        let family = json!({
            "time_stamp": time(group.touched_ms()), "type": "GAUGE", "metrics": [metric],
        });
        object.insert(name.to_owned(), family);
    }
    object.insert("labels".to_owned(), labels(&group.labels));
    object.insert("last_push_successful".to_owned(), json!(group.is_healthy()));
    Value::Object(object)
}

/// The answer of `GET /metrics/job/…`.
pub(crate) fn shown(groups: &Groups, group: &Group) -> Value {
    let period = |millis| Period(Duration::from_millis(millis)).to_string();
    let mut object = Map::new();
    let mut add = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    add("labels", labels(&group.labels));
    if let Some(tenant) = &group.tenant {
        add("tenant", json!(tenant));
    }
    add("last_push_successful", json!(group.is_healthy()));
    add("last_push", time(group.push_ms));
    add("last_failed_push", time(group.failure_ms));
    add("ttl", json!(group.ttl_ms.map(period)));
    add("ends", json!(groups.ends_ms(group).map(time)));
    if group.expect_every_ms > 0 {
        add("expect_every", json!(period(group.expect_every_ms)));
        add("next_push_due", json!(group.due_ms().map(time)));
        add("overdue", json!(group.is_overdue(groups.now_ms())));
    }
    add("families", Value::Object(families(group)));
    Value::Object(object)
}

/// RFC 3339; null for never.
fn time(at_ms: i64) -> Value {
    let Ok(millis @ 1..) = u64::try_from(at_ms) else {
        return Value::Null;
    };
    match SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)) {
        // The formatter knows no later year.
        Some(time) if millis < 253_402_300_800_000 => {
            json!(humantime::format_rfc3339_millis(time).to_string())
        }
        _ => json!(at_ms),
    }
}

fn labels(labels: &[Label]) -> Value {
    let pairs = labels.iter();
    pairs
        .map(|label| (label.name.clone(), json!(label.value)))
        .collect::<Map<_, _>>()
        .into()
}

fn families(group: &Group) -> Map<String, Value> {
    let families = group.families.iter();
    families
        .map(|family| (family.name.clone(), shown_family(family)))
        .collect()
}

fn shown_family(family: &Family) -> Value {
    let kind = MetricType::from_wire(family.kind);
    let name = match kind {
        MetricType::Unspecified => "UNTYPED".to_owned(),
        MetricType::GaugeHistogram => "GAUGE_HISTOGRAM".to_owned(),
        other => other.as_str().to_ascii_uppercase(),
    };
    // Series that differ in the bucket or the quantile only are one metric.
    let mut metrics: BTreeMap<Vec<Label>, Map<String, Value>> = BTreeMap::new();
    for series in &family.series {
        let (place, labels_left) = place_of(family, kind, series);
        let metric = metrics.entry(labels_left.clone()).or_insert_with(|| {
            let mut metric = Map::new();
            metric.insert("labels".to_owned(), labels(&labels_left));
            metric
        });
        let value = match &series.histogram {
            Some(_) => json!("native histogram"),
            None => json!(number(series.value)),
        };
        if let Some(at_ms) = series.at_ms {
            metric.insert("timestamp".to_owned(), time(at_ms));
        }
        match place {
            Place::Field(field) => {
                metric.insert(field.to_owned(), value);
            }
            Place::Entry(field, key) => {
                let map = metric
                    .entry(field)
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(map) = map {
                    map.insert(key, value);
                }
            }
        }
    }
    json!({
        "time_stamp": time(family.push_ms),
        "type": name,
        "help": family.help,
        "metrics": metrics.into_values().collect::<Vec<_>>(),
    })
}

enum Place {
    Field(&'static str),
    Entry(&'static str, String),
}

/// Where a series' value stands in its metric, and the labels that the metric has.
fn place_of(family: &Family, kind: MetricType, series: &Series) -> (Place, Vec<Label>) {
    let suffix = series.name.strip_prefix(&*family.name).unwrap_or_default();
    let without = |name: &str| -> (Option<String>, Vec<Label>) {
        let (of_name, others): (Vec<_>, Vec<_>) = series
            .labels
            .iter()
            .cloned()
            .partition(|label| label.name == name);
        (of_name.into_iter().next().map(|label| label.value), others)
    };
    let is_histogram = matches!(kind, MetricType::Histogram | MetricType::GaugeHistogram);
    let is_distribution = is_histogram || kind == MetricType::Summary;
    match suffix {
        "_bucket" if is_histogram => match without("le") {
            (Some(bound), labels) => (Place::Entry("buckets", bound), labels),
            (None, labels) => (Place::Field("value"), labels),
        },
        "" if kind == MetricType::Summary => match without("quantile") {
            (Some(quantile), labels) => (Place::Entry("quantiles", quantile), labels),
            (None, labels) => (Place::Field("value"), labels),
        },
        "_sum" | "_gsum" if is_distribution => (Place::Field("sum"), series.labels.clone()),
        "_count" | "_gcount" if is_distribution => (Place::Field("count"), series.labels.clone()),
        "_created" if is_distribution => (Place::Field("created"), series.labels.clone()),
        _ => (Place::Field("value"), series.labels.clone()),
    }
}

/// As the Pushgateway writes numbers: as text, because JSON has not all of them.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    }
}
