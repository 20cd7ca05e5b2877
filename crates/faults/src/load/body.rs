//! Numbered samples, and requests that hold them.
//!
//! A sample's value says which one it is, and its labels say so too: what comes back under another
//! series' labels is not found but wrong.

use std::fmt::Write as _;

use codec::wire::v1::{Label, Sample, TimeSeries, WriteRequest};
use prost::Message as _;

/// Metric names that a sender's series share.
const NAMES: u64 = 10;
/// One sender's turns at most, so that a value stays far below 2^53.
const TURNS: u64 = 10_000_000;
const SLOTS: u64 = 1000;

/// Which sample: of which sender, of which turn, of which of its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub sender: u64,
    pub turn: u64,
    pub slot: u64,
}

impl Number {
    /// A sample's value.
    pub(crate) const fn value(self) -> f64 {
        ((self.sender * TURNS + self.turn) * SLOTS + self.slot) as f64
    }

    /// The sample that has this value, if one can have it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is no whole number of this range is refused before"
    )]
    pub(crate) fn of(value: f64) -> Option<Self> {
        if !(0.0..1e13).contains(&value) || value.fract() > 0.0 {
            return None;
        }
        let whole = value as u64;
        Some(Self {
            sender: whole / SLOTS / TURNS,
            turn: whole / SLOTS % TURNS,
            slot: whole % SLOTS,
        })
    }

    /// The metric name of its series.
    pub(crate) fn name(self) -> String {
        format!("fault_{}", self.slot % NAMES)
    }
}

/// How a sender writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    RemoteWrite,
}

impl Protocol {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Json => "/metrics",
            Self::RemoteWrite => "/api/v1/write",
        }
    }

    pub(crate) const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Json => &[("content-type", "application/json")],
            Self::RemoteWrite => &[
                ("content-type", "application/x-protobuf"),
                ("content-encoding", "snappy"),
                ("x-prometheus-remote-write-version", "0.1.0"),
            ],
        }
    }

    /// One sample of each of a sender's series.
    pub(crate) fn body(self, sender: u64, turn: u64, series: u64, at_ms: i64) -> Vec<u8> {
        let numbers = (0..series).map(|slot| Number { sender, turn, slot });
        match self {
            Self::Json => json(numbers, at_ms),
            Self::RemoteWrite => remote_write(numbers, at_ms),
        }
    }
}

fn json(numbers: impl Iterator<Item = Number>, at_ms: i64) -> Vec<u8> {
    let mut text = String::from(r#"{"metrics":["#);
    for number in numbers {
        if number.slot > 0 {
            text.push(',');
        }
        write!(
            text,
            r#"{{"metric_name":"{}","timestamp":{at_ms},"value":{},"labels":{{"sender":"{}","slot":"{}"}}}}"#,
            number.name(),
            number.value(),
            number.sender,
            number.slot
        )
        .unwrap_or_default();
    }
    text.push_str("]}");
    text.into_bytes()
}

fn remote_write(numbers: impl Iterator<Item = Number>, at_ms: i64) -> Vec<u8> {
    let label = |name: &str, value: String| Label {
        name: name.to_owned(),
        value,
    };
    let timeseries = numbers.map(|number| TimeSeries {
        labels: vec![
            label("__name__", number.name()),
            label("sender", number.sender.to_string()),
            label("slot", number.slot.to_string()),
        ],
        samples: vec![Sample {
            value: number.value(),
            timestamp: at_ms,
        }],
        ..TimeSeries::default()
    });
    let request = WriteRequest {
        timeseries: timeseries.collect(),
        ..WriteRequest::default()
    };
    codec::snappy::compress(&request.encode_to_vec())
}
