//! What lines become, and which are refused.

mod bodies;
mod openmetrics;
mod properties;
mod vectors;

use model::{Batch, MetricType, Sample, Value};

use super::{Dialect, Options, decode};
use crate::Decoded;

const NOW_MS: i64 = 1_700_000_000_000;

fn options(dialect: Dialect) -> Options {
    Options {
        dialect,
        now_ms: NOW_MS,
    }
}

fn text(body: &str) -> Decoded<'_> {
    decode(body.as_bytes(), &options(Dialect::Text), 1000).unwrap()
}

fn openmetrics(body: &str) -> Decoded<'_> {
    decode(body.as_bytes(), &options(Dialect::OpenMetrics), 1000).unwrap()
}

/// `name{label="value"} value @time [start] kind "help" unit`, one line per sample.
fn shown(decoded: &Decoded<'_>) -> String {
    let batch = &decoded.batch;
    let lines = batch.samples().iter().map(|sample| line(batch, sample));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(batch: &Batch<'_>, sample: &Sample) -> String {
    let series = batch.series(sample.series).unwrap();
    let mut line = format!("{}: {}", sample.index, series.name);
    for label in batch.labels(series) {
        line += &format!(" {}={:?}", label.name, label.value);
    }
    match sample.value {
        Value::Float(value) => line += &format!(" {value:?}"),
        Value::Histogram(number) => {
            line += &format!(" histogram {}", batch.histogram(number).len());
        }
        Value::Exemplar(number) => {
            let (exemplar, labels) = batch.exemplar(number).unwrap();
            line += &format!(" exemplar {:?}", exemplar.value);
            for label in labels {
                line += &format!(" {}={:?}", label.name, label.value);
            }
        }
    }
    if sample.at_ms != NOW_MS {
        line += &format!(" @{}", sample.at_ms);
    }
    if sample.start_ms != 0 {
        line += &format!(" since {}", sample.start_ms);
    }
    if series.kind != MetricType::Unspecified {
        line += &format!(" {}", series.kind.as_str());
    }
    if !series.unit.is_empty() {
        line += &format!(" in {}", series.unit);
    }
    if !series.help.is_empty() {
        line += &format!(" ({:?})", series.help);
    }
    line
}

/// The refused lines with their codes and sentences.
fn refused(decoded: &Decoded<'_>) -> String {
    let lines = decoded.refused.iter().map(|refused| {
        let refusal = &refused.refusal;
        format!(
            "{} {} {}",
            refused.metric_name,
            refusal.code.as_str(),
            refusal.message
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
