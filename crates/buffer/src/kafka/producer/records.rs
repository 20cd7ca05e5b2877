//! The way of a record of samples: which topic and partition it goes to, and what is awaited.

use futures::future::TryFutureExt as _;

use super::{Outgoing, Producer, headers, placement};
use crate::spool::Upstream;
use crate::{Durability, PublishError, Record};

impl Producer {
    pub(super) fn send_record(
        &self,
        record: &Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static + use<> {
        debug_assert!(!record.key.is_empty(), "an empty key has one partition");
        let topic = self.shared.config.topic_of(record.tenant.as_deref());
        let partitions = self.partitions_of(topic);
        let answer = self.send(&Outgoing {
            topic,
            partition: placement::chosen(&record.key, record.spread, partitions),
            key: Some(&record.key),
            value: Some(&record.value),
            limit_bytes: self.limits().record,
            at_ms: record.received_at_ms,
            headers: &|| headers::of_record(record, partitions),
        });
        answer.map_ok(|()| Durability::Kafka)
    }
}

impl Upstream for Producer {
    fn publish_kept(
        &self,
        record: &Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        self.send_record(record)
    }

    fn part(&self, record: &Record) -> usize {
        let config = &self.shared.config;
        let topic = config.topic_of(record.tenant.as_deref());
        let partitions = self.partitions_of(topic);
        if partitions < 1 {
            return 0;
        }
        let partition = placement::of(&record.key, record.spread, partitions);
        let partition = usize::try_from(partition).unwrap_or_default();
        if *topic == config.topic {
            return partition;
        }
        // Another topic may fail by itself.
        let mut others = config.tenant_topics.values();
        let number = others.position(|other| other == topic).unwrap_or_default() + 1;
        (number << 16) | partition
    }
}
