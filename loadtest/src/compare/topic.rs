//! A topic of the broker that all runs share: how far it has grown, what is in it, what it weighs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
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
    /// The folder that holds the partitions' folders.
    data: PathBuf,
}

impl Topic {
    pub(crate) fn create(kafka: &Kafka, name: &str) -> anyhow::Result<Self> {
        // As much as Sluice asks for; a broker's default is longer.
        kafka.create_topic(name, PARTITIONS, 1, &[("retention.ms", "86400000")]);
        let log = kafka.with_broker(0, |broker| broker.log_path().to_owned());
        let folder = log.parent().context("the broker's log has no folder")?;
        Ok(Self {
            name: name.to_owned(),
            consumer: ClientConfig::new()
                .set("bootstrap.servers", kafka.brokers())
                .set("group.id", "compare")
                .set("enable.auto.commit", "false")
                .set("log_level", "3")
                .create()?,
            data: folder.join("data"),
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

    /// Bytes of the topic's log segments on the broker's disk.
    pub(crate) fn disk_bytes(&self) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for partition in 0..PARTITIONS {
            let folder = self.data.join(format!("{}-{partition}", self.name));
            bytes += segment_bytes(&folder)
                .with_context(|| format!("the broker's folder {}", folder.display()))?;
        }
        Ok(bytes)
    }
}

fn segment_bytes(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // The indexes beside it are preallocated, and say nothing.
        if entry.path().extension().is_some_and(|kind| kind == "log") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
