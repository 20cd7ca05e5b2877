//! What lines mean, by example; the cases are those of InfluxDB's own parsers.

mod bad;
mod good;
mod known;
mod random;

use super::*;

/// The gateway's clock: November 2023.
const NOW_MS: i64 = 1_700_000_000_000;

fn options() -> Options<'static> {
    Options {
        precision: Precision::Nanosecond,
        now_ms: NOW_MS,
        separator: "_",
        strings: Strings::Skip,
        booleans: Booleans::Number,
        label: None,
        max_samples: 1000,
        max_metric_name_bytes: 100,
    }
}

/// Samples as `name{label=value,…} value @milliseconds`, in order.
fn shown(decoded: &Decoded<'_>) -> Vec<String> {
    let batch = &decoded.batch;
    let of_sample = |sample: &model::Sample| {
        let series = batch.series(sample.series).unwrap();
        let labels: Vec<String> = batch
            .labels(series)
            .iter()
            .map(|label| format!("{}={}", label.name, label.value))
            .collect();
        let model::Value::Float(value) = sample.value else {
            panic!("lines make floats");
        };
        let (name, labels) = (&series.name, labels.join(","));
        if sample.at_ms == NOW_MS {
            format!("{name}{{{labels}}} {value}")
        } else {
            format!("{name}{{{labels}}} {value} @{}", sample.at_ms)
        }
    };
    batch.samples().iter().map(of_sample).collect()
}

/// Refusals as `index code message`.
fn told(decoded: &Decoded<'_>) -> Vec<String> {
    let of_refused = |refused: &model::Refused| {
        let Refusal { code, message } = &refused.refusal;
        format!("{} {} {message}", refused.index, code.as_str())
    };
    decoded.refused.iter().map(of_refused).collect()
}

fn decoded<'a>(body: &'a str, options: &Options<'a>) -> Decoded<'a> {
    decode(body.as_bytes(), options).expect("the body is not refused")
}

fn samples(body: &str) -> Vec<String> {
    let decoded = decoded(body, &options());
    assert_eq!(told(&decoded), [""; 0], "{body:?}");
    shown(&decoded)
}
