//! How large records may be, as topics and the client say.

use super::super::config::DEFAULT_MESSAGE_MAX_BYTES;
use super::super::topic::Topic;

/// What headers, the batch around a record and the framing may take of the topic's limit, in bytes.
const OVERHEAD_BYTES: usize = 4096;

/// What a record may have while nothing is known of its topic.
pub(super) const DEFAULT_RECORD_BYTES: usize = DEFAULT_MESSAGE_MAX_BYTES - OVERHEAD_BYTES;

/// The largest key plus value that each topic takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) record: usize,
    pub(super) dead_letter: usize,
}

impl Limits {
    pub(super) fn of(topic: &Topic, dead_letters: Option<&Topic>) -> Self {
        let bytes = |topic: &Topic| {
            topic
                .max_message_bytes
                .unwrap_or(DEFAULT_MESSAGE_MAX_BYTES)
                .clamp(2 * OVERHEAD_BYTES, 1_000_000_000)
                - OVERHEAD_BYTES
        };
        Self {
            record: bytes(topic),
            dead_letter: dead_letters.map_or(bytes(topic), bytes),
        }
    }

    /// What the one client for both must take.
    pub(super) fn message_max_bytes(self) -> usize {
        self.record.max(self.dead_letter) + OVERHEAD_BYTES
    }

    /// Several records in one batch must fit, whichever topic they are for.
    pub(super) fn batch_bytes(self) -> usize {
        let smaller = self.record.min(self.dead_letter) + OVERHEAD_BYTES;
        smaller.min(DEFAULT_MESSAGE_MAX_BYTES)
    }
}
