//! Commits, beside the reading loop.

use std::sync::Arc;

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Shared;
use crate::kafka::errors::commit_error;
use crate::{Commit, DrainError, PartitionState};

/// Commits offsets of one reader.
///
/// Offsets of partitions that are not ours are not sent: Kafka would take them from any member of the
/// group, and the new owner's position would go back. The others are committed all the same, and then
/// the answer is [`DrainError::NotOwned`].
#[derive(Clone)]
pub struct Committer {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Committer")
            .field("group", &self.shared.group)
            .finish_non_exhaustive()
    }
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Commit for Committer {
    async fn commit(&self, offsets: Vec<(i32, i64)>) -> Result<(), DrainError> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || commit(&shared, &offsets))
            .await
            .unwrap_or_else(|error| Err(DrainError::Unavailable(error.to_string())))
    }

    fn state(&self) -> Vec<PartitionState> {
        self.shared.partitions.state()
    }
}

/// Blocks until Kafka answers; a silent coordinator is given up after the session timeout.
fn commit(shared: &Shared, offsets: &[(i32, i64)]) -> Result<(), DrainError> {
    let owned = shared.partitions.hold();
    let not_owned = offsets
        .iter()
        .find(|(partition, _)| !owned.contains(partition))
        .map(|(partition, _)| *partition);
    let mine: Vec<(i32, i64)> = offsets
        .iter()
        .filter(|(partition, _)| owned.contains(partition))
        .copied()
        .collect();
    if let Some((first, _)) = mine.first().copied() {
        let Some(consumer) = shared.consumer() else {
            return Err(DrainError::NotOwned(first));
        };
        let list = list(shared, &mine).map_err(|error| fatal(&error))?;
        if let Err(error) = consumer.commit(&list, CommitMode::Sync) {
            let code = error
                .rdkafka_error_code()
                .unwrap_or(RDKafkaErrorCode::Unknown);
            return Err(commit_error(code, first));
        }
    }
    drop(owned);
    for (partition, offset) in mine {
        shared
            .partitions
            .update(partition, |known| known.committed = Some(offset));
    }
    not_owned.map_or(Ok(()), |partition| Err(DrainError::NotOwned(partition)))
}

fn list(shared: &Shared, offsets: &[(i32, i64)]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        let mut element = list.add_partition(&shared.topic, *partition);
        element.set_offset(Offset::Offset(*offset))?;
        if let Some(mark) = shared.partitions.voucher(*partition, *offset) {
            element.set_metadata(mark.to_metadata());
        }
    }
    Ok(list)
}

/// A negative offset or partition: a defect of whoever commits.
fn fatal(error: &KafkaError) -> DrainError {
    DrainError::Fatal(error.to_string())
}
