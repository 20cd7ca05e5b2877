//! librdkafka's log lines and error events, on their way into ours: fewer, and counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use service::log_limit::LogLimit;

use crate::metrics;

/// Kinds of lines are librdkafka's own constants; this bound is for the case that they are not.
const MAX_FACILITIES: usize = 64;

/// How much librdkafka should say.
pub(super) fn level() -> RDKafkaLogLevel {
    if tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG) {
        RDKafkaLogLevel::Info
    } else {
        RDKafkaLogLevel::Warning
    }
}

/// The log of one client.
#[derive(Debug)]
pub(super) struct ClientLog {
    client: &'static str,
    limits: Mutex<HashMap<String, LogLimit>>,
}

impl ClientLog {
    /// `client` is `producer`, `reader` or `admin`.
    pub(super) fn new(client: &'static str) -> Self {
        Self {
            client,
            limits: Mutex::default(),
        }
    }

    /// Passes a line of librdkafka on, at most one per kind and 10 s.
    pub(super) fn line(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let client = self.client;
        match level {
            // An option for consumers in a producer, or the other way round: one map serves both.
            _ if facility == "CONFWARN" => {
                tracing::debug!(target: "librdkafka", client, facility, message, "kafka client");
            }
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: "librdkafka", client, facility, message, "kafka client");
            }
            // It recovers by itself; what does not is said where it is handled.
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => {
                if let Some(suppressed) = self.passes(facility) {
                    tracing::warn!(
                        target: "librdkafka", client, facility, suppressed, message,
                        "kafka client has trouble"
                    );
                }
            }
        }
    }

    /// Counts an error event, and logs it, at most one per kind and 10 s.
    pub(super) fn error(&self, error: &KafkaError, reason: &str) {
        if matches!(error, KafkaError::PartitionEOF(_))
            || error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF)
        {
            // Whoever asked for the ends of partitions is told where it reads.
            return;
        }
        let kind = error.rdkafka_error_code().map_or("other", kind);
        metrics::kafka_client_error(self.client, kind);
        if let Some(suppressed) = self.passes(kind) {
            tracing::warn!(
                client = self.client,
                kind,
                suppressed,
                reason,
                "kafka client reports an error"
            );
        }
    }

    fn passes(&self, facility: &str) -> Option<u64> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = limits.get(facility) {
            return limit.pass();
        }
        if limits.len() >= MAX_FACILITIES {
            return None;
        }
        limits.entry(facility.to_owned()).or_default().pass()
    }
}

/// The label of an error's kind.
fn kind(code: RDKafkaErrorCode) -> &'static str {
    match code {
        RDKafkaErrorCode::AllBrokersDown => "brokers_down",
        RDKafkaErrorCode::BrokerTransportFailure
        | RDKafkaErrorCode::Resolve
        | RDKafkaErrorCode::OperationTimedOut
        | RDKafkaErrorCode::RequestTimedOut
        | RDKafkaErrorCode::NetworkException
        | RDKafkaErrorCode::SSL => "connection",
        RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => {
            "authentication"
        }
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::GroupAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => "authorization",
        RDKafkaErrorCode::Fatal => "fatal",
        _ => "other",
    }
}
