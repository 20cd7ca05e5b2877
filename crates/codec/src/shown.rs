//! What a decoder made of a body, as lines that a test can state.

use model::Value;

use crate::Decoded;

/// `0: name{label="value"} 1 @ms` per sample, then `1! name code: message` per refusal, then what was ignored.
pub(crate) fn shown(decoded: &Decoded<'_>) -> Vec<String> {
    let batch = &decoded.batch;
    let mut lines = Vec::new();
    for sample in batch.samples() {
        let series = batch.series(sample.series).unwrap();
        let labels = batch.labels(series).iter();
        let labels: Vec<String> = labels
            .map(|label| format!("{}={:?}", label.name, label.value))
            .collect();
        let value = match sample.value {
            Value::Float(value) => value.to_string(),
            other => format!("{other:?}"),
        };
        lines.push(format!(
            "{}: {}{{{}}} {value} @{}",
            sample.index,
            series.name,
            labels.join(","),
            sample.at_ms
        ));
    }
    for refused in &decoded.refused {
        lines.push(format!(
            "{}! {} {}: {}",
            refused.index,
            refused.metric_name,
            refused.refusal.code.as_str(),
            refused.refusal.message
        ));
    }
    for (what, count) in &decoded.ignored {
        lines.push(format!("ignored {count} {}", what.as_str()));
    }
    // Every object is a sample's or a refusal's, once.
    let mut indices: Vec<u32> = batch.samples().iter().map(|sample| sample.index).collect();
    indices.extend(decoded.refused.iter().map(|refused| refused.index));
    indices.sort_unstable();
    indices.dedup();
    assert_eq!(indices.len(), decoded.objects as usize, "{lines:#?}");
    lines
}
