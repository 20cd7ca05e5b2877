//! A topic of the broker that all runs share: how far it has grown, and what is in it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use testkit::Kafka;

/// Partitions of each topic.
pub(crate) const PARTITIONS: u32 = 8;
const TIMEOUT: Duration = Duration::from_secs(30);

/// The end of each partition at some moment.
pub(crate) type Ends = BTreeMap<i32, i64>;

/// One run's topic.
pub(crate) struct Topic {
    name: String,
    consumer: BaseConsumer,
}

impl Topic {
    pub(crate) fn create(kafka: &Kafka, name: &str) -> anyhow::Result<Self> {
        // As much as Sluice asks for; a broker's default is longer.
        kafka.create_topic(name, PARTITIONS, 1, &[("retention.ms", "86400000")]);
        Ok(Self {
            name: name.to_owned(),
            consumer: ClientConfig::new()
                .set("bootstrap.servers", kafka.brokers())
                .set("group.id", "compare")
                .set("enable.auto.commit", "false")
                .set("log_level", "3")
                .create()?,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn ends(&self) -> anyhow::Result<Ends> {
        (0..PARTITIONS)
            .map(|partition| {
                let partition = i32::try_from(partition)?;
                let (_, end) = self
                    .consumer
                    .fetch_watermarks(&self.name, partition, TIMEOUT)?;
                Ok((partition, end))
            })
            .collect()
    }

    /// Calls `see` with each record up to `ends`: its partition, offset and value.
    pub(crate) fn read(
        &self,
        ends: &Ends,
        mut see: impl FnMut(i32, i64, &[u8]),
    ) -> anyhow::Result<()> {
        let mut unread = BTreeMap::new();
        let mut from = TopicPartitionList::new();
        for (&partition, &end) in ends {
            if end > 0 {
                from.add_partition_offset(&self.name, partition, Offset::Beginning)?;
                unread.insert(partition, end);
            }
        }
        self.consumer.assign(&from)?;
        while !unread.is_empty() {
            let record = match self.consumer.poll(TIMEOUT) {
                Some(record) => record?,
                None => bail!("Kafka sends nothing, with {unread:?} still to read"),
            };
            let (partition, offset) = (record.partition(), record.offset());
            let Some(&end) = unread.get(&partition) else {
                continue;
            };
            see(partition, offset, record.payload().unwrap_or_default());
            if offset + 1 >= end {
                unread.remove(&partition);
            }
        }
        self.consumer.unassign()?;
        Ok(())
    }
}
