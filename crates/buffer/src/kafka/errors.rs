//! What librdkafka's errors mean for whoever publishes, reads or commits.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::{DrainError, PublishError};

/// A Kafka client could not be made: bad options, or no memory or threads for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the kafka client cannot be created")]
pub struct ClientError(#[from] KafkaError);

/// Why a record of `size_bytes` was not taken, or not confirmed.
pub(super) fn publish_error(
    code: RDKafkaErrorCode,
    size_bytes: usize,
    limit_bytes: usize,
) -> PublishError {
    match code {
        RDKafkaErrorCode::QueueFull => PublishError::QueueFull,
        RDKafkaErrorCode::MessageSizeTooLarge
        | RDKafkaErrorCode::InvalidMessageSize
        | RDKafkaErrorCode::MessageBatchTooLarge => PublishError::TooLarge {
            size_bytes,
            limit_bytes,
        },
        RDKafkaErrorCode::InvalidTimestamp => PublishError::Refused(format!(
            "the clock of this gateway differs too much from the broker's, which would delete the record at once: {}",
            describe(code)
        )),
        RDKafkaErrorCode::InvalidRecord | RDKafkaErrorCode::UnsupportedForMessageFormat => {
            PublishError::Refused(describe(code))
        }
        RDKafkaErrorCode::BrokerDestroy => PublishError::Closed,
        // Timed out, not enough replicas, no leader, not allowed, purged: it may still arrive, or be
        // there already, and whoever sent it still owns it.
        _ => PublishError::Unconfirmed(describe(code)),
    }
}

/// The label of a delivery's outcome.
pub(super) fn outcome(result: &Result<(), PublishError>) -> &'static str {
    match result {
        Ok(()) => "delivered",
        Err(PublishError::QueueFull) => "queue_full",
        Err(PublishError::TooLarge { .. }) => "too_large",
        Err(PublishError::Refused(_)) => "refused",
        Err(PublishError::Full(_) | PublishError::Unconfirmed(_)) => "unconfirmed",
        Err(PublishError::Closed) => "closed",
    }
}

/// Why a commit failed; `partition` is one of those that it was about.
pub(super) fn commit_error(code: RDKafkaErrorCode, partition: i32) -> DrainError {
    match code {
        // The group went on without us.
        RDKafkaErrorCode::UnknownMemberId
        | RDKafkaErrorCode::AssignmentLost
        | RDKafkaErrorCode::StaleMemberEpoch
        | RDKafkaErrorCode::FencedMemberEpoch => DrainError::NotOwned(partition),
        // Another process has our `instance_id`; or no commit will ever be allowed.
        RDKafkaErrorCode::FencedInstanceId
        | RDKafkaErrorCode::Fatal
        | RDKafkaErrorCode::OffsetMetadataTooLarge => DrainError::Fatal(describe(code)),
        // A rebalance is on its way: `RebalanceInProgress`, or `IllegalGeneration` when it was faster than
        // we learnt of it. Our partitions stay ours until the handover, so the same commit works in a
        // moment; if they are lost, that is told and the next commit is `NotOwned`. Or the coordinator
        // moves or does not answer, or the rights are being changed.
        _ => DrainError::Unavailable(describe(code)),
    }
}

/// What an error of the reading loop is to its reader, if it is anything.
pub(super) fn read_error(error: &KafkaError) -> Option<DrainError> {
    match error {
        KafkaError::MessageConsumptionFatal(code) => Some(DrainError::Fatal(describe(*code))),
        KafkaError::PartitionEOF(_) => None,
        other => {
            let code = other.rdkafka_error_code()?;
            match code {
                RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::FencedInstanceId
                | RDKafkaErrorCode::InconsistentGroupProtocol
                | RDKafkaErrorCode::InvalidGroupId
                | RDKafkaErrorCode::InvalidSessionTimeout => {
                    Some(DrainError::Fatal(describe(code)))
                }
                // One broker of several, or one request: librdkafka tries another, or again.
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::AutoOffsetReset => None,
                _ => Some(DrainError::Unavailable(describe(code))),
            }
        }
    }
}

/// An error's name and sentence, such as `NotEnoughReplicas (Broker: Not enough in-sync replicas)`.
pub(super) fn describe(code: RDKafkaErrorCode) -> String {
    match code {
        // Their own words are "Timed out" and the like, which leave open who did.
        RDKafkaErrorCode::OperationTimedOut
        | RDKafkaErrorCode::BrokerTransportFailure
        | RDKafkaErrorCode::AllBrokersDown => format!("no broker answers: {code}"),
        _ => code.to_string(),
    }
}

/// The same for an error that may not come from librdkafka.
pub(super) fn describe_error(error: &KafkaError) -> String {
    error
        .rdkafka_error_code()
        .map_or_else(|| error.to_string(), describe)
}
