//! Single samples that are refused.

use super::{Case, refused_sample};

/// A good sample with one field replaced by this text.
fn with_field(field: &str, text: &str) -> String {
    let fields = [
        ("metric_name", "\"up\""),
        ("timestamp", "1700000000000"),
        ("value", "1"),
        ("labels", "{}"),
    ];
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(name, good)| format!("\"{name}\":{}", if name == field { text } else { good }))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn without(field: &str) -> String {
    let all = with_field("", "");
    let start = all.find(&format!("\"{field}\"")).unwrap();
    let end = all[start..]
        .find(',')
        .map_or(all.len() - 1, |at| start + at + 1);
    format!("{}{}", &all[..start], &all[end..]).replace(",}", "}")
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
        refused_sample("an element `null`", "null", "?", "?"),
        refused_sample("an element that is a number", "42", "?", "?"),
        refused_sample("an element that is a list", "[]", "?", "?"),
        refused_sample("an element `{}`", "{}", "?", "?"),
    ]
}

fn names() -> Vec<Case> {
    let name = |text: &str| with_field("metric_name", text);
    vec![
        refused_sample("no `metric_name`", &without("metric_name"), "?", "?"),
        refused_sample("an empty name", &name("\"\""), "?", "?"),
        refused_sample("a name that is a number", &name("7"), "?", "?"),
        refused_sample("a name that is `null`", &name("null"), "?", "?"),
        refused_sample("a name with a line break", &name(r#""a\nb""#), "?", "?"),
        refused_sample(
            "a name of 1025 bytes",
            &name(&format!("\"{}\"", "n".repeat(1025))),
            "?",
            "?",
        ),
    ]
}

fn times() -> Vec<Case> {
    let at = |text: &str| with_field("timestamp", text);
    vec![
        refused_sample("no `timestamp`", &without("timestamp"), "?", "?"),
        refused_sample("a timestamp in seconds", &at("1700000000"), "?", "?"),
        refused_sample(
            "a timestamp in microseconds",
            &at("1700000000000000"),
            "?",
            "?",
        ),
        refused_sample(
            "a timestamp in nanoseconds",
            &at("1700000000000000000"),
            "?",
            "?",
        ),
        refused_sample(
            "a timestamp in seconds with decimals",
            &at("1700000000.25"),
            "?",
            "?",
        ),
        refused_sample(
            "a timestamp in a string",
            &at("\"1700000000000\""),
            "?",
            "?",
        ),
        refused_sample("a date as text", &at("\"2023-11-14T22:13:20Z\""), "?", "?"),
        refused_sample("a timestamp `null`", &at("null"), "?", "?"),
        refused_sample(
            "a timestamp beyond 64 bits",
            &at("99999999999999999999"),
            "?",
            "?",
        ),
        refused_sample("a timestamp an hour ahead", &at("1700003600000"), "?", "?"),
    ]
}

fn values() -> Vec<Case> {
    let value = |text: &str| with_field("value", text);
    vec![
        refused_sample("no `value`", &without("value"), "?", "?"),
        refused_sample("a value in a string", &value("\"42.5\""), "?", "?"),
        refused_sample("a value `null`", &value("null"), "?", "?"),
        refused_sample("a value `true`", &value("true"), "?", "?"),
        refused_sample("a value `1e999`", &value("1e999"), "?", "?"),
        refused_sample("a value that is a list", &value("[1]"), "?", "?"),
        refused_sample("a value `\"NaN\"`", &value("\"NaN\""), "?", "?"),
    ]
}

fn labels() -> Vec<Case> {
    let labels = |text: &str| with_field("labels", text);
    let many: Vec<String> = (0..31).map(|n| format!("\"l{n}\":\"x\"")).collect();
    vec![
        refused_sample("no `labels`", &without("labels"), "?", "?"),
        refused_sample("labels `null`", &labels("null"), "?", "?"),
        refused_sample("labels that are a list", &labels("[]"), "?", "?"),
        refused_sample(
            "a label value that is a number",
            &labels(r#"{"port":8080}"#),
            "?",
            "?",
        ),
        refused_sample(
            "a label value that is an object",
            &labels(r#"{"a":{"b":"c"}}"#),
            "?",
            "?",
        ),
        refused_sample("an empty label name", &labels(r#"{"":"x"}"#), "?", "?"),
        refused_sample(
            "the label `__name__`",
            &labels(r#"{"__name__":"x"}"#),
            "?",
            "?",
        ),
        refused_sample(
            "a label name with a control character",
            &labels(r#"{"a\u0007b":"x"}"#),
            "?",
            "?",
        ),
        refused_sample(
            "a label twice",
            &labels(r#"{"host":"a","host":"b"}"#),
            "?",
            "?",
        ),
        refused_sample(
            "31 labels",
            &labels(&format!("{{{}}}", many.join(","))),
            "?",
            "?",
        ),
        refused_sample(
            "a label name of 1025 bytes",
            &labels(&format!("{{\"{}\":\"x\"}}", "n".repeat(1025))),
            "?",
            "?",
        ),
        refused_sample(
            "a label value of 2049 bytes",
            &labels(&format!("{{\"host\":\"{}\"}}", "v".repeat(2049))),
            "?",
            "?",
        ),
    ]
}

fn kinds() -> Vec<Case> {
    let histogram = |value: &str| with_field("value", value);
    vec![
        refused_sample(
            "an unknown `type`",
            &and(r#""type":"thermometer""#),
            "?",
            "?",
        ),
        refused_sample("a `unit` that is a number", &and(r#""unit":1"#), "?", "?"),
        refused_sample(
            "a `help` of 1025 bytes",
            &and(&format!("\"help\":\"{}\"", "h".repeat(1025))),
            "?",
            "?",
        ),
        refused_sample(
            "a histogram whose buckets fall",
            &histogram(r#"{"buckets":{"0.1":5,"1":3,"+Inf":9},"sum":1,"count":9}"#),
            "?",
            "?",
        ),
        refused_sample(
            "a histogram without `+Inf` and `count`",
            &histogram(r#"{"buckets":{"0.1":5},"sum":1}"#),
            "?",
            "?",
        ),
        refused_sample(
            "a histogram with a bound that is no number",
            &histogram(r#"{"buckets":{"fast":5,"+Inf":9},"sum":1,"count":9}"#),
            "?",
            "?",
        ),
        refused_sample(
            "a summary with a quantile of 2",
            &histogram(r#"{"quantiles":{"2":5},"sum":1,"count":9}"#),
            "?",
            "?",
        ),
        refused_sample(
            "a value that is an empty object",
            &histogram("{}"),
            "?",
            "?",
        ),
    ]
}
