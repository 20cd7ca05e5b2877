//! Every record of a topic, headers and all, one after the other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{POLL, Tail, TailRecord, record};
use crate::kafka::errors::describe_error;
use crate::kafka::table::{Consumer, context};
use crate::ranges::OffsetRange;

/// So long nothing may come of what is there.
const PATIENCE: Duration = Duration::from_secs(30);

impl Tail {
    /// Shows the records of these ranges, which have ends, to `visit` until it answers false. Blocks no runtime thread,
    /// and waits for nobody else who looks.
    ///
    /// # Errors
    /// Why Kafka cannot be asked, or did not answer, in words.
    pub async fn scan(
        &self,
        ranges: Vec<OffsetRange>,
        visit: impl FnMut(TailRecord) -> bool + Send + 'static,
    ) -> Result<(), String> {
        let tail = self.clone();
        let scanned = tokio::task::spawn_blocking(move || tail.scan_now(&ranges, visit));
        scanned.await.map_err(|error| error.to_string())?
    }

    fn scan_now(
        &self,
        ranges: &[OffsetRange],
        mut visit: impl FnMut(TailRecord) -> bool,
    ) -> Result<(), String> {
        let topic = &self.config.topic;
        let wrong = |error: KafkaError| format!("topic {topic}: {}", describe_error(&error));
        let mut list = TopicPartitionList::new();
        let mut ends = BTreeMap::new();
        for range in ranges {
            if let Some(to) = range.to.filter(|to| *to > range.from) {
                let offset = Offset::Offset(range.from);
                list.add_partition_offset(topic, range.partition, offset)
                    .map_err(wrong)?;
                ends.insert(range.partition, to);
            }
        }
        if ends.is_empty() {
            return Ok(());
        }
        let consumer =
            Consumer::from_config_and_context(&self.config.follower(), context()).map_err(wrong)?;
        consumer.assign(&list).map_err(wrong)?;
        let mut heard = Instant::now();
        while !ends.is_empty() {
            match consumer.poll(POLL) {
                None if heard.elapsed() > PATIENCE => {
                    let left = ends.len();
                    return Err(format!("topic {topic}: nothing comes of {left} partitions"));
                }
                None => {}
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let record = record(&message);
                    let Some(end) = ends.get(&record.partition).copied() else {
                        continue;
                    };
                    let (partition, offset) = (record.partition, record.offset);
                    if offset < end && !visit(record) {
                        return Ok(());
                    }
                    if offset + 1 >= end {
                        ends.remove(&partition);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    ends.remove(&partition);
                }
                Some(Err(error)) => return Err(wrong(error)),
            }
        }
        Ok(())
    }
}
