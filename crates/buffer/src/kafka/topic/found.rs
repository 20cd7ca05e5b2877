//! A topic that somebody else made, compared with what is wanted: said loudly, shown, never changed.

use std::collections::HashMap;

use super::{DEAD_LETTER_EXTRA_BYTES, Keep, Wanted, millis};
use crate::metrics;

/// An existing topic.
pub(super) struct Found {
    pub(super) partitions: i32,
    pub(super) replicas: usize,
    pub(super) settings: HashMap<String, String>,
}

/// One thing that is not as wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) setting: &'static str,
    found: String,
    wanted: String,
    why: &'static str,
}

impl From<Mismatch> for super::Difference {
    fn from(mismatch: Mismatch) -> Self {
        Self {
            setting: mismatch.setting,
            found: mismatch.found,
            wanted: mismatch.wanted,
            why: mismatch.why,
        }
    }
}

impl Found {
    pub(super) fn mismatches(&self, wanted: &Wanted<'_>) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        let mut differs = |setting, found: String, wanted: String, why| {
            mismatches.push(Mismatch {
                setting,
                found,
                wanted,
                why,
            });
        };
        if self.partitions < wanted.partitions {
            differs(
                "partitions",
                self.partitions.to_string(),
                wanted.partitions.to_string(),
                "fewer consumers can share the work",
            );
        }
        if usize::try_from(wanted.replication).is_ok_and(|replicas| self.replicas < replicas) {
            differs(
                "replication",
                self.replicas.to_string(),
                wanted.replication.to_string(),
                "fewer brokers may fail before records are lost",
            );
        }
        let number = |name: &str| self.settings.get(name)?.parse::<i64>().ok();
        // -1 keeps records forever.
        if let Some(found) = number("retention.ms")
            && let Keep::For(retention) = wanted.keep
            && let wanted_ms = millis(retention)
            && (0..wanted_ms).contains(&found)
        {
            differs(
                "retention",
                format!("{found} ms"),
                format!("{wanted_ms} ms"),
                "records expire sooner than the settings promise",
            );
        }
        if let Some(found) = number("retention.bytes").filter(|bytes| *bytes >= 0)
            && matches!(wanted.keep, Keep::For(_))
        {
            differs(
                "retention_bytes",
                found.to_string(),
                "-1".to_owned(),
                "records may expire by size before their time",
            );
        }
        let bytes = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        if let Some(found) = number("max.message.bytes")
            && let Some(wanted) = wanted.max_message_bytes.map(bytes)
            // A bit less does for all but the very largest.
            && found < wanted - bytes(DEAD_LETTER_EXTRA_BYTES)
        {
            differs(
                "max_message_bytes",
                found.to_string(),
                wanted.to_string(),
                "a large record that cannot be decoded would fit nowhere and stop its partition",
            );
        }
        if let Some(found) = self.settings.get("cleanup.policy")
            && found != wanted.keep.policy()
        {
            differs(
                "cleanup_policy",
                found.clone(),
                wanted.keep.policy().to_owned(),
                match wanted.keep {
                    Keep::For(_) => "compaction keeps only the last record of each metric name",
                    Keep::LastOfEachKey => "entries are forgotten when they are old",
                },
            );
        }
        mismatches
    }
}

pub(super) fn report(wanted: &Wanted<'_>, mismatches: &[Mismatch]) {
    for setting in [
        "partitions",
        "replication",
        "retention",
        "retention_bytes",
        "max_message_bytes",
        "cleanup_policy",
    ] {
        let mismatch = mismatches.iter().find(|m| m.setting == setting);
        metrics::topic_mismatch(wanted.name, setting, mismatch.is_some());
        if let Some(mismatch) = mismatch {
            tracing::warn!(
                topic = wanted.name,
                setting,
                found = mismatch.found,
                wanted = mismatch.wanted,
                why = mismatch.why,
                "KAFKA TOPIC IS NOT WHAT THE SETTINGS ASK FOR, and is not changed"
            );
        }
    }
}
