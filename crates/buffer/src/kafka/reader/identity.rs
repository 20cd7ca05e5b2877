//! Whether the topic is still the one that was read, or another one of the same name.
//!
//! librdkafka goes on at the offset where it was, and in a topic that was made anew with more records than the old one
//! had, that leaves out what is before. So every few seconds the logs are doubted where their offsets went back, or
//! where everything they have is younger than what was read; and what is doubted is asked for the record that was read
//! last. Only when another one is in its place does reading start again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::partitions::Mark;
use super::positions::{self, Position};
use super::rebalance::report_truncated;
use super::{Consumer, Shared, poll};
use crate::kafka::errors::describe_error;
use crate::kafka::table;

/// For each of the questions. The polling thread waits for them, so that nothing is read meanwhile.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Marks partitions whose log may be another one. Asks one question more for all of them.
pub(super) fn doubt(consumer: &Consumer, shared: &Shared, positions: &BTreeMap<i32, Position>) {
    let mut list = TopicPartitionList::new();
    let mut doubtful = Vec::new();
    let mut asked = BTreeMap::new();
    for (number, position) in positions {
        let Some(known) = shared.partitions.get(*number) else {
            continue;
        };
        let fell = |before: Option<i64>, now: Option<i64>| {
            before.zip(now).is_some_and(|(before, now)| now < before)
        };
        if fell(known.start, position.start) || fell(known.end, position.end) {
            doubtful.push(*number);
        } else if let (Some(last), Some(start)) = (known.last, position.start)
            && last.offset > start
        {
            // The first record that is as young as the last one that was read.
            let at = Offset::Offset(last.at_ms);
            if list
                .add_partition_offset(&shared.topic, *number, at)
                .is_ok()
            {
                asked.insert(*number, start);
            }
        }
    }
    if !asked.is_empty()
        && let Ok(answers) = consumer.offsets_for_times(list, TIMEOUT)
        && let Ok(answers) = positions::offsets(&answers)
    {
        let all_younger = answers
            .into_iter()
            .filter(|(number, first)| asked.get(number).is_some_and(|start| first <= start));
        doubtful.extend(all_younger.map(|(number, _)| number));
    }
    for number in doubtful {
        shared.partitions.doubt(number);
    }
}

/// Looks at what is doubted, and starts again where another log was found. On the polling thread.
pub(super) fn settle_doubts(consumer: &Consumer, shared: &Shared) {
    for number in shared.partitions.take_doubtful() {
        let Some(last) = shared.partitions.get(number).and_then(|known| known.last) else {
            continue;
        };
        let Some(position) = positions::of_one(consumer, &shared.topic, number) else {
            continue;
        };
        let (Some(start), Some(end)) = (position.start, position.end) else {
            continue;
        };
        // Beyond the end, Kafka answers that itself, and where it has expired nobody knows.
        if last.offset < start || last.offset >= end {
            continue;
        }
        match time_at(shared, number, last) {
            Ok(Some(at_ms)) if at_ms != last.at_ms => {
                if let Err(error) = start_again(consumer, shared, number, last, (start, end)) {
                    let reason = describe_error(&error);
                    tracing::warn!(
                        group = shared.group,
                        partition = number,
                        reason,
                        "the topic was made anew, and is not read from its start yet; tried again"
                    );
                    shared.partitions.doubt(number);
                }
            }
            Ok(_) => {}
            Err(error) => {
                let reason = describe_error(&error);
                tracing::debug!(
                    partition = number,
                    reason,
                    "a record could not be looked at"
                );
            }
        }
    }
}

/// The time of the record at a place, or of the next one.
fn time_at(shared: &Shared, partition: i32, mark: Mark) -> KafkaResult<Option<i64>> {
    let looker = table::Consumer::from_config_and_context(&shared.looker, table::context())?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&shared.topic, partition, Offset::Offset(mark.offset))?;
    looker.assign(&list)?;
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        match looker.poll(Duration::from_millis(100)) {
            None => {}
            Some(Ok(message)) => return Ok(message.timestamp().to_millis()),
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(error)) => return Err(error),
        }
    }
    Ok(None)
}

fn start_again(
    consumer: &Consumer,
    shared: &Shared,
    partition: i32,
    last: Mark,
    (start, end): (i64, i64),
) -> KafkaResult<()> {
    consumer.seek(&shared.topic, partition, Offset::Offset(start), TIMEOUT)?;
    report_truncated(shared, partition, last.offset + 1, start);
    poll::begin_anew(shared, partition, start, Some(end));
    shared
        .partitions
        .update(partition, |known| known.next = Some(start));
    Ok(())
}
