//! The same series in every protocol, with other values and times in each variant of a body.

use std::fmt::Write as _;

use bytes::Bytes;
use codec::wire::{v1, v2};
use prost::Message as _;

/// What the gateway's clock shows.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// Metric names of a host.
const NAMES: usize = 50;

/// One sample of one series.
#[derive(Debug, Clone, Copy)]
struct Sample {
    name: usize,
    host: usize,
    at_ms: i64,
    /// In thousandths.
    value: usize,
}

impl Sample {
    fn name(self) -> String {
        format!("service_{:02}_memory_usage_percent", self.name)
    }

    fn host(self) -> String {
        format!("web-server-{:03}.example", self.host)
    }

    fn value(self) -> f64 {
        f64::from(u32::try_from(self.value).unwrap_or_default()) / 1000.0
    }
}

/// The samples of body `number`, of `count`: its senders' own hosts. Variants differ in values and times.
fn samples(count: usize, number: usize, variant: usize) -> impl Iterator<Item = Sample> {
    let first = count * number;
    (first..first + count).map(move |series| Sample {
        name: series % NAMES,
        host: series / NAMES,
        at_ms: NOW_MS - 60_000 + i64::try_from(variant * 1000 + series % 977).unwrap_or_default(),
        value: (series * 7919 + variant * 104_729) % 9_999_991,
    })
}

pub(crate) fn json(count: usize, number: usize, variant: usize) -> Bytes {
    let mut body = String::from("{\"metrics\": [");
    for (at, sample) in samples(count, number, variant).enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        put(
            &mut body,
            format_args!(
                "{comma}{{\"metric_name\": \"{}\", \"timestamp\": {}, \"value\": {:.3}, \"labels\": {{\"host\": \"{}\", \
                 \"region\": \"us-east-1\", \"environment\": \"production\"}}}}",
                sample.name(),
                sample.at_ms,
                sample.value(),
                sample.host(),
            ),
        );
    }
    body.push_str("]}");
    body.into()
}

/// Ten fields to a line, as Telegraf sends them.
pub(crate) fn influx(count: usize, number: usize, variant: usize) -> Bytes {
    let mut body = String::new();
    let samples: Vec<Sample> = samples(count, number, variant).collect();
    for line in samples.chunks(10) {
        let Some(first) = line.first() else { continue };
        put(
            &mut body,
            format_args!(
                "service_{:02},host={},region=us-east-1,environment=production ",
                first.name / 10,
                first.host()
            ),
        );
        for (at, sample) in line.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            put(
                &mut body,
                format_args!(
                    "{comma}memory_usage_{}={:.3}",
                    sample.name % 10,
                    sample.value()
                ),
            );
        }
        put(&mut body, format_args!(" {}\n", first.at_ms * 1_000_000));
    }
    body.into()
}

fn put(body: &mut String, text: std::fmt::Arguments<'_>) {
    body.write_fmt(text).expect("a text grows");
}

/// A series' labels, sorted as remote write wants them.
fn labels(sample: Sample) -> [(&'static str, String); 4] {
    [
        ("__name__", sample.name()),
        ("environment", "production".to_owned()),
        ("host", sample.host()),
        ("region", "us-east-1".to_owned()),
    ]
}

pub(crate) fn remote_write_1(count: usize, number: usize, variant: usize) -> Bytes {
    let series = |sample: Sample| v1::TimeSeries {
        labels: labels(sample)
            .map(|(name, value)| v1::Label {
                name: name.to_owned(),
                value,
            })
            .into(),
        samples: vec![v1::Sample {
            value: sample.value(),
            timestamp: sample.at_ms,
        }],
        ..v1::TimeSeries::default()
    };
    let request = v1::WriteRequest {
        timeseries: samples(count, number, variant).map(series).collect(),
        metadata: Vec::new(),
    };
    codec::snappy::compress(&request.encode_to_vec()).into()
}

pub(crate) fn remote_write_2(count: usize, number: usize, variant: usize) -> Bytes {
    let mut symbols = vec![String::new()];
    let mut known = std::collections::HashMap::new();
    let mut reference = |text: &str| {
        *known.entry(text.to_owned()).or_insert_with(|| {
            symbols.push(text.to_owned());
            u32::try_from(symbols.len() - 1).unwrap_or_default()
        })
    };
    let timeseries = samples(count, number, variant)
        .map(|sample| v2::TimeSeries {
            labels_refs: labels(sample)
                .iter()
                .flat_map(|(name, value)| [reference(name), reference(value)])
                .collect(),
            samples: vec![v2::Sample {
                value: sample.value(),
                timestamp: sample.at_ms,
                start_timestamp: 0,
            }],
            metadata: Some(v2::Metadata {
                // A gauge.
                r#type: 2,
                help_ref: reference("How much of the memory is used."),
                unit_ref: reference("percent"),
            }),
            ..v2::TimeSeries::default()
        })
        .collect();
    let request = v2::Request {
        symbols,
        timeseries,
    };
    codec::snappy::compress(&request.encode_to_vec()).into()
}

/// Data points by host and by name, as a Collector's batch has them.
pub(crate) fn otlp(count: usize, number: usize, variant: usize) -> Bytes {
    // Written by hand, with the fields in the order of their numbers: so every encoder has them.
    let attribute = |key: &str, value: &str| {
        format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
    };
    let samples: Vec<Sample> = samples(count, number, variant).collect();
    let metric = |sample: &Sample| {
        let attributes = [
            attribute("region", "us-east-1"),
            attribute("environment", "production"),
        ];
        format!(
            r#"{{"name":"{}","gauge":{{"dataPoints":[{{"timeUnixNano":"{}","asDouble":{},"attributes":[{}]}}]}}}}"#,
            sample.name().replace('_', "."),
            sample.at_ms * 1_000_000,
            sample.value(),
            attributes.join(","),
        )
    };
    let resources: Vec<String> = samples
        .chunk_by(|a, b| a.host == b.host)
        .map(|of_host| {
            let host = of_host.first().map(|sample| sample.host());
            let host = host.unwrap_or_default();
            // The second becomes the label `instance`: without it all hosts would be one series.
            let attributes = [
                attribute("host.name", &host),
                attribute("service.instance.id", &host),
            ];
            let metrics: Vec<String> = of_host.iter().map(metric).collect();
            format!(
                r#"{{"resource":{{"attributes":[{}]}},"scopeMetrics":[{{"scope":{{}},"metrics":[{}]}}]}}"#,
                attributes.join(","),
                metrics.join(","),
            )
        })
        .collect();
    let body = format!(r#"{{"resourceMetrics":[{}]}}"#, resources.join(","));
    codec::otlp::to_protobuf(body.as_bytes())
        .expect("a good body")
        .into()
}
