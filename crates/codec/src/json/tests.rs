//! The push contract, rule by rule, with the sentences that senders get to read.

mod bodies;
mod differential;
mod distributions;
mod elements;
mod records;
mod repeated;

use model::{Code, MetricType};

use crate::Decoded;

use super::{body, decode};

/// A sample as plain data: name, labels, time, value, type, unit, help.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    index: u32,
    name: String,
    labels: Vec<(String, String)>,
    at_ms: i64,
    bits: u64,
    kind: MetricType,
    unit: String,
    help: String,
}

/// JSON makes nothing else.
fn float(sample: &model::Sample) -> f64 {
    match sample.value {
        model::Value::Float(value) => value,
        other => panic!("{other:?}"),
    }
}

fn rows(decoded: &Decoded<'_>) -> Vec<Row> {
    let batch = &decoded.batch;
    batch
        .samples()
        .iter()
        .map(|sample| {
            let series = batch.series(sample.series).unwrap();
            Row {
                index: sample.index,
                name: series.name.to_string(),
                labels: batch
                    .labels(series)
                    .iter()
                    .map(|label| (label.name.to_string(), label.value.to_string()))
                    .collect(),
                at_ms: sample.at_ms,
                bits: float(sample).to_bits(),
                kind: series.kind,
                unit: series.unit.to_string(),
                help: series.help.to_string(),
            }
        })
        .collect()
}

/// `name{a=b,…} value @time`, one line per sample.
fn lines(decoded: &Decoded<'_>) -> Vec<String> {
    rows(decoded)
        .into_iter()
        .map(|row| {
            let labels: Vec<String> = row
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let value = f64::from_bits(row.bits);
            format!(
                "{}{{{}}} {value} @{}",
                row.name,
                labels.join(","),
                row.at_ms
            )
        })
        .collect()
}

/// Both parsers must say the same of a body that both can read.
#[track_caller]
fn read(text: &str) -> Decoded<'_> {
    let decoded = decode(text.as_bytes(), 1000).unwrap();
    let careful = body::careful(text, 1000).unwrap();
    assert_eq!(decoded, careful, "the parsers differ");
    decoded
}

#[track_caller]
fn refused_body(body: &[u8], code: Code, message: &str) {
    let refusal = decode(body, 3).unwrap_err();
    assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
}

/// Reads a body of this element between two good ones, which must survive.
#[track_caller]
fn refused_element(element: &str, code: Code, message: &str) {
    let good = r#"{"metric_name":"good","timestamp":1,"value":1,"labels":{"a":"b"}}"#;
    let text = format!(r#"{{"metrics":[{good},{element},{good}]}}"#);
    let decoded = read(&text);
    assert_eq!(
        lines(&decoded),
        ["good{a=b} 1 @1", "good{a=b} 1 @1"],
        "{element}"
    );
    assert_eq!(decoded.objects, 3);
    let [refused] = decoded.refused.as_slice() else {
        panic!("{element}: {:?}", decoded.refused);
    };
    assert_eq!(
        (refused.refusal.code, refused.refusal.message.as_str()),
        (code, message),
        "{element}"
    );
    assert_eq!(refused.index, 1);
}
