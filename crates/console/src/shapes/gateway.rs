//! What comes in: samples by protocol, tenant and refusal, requests, records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Use;

/// What comes in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// `normal`, `read_only` or `drain`.
    pub mode: String,
    /// All samples.
    pub samples: Samples,
    /// By how they came, the most first.
    pub protocols: Vec<Protocol>,
    /// By whose they are, the most first; those past a bound are `other`, those of nobody `none`.
    pub tenants: Vec<Tenant>,
    /// Samples by why they were refused, the most first.
    pub refusals: Vec<Refusal>,
    /// Requests.
    pub requests: Requests,
    /// What was made of samples.
    pub records: Records,
    /// Bytes of bodies that are not answered yet.
    pub in_flight: Use,
    /// Series that sent something lately, estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_series: Option<u64>,
}

/// Samples: received = accepted + rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Decided on.
    pub received: u64,
    /// Durable in the buffer.
    pub accepted: u64,
    /// Refused, or not confirmed.
    pub rejected: u64,
    /// The same per second.
    pub received_per_s: f64,
    /// The same per second.
    pub accepted_per_s: f64,
    /// The same per second.
    pub rejected_per_s: f64,
}

/// Samples of a protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Protocol {
    /// Its name, as in the label `protocol`.
    pub protocol: String,
    /// How many.
    #[serde(flatten)]
    pub samples: Samples,
}

/// Samples of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its name, as in the label `tenant`.
    pub tenant: String,
    /// Good samples, given to the buffer.
    pub samples: u64,
    /// The same per second.
    pub samples_per_s: f64,
}

/// Samples with a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// An error code of the API.
    pub code: String,
    /// How many.
    pub samples: u64,
    /// The same per second.
    pub samples_per_s: f64,
}

/// Requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// Answered.
    pub total: u64,
    /// The same per second.
    pub per_s: f64,
    /// By the answer's status.
    pub statuses: Vec<Status>,
    /// Half of the requests of the last minute took less, all protocols and answers together; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_s: Option<f64>,
    /// One in a hundred took longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_s: Option<f64>,
}

/// Requests with a status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Of HTTP.
    pub status: String,
    /// How many.
    pub total: u64,
    /// The same per second.
    pub per_s: f64,
}

/// Records given to the buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// How many.
    pub total: u64,
    /// The same per second.
    pub per_s: f64,
    /// Their bytes, before compression.
    pub bytes_per_s: f64,
    /// What a sample took in the last minute; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_sample: Option<f64>,
    /// How many samples shared one in the last minute; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_per_record: Option<f64>,
}
