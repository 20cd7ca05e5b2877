//! What senders of both versions push arrives as they sent it, or is refused with a reason.

mod known;
mod objects;
mod random;
mod requests;

use model::{Batch, Code, Label, Limits, Series, Value};

use super::*;
use crate::wire::{v1, v2};

fn limits() -> Limits {
    Limits::default()
}

fn label(name: &str, value: &str) -> v1::Label {
    v1::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn named(name: &str) -> Vec<v1::Label> {
    vec![label("__name__", name), label("host", "a")]
}

fn sample(value: f64, timestamp: i64) -> v1::Sample {
    v1::Sample { value, timestamp }
}

fn of_series(timeseries: Vec<v1::TimeSeries>) -> Vec<u8> {
    encoded(&v1::WriteRequest {
        timeseries,
        metadata: Vec::new(),
    })
}

fn encoded(message: &impl prost::Message) -> Vec<u8> {
    message.encode_to_vec()
}

/// A 2.0 request, whose texts are numbered as they come.
#[derive(Default)]
struct Request(v2::Request);

impl Request {
    fn number(&mut self, text: &str) -> u32 {
        let symbols = &mut self.0.symbols;
        if symbols.is_empty() {
            symbols.push(String::new());
        }
        let at = symbols.iter().position(|known| known == text);
        let at = at.unwrap_or_else(|| {
            symbols.push(text.to_owned());
            symbols.len() - 1
        });
        u32::try_from(at).unwrap()
    }

    fn refs(&mut self, labels: &[(&str, &str)]) -> Vec<u32> {
        labels
            .iter()
            .flat_map(|(name, value)| [self.number(name), self.number(value)])
            .collect()
    }

    fn series(&mut self, labels: &[(&str, &str)]) -> &mut v2::TimeSeries {
        let labels_refs = self.refs(labels);
        self.0.timeseries.push(v2::TimeSeries {
            labels_refs,
            ..v2::TimeSeries::default()
        });
        self.0.timeseries.last_mut().unwrap()
    }

    fn body(&self) -> Vec<u8> {
        encoded(&self.0)
    }
}

fn point(value: f64, timestamp: i64, start_timestamp: i64) -> v2::Sample {
    v2::Sample {
        value,
        timestamp,
        start_timestamp,
    }
}

#[track_caller]
fn v1_of(body: &[u8]) -> Decoded<'_> {
    decode(Version::V1, body, &limits()).unwrap()
}

#[track_caller]
fn v2_of(body: &[u8]) -> Decoded<'_> {
    decode(Version::V2, body, &limits()).unwrap()
}

/// Every series as text.
fn shown(batch: &Batch<'_>) -> Vec<String> {
    let labels = |labels: &[Label<'_>]| {
        let texts: Vec<String> = labels
            .iter()
            .map(|label| format!("{}={}", label.name, label.value))
            .collect();
        texts.join(",")
    };
    let series_of =
        |series: &Series<'_>| format!("{}{{{}}}", series.name, labels(batch.labels(series)));
    batch
        .samples()
        .iter()
        .map(|sample| {
            let series = series_of(batch.series(sample.series).unwrap());
            let (at_ms, start_ms) = (sample.at_ms, sample.start_ms);
            match sample.value {
                Value::Float(value) if start_ms != 0 => {
                    format!("{series} {value} @{at_ms} since {start_ms}")
                }
                Value::Float(value) => format!("{series} {value} @{at_ms}"),
                Value::Histogram(_) => format!("{series} histogram @{at_ms}"),
                Value::Exemplar(number) => {
                    let (exemplar, own) = batch.exemplar(number).unwrap();
                    let own = labels(own);
                    format!("{series} exemplar {}{{{own}}} @{at_ms}", exemplar.value)
                }
            }
        })
        .collect()
}

fn refusals<'a>(decoded: &'a Decoded<'a>) -> Vec<(u32, &'a str, Code, &'a str)> {
    decoded
        .refused
        .iter()
        .map(|refused| {
            let Refusal { code, message } = &refused.refusal;
            (
                refused.index,
                refused.metric_name.as_str(),
                *code,
                message.as_str(),
            )
        })
        .collect()
}

#[track_caller]
fn refused_whole(version: Version, body: &[u8], code: Code, message: &str) {
    let refusal = decode(version, body, &limits()).unwrap_err();
    assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
}
