//! Whether the topic is still the one that was read, or another one of the same name.
//!
//! librdkafka goes on at the offset where it was, and in a topic that was made anew with more records than the old one
//! had, that leaves out what is before. So every few seconds the logs are doubted where their offsets went back, or
//! where a record that was read does not seem to be in its place; and what is doubted is asked for that record. Only
//! when another one is in its place does reading start again. That record is one from before the last look: since then
//! the topic may have been made anew, and the last one that was read be of the new log.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::partitions::{Mark, Partition};
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
    let mut trusted = Vec::new();
    for (number, position) in positions {
        let Some(known) = shared.partitions.get(*number) else {
            continue;
        };
        let fell = |before: Option<i64>, now: Option<i64>| {
            before.zip(now).is_some_and(|(before, now)| now < before)
        };
        let question = known.witness().zip(position.start);
        if fell(known.start, position.start) || fell(known.end, position.end) {
            doubtful.push(*number);
        } else if let Some(question) = question.and_then(|(at, start)| Question::of(at, start)) {
            let at = Offset::Offset(question.at_ms);
            if list
                .add_partition_offset(&shared.topic, *number, at)
                .is_ok()
            {
                asked.insert(*number, (question, known));
            }
        } else {
            trusted.push((*number, known));
        }
    }
    if !asked.is_empty() {
        let answers = consumer.offsets_for_times(list, TIMEOUT);
        // Without an answer it is asked again in a while.
        if let Ok(answers) = answers.and_then(|answers| positions::offsets(&answers)) {
            let answers: BTreeMap<i32, i64> = answers.into_iter().collect();
            for (number, (question, known)) in asked {
                if question.is_answered_by(answers.get(&number).copied()) {
                    trusted.push((number, known));
                } else {
                    doubtful.push(number);
                }
            }
        }
    }
    for number in doubtful {
        shared.partitions.doubt(number);
    }
    for (number, then) in trusted {
        shared.partitions.update(number, |known| {
            // Not of a log that was given up in the meantime.
            if known.since == then.since {
                known.witness = then.last.or(then.witness);
            }
        });
    }
}

/// Where the first record of a time or a later one should be, if a record that was read is in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Question {
    at_ms: i64,
    witness: i64,
    start: i64,
}

impl Question {
    /// None when the record has expired: nobody knows any more.
    fn of(witness: Mark, start: i64) -> Option<Self> {
        // All of the log is as young as its first record: of that one, the time after its own tells more.
        let is_first = witness.offset == start;
        (witness.offset >= start).then_some(Self {
            at_ms: witness.at_ms + i64::from(is_first),
            witness: witness.offset,
            start,
        })
    }

    /// Clocks that differ make records out of order: what is wrong here is only doubtful.
    fn is_answered_by(self, first: Option<i64>) -> bool {
        if self.witness == self.start {
            first != Some(self.start)
        } else {
            first.is_some_and(|first| first > self.start && first <= self.witness)
        }
    }
}

/// For each moment that the polling thread has looked at a doubted log, it reads for so many.
const READING: u32 = 9;

/// When which of the doubted logs is looked at.
///
/// A look takes seconds where Kafka lets other questions wait behind a fetch, and where clocks differ, the same logs are
/// doubted again and again: they take turns, and most of the time is left for reading.
#[derive(Debug)]
pub(super) struct Doubts {
    last: Option<i32>,
    not_before: Instant,
}

impl Default for Doubts {
    fn default() -> Self {
        Self {
            last: None,
            not_before: Instant::now(),
        }
    }
}

impl Doubts {
    /// Looks at one that is doubted, and starts again if another log was found. On the polling thread.
    pub(super) fn settle(&mut self, consumer: &Consumer, shared: &Shared) {
        let started = Instant::now();
        if started < self.not_before {
            return;
        }
        let Some(number) = shared.partitions.take_doubtful(self.last) else {
            return;
        };
        self.last = Some(number);
        settle_one(consumer, shared, number);
        self.not_before = Instant::now() + started.elapsed() * READING;
    }
}

