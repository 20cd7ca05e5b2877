//! Single samples that are refused.

use super::{Case, refused_sample};

/// A good sample with one field replaced by this text, or left out.
fn sample(field: &str, text: Option<&str>) -> String {
    let fields = [
        ("metric_name", "\"up\""),
        ("timestamp", "1700000000000"),
        ("value", "1"),
        ("labels", "{}"),
    ];
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(name, good)| (name, if name == field { text } else { Some(good) }))
        .filter_map(|(name, text)| Some(format!("\"{name}\":{}", text?)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn with_field(field: &str, text: &str) -> String {
    sample(field, Some(text))
}

fn without(field: &str) -> String {
    sample(field, None)
}

fn and(extra: &str) -> String {
    with_field("labels", &format!("{{}},{extra}"))
}

pub(super) fn all() -> Vec<Case> {
    [shapes(), names(), times(), values(), labels(), kinds()]
        .into_iter()
        .flatten()
        .collect()
}

fn shapes() -> Vec<Case> {
    vec![
        refused_sample("an element `null`", "null", "sample_invalid"),
        refused_sample("an element that is a number", "42", "sample_invalid"),
        refused_sample("an element that is a list", "[]", "sample_invalid"),
        refused_sample("an element `{}`", "{}", "metric_name_missing"),
    ]
}

fn names() -> Vec<Case> {
    let name = |text: &str| with_field("metric_name", text);
    vec![
        refused_sample(
            "no `metric_name`",
            &without("metric_name"),
            "metric_name_missing",
        ),
        refused_sample("an empty name", &name("\"\""), "metric_name_missing"),
        refused_sample("a name that is a number", &name("7"), "metric_name_invalid"),
        refused_sample(
            "a name that is `null`",
            &name("null"),
            "metric_name_invalid",
        ),
        refused_sample(
            "a name with a line break",
            &name(r#""a\nb""#),
            "metric_name_invalid",
        ),
        refused_sample(
            "a name of 1025 bytes",
            &name(&format!("\"{}\"", "n".repeat(1025))),
            "metric_name_too_long",
        ),
    ]
}

fn times() -> Vec<Case> {
    let at = |text: &str| with_field("timestamp", text);
    vec![
        refused_sample("no `timestamp`", &without("timestamp"), "timestamp_missing"),
        refused_sample(
            "a timestamp in seconds",
            &at("1700000000"),
            "timestamp_in_seconds",
        ),
        refused_sample(
            "a timestamp in microseconds",
            &at("1700000000000000"),
            "timestamp_in_seconds",
        ),
        refused_sample(
            "a timestamp in nanoseconds",
            &at("1700000000000000000"),
            "timestamp_in_seconds",
        ),
        refused_sample(
            "a timestamp in seconds with decimals",
            &at("1700000000.25"),
            "timestamp_in_seconds",
        ),
        refused_sample(
            "a timestamp in a string",
            &at("\"1700000000000\""),
            "timestamp_invalid",
        ),
        refused_sample(
            "a date as text",
            &at("\"2023-11-14T22:13:20Z\""),
            "timestamp_invalid",
        ),
        refused_sample("a timestamp `null`", &at("null"), "timestamp_invalid"),
        refused_sample(
            "a timestamp beyond 64 bits",
            &at("99999999999999999999"),
            "timestamp_invalid",
        ),
        refused_sample(
            "a timestamp an hour ahead",
            &at("1700003600000"),
            "timestamp_in_future",
        ),
    ]
}

fn values() -> Vec<Case> {
    let value = |text: &str| with_field("value", text);
    vec![
        refused_sample("no `value`", &without("value"), "value_missing"),
        refused_sample("a value in a string", &value("\"42.5\""), "value_invalid"),
        refused_sample("a value `null`", &value("null"), "value_invalid"),
        refused_sample("a value `true`", &value("true"), "value_invalid"),
        refused_sample("a value `1e999`", &value("1e999"), "value_invalid"),
        refused_sample("a value that is a list", &value("[1]"), "value_invalid"),
        refused_sample("a value `\"NaN\"`", &value("\"NaN\""), "value_invalid"),
    ]
}

fn labels() -> Vec<Case> {
    let labels = |text: &str| with_field("labels", text);
    let many: Vec<String> = (0..31).map(|n| format!("\"l{n}\":\"x\"")).collect();
    vec![
        refused_sample("no `labels`", &without("labels"), "labels_missing"),
        refused_sample("labels `null`", &labels("null"), "labels_invalid"),
        refused_sample("labels that are a list", &labels("[]"), "labels_invalid"),
        refused_sample(
            "a label value that is a number",
            &labels(r#"{"port":8080}"#),
            "labels_invalid",
        ),
        refused_sample(
            "a label value that is an object",
            &labels(r#"{"a":{"b":"c"}}"#),
            "labels_invalid",
        ),
        refused_sample(
            "an empty label name",
            &labels(r#"{"":"x"}"#),
            "label_name_invalid",
        ),
        refused_sample(
            "the label `__name__`",
            &labels(r#"{"__name__":"x"}"#),
            "label_name_invalid",
        ),
        refused_sample(
            "a label name with a control character",
            &labels(r#"{"a\u0007b":"x"}"#),
            "label_name_invalid",
        ),
        refused_sample(
            "a label twice",
            &labels(r#"{"host":"a","host":"b"}"#),
            "label_duplicate",
        ),
        refused_sample(
            "31 labels",
            &labels(&format!("{{{}}}", many.join(","))),
            "too_many_labels",
        ),
        refused_sample(
            "a label name of 1025 bytes",
            &labels(&format!("{{\"{}\":\"x\"}}", "n".repeat(1025))),
            "label_name_too_long",
        ),
        refused_sample(
            "a label value of 2049 bytes",
            &labels(&format!("{{\"host\":\"{}\"}}", "v".repeat(2049))),
            "label_value_too_long",
        ),
    ]
}

fn kinds() -> Vec<Case> {
    let histogram = |value: &str| with_field("value", value);
    vec![
        refused_sample(
            "an unknown `type`",
            &and(r#""type":"thermometer""#),
            "metadata_invalid",
        ),
        refused_sample(
            "a `unit` that is a number",
            &and(r#""unit":1"#),
            "metadata_invalid",
        ),
        refused_sample(
            "a `help` of 1025 bytes",
            &and(&format!("\"help\":\"{}\"", "h".repeat(1025))),
            "metadata_invalid",
        ),
        refused_sample(
            "a histogram whose buckets fall",
            &histogram(r#"{"buckets":{"0.1":5,"1":3,"+Inf":9},"sum":1,"count":9}"#),
            "histogram_invalid",
        ),
        refused_sample(
            "a histogram without `+Inf` and `count`",
            &histogram(r#"{"buckets":{"0.1":5},"sum":1}"#),
            "histogram_invalid",
        ),
        refused_sample(
            "a histogram with a bound that is no number",
            &histogram(r#"{"buckets":{"fast":5,"+Inf":9},"sum":1,"count":9}"#),
            "histogram_invalid",
        ),
        refused_sample(
            "a summary with a quantile of 2",
            &histogram(r#"{"quantiles":{"2":5},"sum":1,"count":9}"#),
            "summary_invalid",
        ),
        refused_sample(
            "a value that is an empty object",
            &histogram("{}"),
            "value_invalid",
        ),
    ]
}
