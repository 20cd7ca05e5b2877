//! Buffers that keep nothing, or everything, and answer at once.

use std::sync::Mutex;
use std::time::Duration;

use buffer::{Durability, Publish, PublishError, Record};

/// Where a gateway's records go when only the gateway is measured.
#[derive(Debug, Default)]
pub(crate) struct Nowhere {
    /// The records, for whoever asked for them.
    pub kept: Option<Mutex<Vec<Record>>>,
}

impl Nowhere {
    /// One that keeps what it confirms.
    pub(crate) fn that_keeps() -> Self {
        Self {
            kept: Some(Mutex::default()),
        }
    }

    /// What was confirmed since the last call.
    pub(crate) fn take(&self) -> Vec<Record> {
        let kept = self.kept.as_ref().and_then(|kept| kept.lock().ok());
        kept.map(|mut kept| std::mem::take(&mut *kept))
            .unwrap_or_default()
    }
}

impl Publish for Nowhere {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        if let Some(kept) = &self.kept
            && let Ok(mut kept) = kept.lock()
        {
            kept.push(record);
        }
        std::future::ready(Ok(Durability::Kafka))
    }

    fn durability(&self) -> Durability {
        Durability::Kafka
    }

    fn max_record_bytes(&self) -> usize {
        // Kafka's default of `message.max.bytes`, about.
        1 << 20
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        0
    }
}
