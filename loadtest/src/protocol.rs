//! What a request of each protocol says around its body.

use clap::ValueEnum;
use serde::Deserialize;

/// What bodies are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    Json,
    #[value(name = "remote-write-1")]
    #[serde(rename = "remote-write-1")]
    RemoteWrite1,
    #[value(name = "remote-write-2")]
    #[serde(rename = "remote-write-2")]
    RemoteWrite2,
    Otlp,
    OtlpJson,
    Influx,
    Text,
    Opentsdb,
    Victoria,
    Datadog,
    /// Over UDP, without answers: only what the kernel dropped is known.
    Statsd,
}

/// How bodies are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    Identity,
    Gzip,
    Zstd,
    Snappy,
}

impl Protocol {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Json => "/metrics",
            Self::RemoteWrite1 | Self::RemoteWrite2 => "/api/v1/write",
            Self::Otlp | Self::OtlpJson => "/v1/metrics",
            Self::Influx => "/write",
            Self::Text => "/api/v1/import/prometheus",
            Self::Opentsdb => "/api/put",
            Self::Victoria => "/api/v1/import",
            Self::Datadog => "/api/v2/series",
            Self::Statsd => "",
        }
    }

    /// Headers beside `Content-Encoding` and `Content-Length`.
    pub(crate) const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Json | Self::OtlpJson | Self::Opentsdb | Self::Datadog => {
                &[("content-type", "application/json")]
            }
            Self::RemoteWrite1 => &[
                ("content-type", "application/x-protobuf"),
                ("x-prometheus-remote-write-version", "0.1.0"),
            ],
            Self::RemoteWrite2 => &[
                (
                    "content-type",
                    "application/x-protobuf;proto=io.prometheus.write.v2.Request",
                ),
                ("x-prometheus-remote-write-version", "2.0.0"),
            ],
            Self::Otlp => &[("content-type", "application/x-protobuf")],
            Self::Influx | Self::Text | Self::Victoria | Self::Statsd => {
                &[("content-type", "text/plain")]
            }
        }
    }

    /// What its senders use.
    pub(crate) const fn usual_compression(self) -> Compression {
        match self {
            Self::RemoteWrite1 | Self::RemoteWrite2 => Compression::Snappy,
            Self::Json
            | Self::Otlp
            | Self::OtlpJson
            | Self::Influx
            | Self::Text
            | Self::Opentsdb
            | Self::Victoria
            | Self::Datadog
            | Self::Statsd => Compression::Identity,
        }
    }

    /// Whether the server says what became of a body.
    pub(crate) const fn has_answers(self) -> bool {
        !matches!(self, Self::Statsd)
    }

    /// Whether a 2xx says in its body that some samples were refused.
    pub(crate) fn is_partial(self, answer: &[u8]) -> bool {
        match self {
            Self::Json => !contains(answer, br#""status":"success""#),
            // A response without a partial success is empty.
            Self::Otlp => !answer.is_empty(),
            Self::OtlpJson => contains(answer, b"partialSuccess"),
            Self::Datadog => !contains(answer, br#""errors":[]"#),
            Self::RemoteWrite1
            | Self::RemoteWrite2
            | Self::Influx
            | Self::Text
            | Self::Opentsdb
            | Self::Victoria
            | Self::Statsd => false,
        }
    }

    /// Its name, as on the command line.
    pub(crate) fn name(self) -> String {
        named(&self)
    }
}

impl Compression {
    /// `Content-Encoding`, if there is one.
    pub(crate) const fn header(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Snappy => Some("snappy"),
        }
    }

    /// Its name, as on the command line.
    pub(crate) fn name(self) -> String {
        named(&self)
    }
}

fn named(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
