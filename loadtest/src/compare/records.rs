//! The values in a Kafka record of each format that the gateways under comparison write.
//!
//! A format's record is read as its consumers would read it; what does not parse has no values, so
//! it counts as lost.

use prost::Message;
use serde::Deserialize;

/// What the records of a topic hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `io.prometheus.write.v2.Request`: Sluice, some samples of one metric name per record.
    RemoteWrite2,
    /// One JSON object with a number as `value`: the Flask gateway, one sample per record.
    Json,
    /// One JSON object with text as `value`: prometheus-kafka-adapter, one sample per record.
    JsonText,
    /// InfluxDB lines: Telegraf, one line per record.
    Influx,
    /// OTLP's export request: the Collector, one record per request.
    Otlp,
}

/// Calls `found` with each value of a record.
pub(crate) fn values(format: Format, record: &[u8], found: &mut impl FnMut(f64)) {
    match format {
        Format::RemoteWrite2 => {
            if let Ok(request) = codec::wire::v2::Request::decode(record) {
                let samples = request.timeseries.iter().flat_map(|series| &series.samples);
                samples.for_each(|sample| found(sample.value));
            }
        }
        Format::Json => {
            if let Ok(sample) = serde_json::from_slice::<Numbered>(record) {
                found(sample.value);
            }
        }
        Format::JsonText => {
            let sample = serde_json::from_slice::<Quoted<'_>>(record);
            if let Some(value) = sample.ok().and_then(|sample| sample.value.parse().ok()) {
                found(value);
            }
        }
        Format::Influx => {
            let lines = std::str::from_utf8(record).unwrap_or_default().lines();
            lines.filter_map(fields).flat_map(numbers).for_each(found);
        }
        Format::Otlp => {
            if let Ok(request) = otlp::Request::decode(record) {
                request.points().for_each(found);
            }
        }
    }
}

#[derive(Deserialize)]
struct Numbered {
    value: f64,
}

#[derive(Deserialize)]
struct Quoted<'a> {
    #[serde(borrow)]
    value: std::borrow::Cow<'a, str>,
}

/// The fields of `measurement,tags fields timestamp`. None of our names has a blank in it.
fn fields(line: &str) -> Option<&str> {
    line.split(' ').nth(1)
}

fn numbers(fields: &str) -> impl Iterator<Item = f64> {
    fields
        .split(',')
        .filter_map(|field| field.split_once('='))
        // Whole numbers have a letter for their type.
        .filter_map(|(_, value)| value.trim_end_matches(['i', 'u']).parse().ok())
}

/// As much of OTLP's metrics as gauges and sums need.
mod otlp {
    use prost::{Message, Oneof};

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Request {
        #[prost(message, repeated, tag = "1")]
        pub resources: Vec<Resource>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Resource {
        #[prost(message, repeated, tag = "2")]
        pub scopes: Vec<Scope>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Scope {
        #[prost(message, repeated, tag = "2")]
        pub metrics: Vec<Metric>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Metric {
        #[prost(message, optional, tag = "5")]
        pub gauge: Option<Points>,
        #[prost(message, optional, tag = "7")]
        pub sum: Option<Points>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Points {
        #[prost(message, repeated, tag = "1")]
        pub points: Vec<Point>,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub(super) struct Point {
        #[prost(oneof = "Value", tags = "4, 6")]
        pub value: Option<Value>,
    }

    #[derive(Clone, Copy, PartialEq, Oneof)]
    pub(super) enum Value {
        #[prost(double, tag = "4")]
        Double(f64),
        #[prost(sfixed64, tag = "6")]
        Whole(i64),
    }

    impl Request {
        pub(super) fn points(&self) -> impl Iterator<Item = f64> {
            self.resources
                .iter()
                .flat_map(|resource| &resource.scopes)
                .flat_map(|scope| &scope.metrics)
                .flat_map(|metric| metric.gauge.iter().chain(&metric.sum))
                .flat_map(|points| &points.points)
                .filter_map(|point| point.value)
                .map(|value| match value {
                    Value::Double(value) => value,
                    Value::Whole(value) => value as f64,
                })
        }
    }
}

#[cfg(test)]
mod tests;