fn settle_one(consumer: &Consumer, shared: &Shared, number: i32) {
    let Some(known) = shared.partitions.get(number) else {
        return;
    };
    let (Some(next), Some(witness)) = (known.next, known.witness()) else {
        return;
    };
    let Some(position) = positions::of_one(consumer, &shared.topic, number) else {
        return;
    };
    let (Some(start), Some(end)) = (position.start, position.end) else {
        return;
    };
    // Beyond the end, Kafka answers that itself, and where it has expired nobody knows.
    if witness.offset < start || witness.offset >= end {
        return;
    }
    match time_at(shared, number, witness) {
        Ok(Some(at_ms)) if at_ms != witness.at_ms => {
            if let Err(error) = start_again(consumer, shared, number, next, (start, end)) {
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
        Ok(Some(_)) => shared
            .partitions
            .update(number, |known| known.witness = known.last.or(known.witness)),
        Ok(None) => {}
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

/// Whether the log is the one that was read, and its end; nothing if Kafka does not tell. Blocks, within the bounds
/// of an assignment.
pub(super) fn is_same(
    consumer: &Consumer,
    shared: &Shared,
    partition: i32,
    known: Partition,
) -> Option<(bool, Option<i64>)> {
    let position = positions::of_one_at_last(consumer, shared, partition)?;
    let end = position.end?;
    // Without a record of it there is nothing that would be read twice.
    let Some(witness) = known.witness() else {
        return Some((false, Some(end)));
    };
    if known.next.is_some_and(|next| end < next) {
        return Some((false, Some(end)));
    }
    if position.start.is_some_and(|start| witness.offset < start) {
        return Some((true, Some(end)));
    }
    let at_ms = time_at(shared, partition, witness).ok()??;
    Some((at_ms == witness.at_ms, Some(end)))
}

/// Marks those whose commit is of another log than the one that is there: Kafka forgets the commits of a topic that
/// is deleted, but not at the same moment.
pub(super) fn compare(
    consumer: &Consumer,
    shared: &Shared,
    positions: &mut BTreeMap<i32, Position>,
) -> KafkaResult<()> {
    let mut list = TopicPartitionList::new();
    let mut asked = BTreeMap::new();
    for (number, position) in &*positions {
        let (Some(witness), Some(start)) = (position.witness, position.start) else {
            continue;
        };
        if let Some(question) = Question::of(witness, start) {
            list.add_partition_offset(&shared.topic, *number, Offset::Offset(question.at_ms))?;
            asked.insert(*number, (question, witness));
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    let answers = positions::offsets(&consumer.offsets_for_times(list, TIMEOUT)?)?;
    let answers: BTreeMap<i32, i64> = answers.into_iter().collect();
    for (number, (question, witness)) in asked {
        let Some(position) = positions.get_mut(&number) else {
            continue;
        };
        // What is beyond the end is seen without this.
        let exists = position.end.is_some_and(|end| witness.offset < end);
        if exists && !question.is_answered_by(answers.get(&number).copied()) {
            let found = time_at(shared, number, witness)?;
            position.is_of_another_log = found.is_some_and(|at_ms| at_ms != witness.at_ms);
        }
    }
    Ok(())
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
    let silence = RDKafkaErrorCode::OperationTimedOut;
    Err(KafkaError::MessageConsumption(silence))
}

fn start_again(
    consumer: &Consumer,
    shared: &Shared,
    partition: i32,
    next: i64,
    (start, end): (i64, i64),
) -> KafkaResult<()> {
    consumer.seek(&shared.topic, partition, Offset::Offset(start), TIMEOUT)?;
    report_truncated(shared, partition, next, start);
    poll::begin_anew(shared, partition, start, Some(end));
    Ok(())
}

#[cfg(test)]
mod tests;
