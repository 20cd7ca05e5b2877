//! What comes from the buffer.

use std::sync::Arc;

use buffer::{BuryDead, Commit, DrainError, Event};
use store::{Record, Write};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Error, Running};
use crate::decode::{Decoded, Decoding, decode};
use crate::lane::{ForeignKey, ITEM_BYTES, Pick, SHARE_BYTES, Waiting};
use crate::letter::Letter;
use crate::metrics;
use crate::partition::{Held, Partition, Stage};
use crate::work::Tenure;

impl<C: Commit, W: Write, B: BuryDead> Running<C, W, B> {
    pub(super) fn event(&mut self, event: Result<Event, DrainError>) {
        let event = match event {
            Ok(event) => event,
            Err(error @ DrainError::Fatal(_)) => return self.buffer_failed(error),
            Err(error) => return self.not_read(&error),
        };
        self.read_attempt = 0;
        match event {
            Event::Assigned { partition, offset } => self.assigned(partition, offset),
            Event::Records(_) if self.shutdown.is_some() => {}
            Event::Records(records) => match decode(records) {
                Decoding::Done(decoded) => self.accept(decoded),
                Decoding::Started(handle) => self.decoding = Some(handle),
            },
            Event::Revoked {
                partitions,
                handover,
            } => self.revoked(&partitions, handover),
            Event::Lost { partitions } => self.lost(&partitions),
            Event::Expired {
                partition,
                from,
                to,
            } => self.expired(partition, from, to),
        }
    }

    fn not_read(&mut self, error: &DrainError) {
        self.read_attempt = self.read_attempt.saturating_add(1);
        let wait = self.context.backoff.wait(self.read_attempt, None);
        self.read_not_before = Instant::now() + wait;
        metrics::retry(&self.context.name, "read");
        if let Some(suppressed) = self.context.logs.not_read.pass() {
            tracing::warn!(
                store = self.context.name,
                error = error as &dyn std::error::Error,
                attempt = self.read_attempt,
                suppressed,
                "the buffer is not readable now; tried again"
            );
        }
    }

    fn assigned(&mut self, number: i32, offset: i64) {
        if self.partitions.contains_key(&number) {
            // Whatever was known of it belongs to an assignment that is over.
            self.lost(&[number]);
        }
        self.tenures += 1;
        let tenure = Tenure {
            id: self.tenures,
            ended: CancellationToken::new(),
        };
        tracing::info!(
            store = self.context.name,
            partition = number,
            offset,
            "partition is read here now"
        );
        self.partitions
            .insert(number, Partition::new(tenure, offset));
        self.commits.assigned(number, offset);
        self.joined_at = None;
        self.ready.ready();
    }

    fn expired(&mut self, number: i32, from: i64, to: i64) {
        let records = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        metrics::records_expired(&self.context.name, number, records);
        let last_received_at_ms = self
            .partitions
            .get(&number)
            .and_then(|partition| partition.last_received_at_ms);
        tracing::error!(
            store = self.context.name,
            partition = number,
            from,
            to,
            records,
            last_received_at_ms,
            retention_s = self.retention.as_secs(),
            replay = %format_args!("--offsets {number}:{from}..{to}"),
            "records expired before this store read them: they are lost for it, unless a buffer that still has them is \
             replayed"
        );
        if let Some(partition) = self.partitions.get_mut(&number) {
            partition.frontier.skip_to(to);
        }
    }

    pub(super) fn decoded(
        &mut self,
        decoded: Result<Vec<Decoded>, JoinError>,
    ) -> Result<(), Error> {
        let decoded = decoded.map_err(|error| Error::Defect {
            store: self.context.name.clone(),
            what: "decoding".to_owned(),
            why: error.to_string(),
        })?;
        self.accept(decoded);
        Ok(())
    }

    fn accept(&mut self, decoded: Vec<Decoded>) {
        let mut samples = 0;
        for record in decoded {
            samples += self.accept_one(record);
        }
        if samples > 0 {
            self.context.counters.consumed(samples);
        }
    }

    /// Takes a record and answers how many samples it has; none when it is not ours to take.
    fn accept_one(&mut self, record: Decoded) -> usize {
        let Decoded {
            source,
            tenant,
            sender,
            key,
            content,
        } = record;
        let Some(partition) = self.partitions.get_mut(&source.partition) else {
            return 0;
        };
        if partition.stage == Stage::Leaving || self.shutdown.is_some() {
            return 0;
        }
        let record = match content {
            Ok(record) => record,
            Err(poison) => {
                let bytes = poison.value.len();
                if partition
                    .frontier
                    .begin(source.offset, 1, source.received_at_ms, bytes)
                {
                    if let Some(suppressed) = self.context.logs.poison.pass() {
                        tracing::warn!(
                            store = self.context.name,
                            partition = source.partition,
                            offset = source.offset,
                            reason = poison.reason,
                            message = poison.message,
                            suppressed,
                            "record cannot be decoded; it goes to the dead letters"
                        );
                    }
                    let letter = Letter::of_record(source, key, (tenant, sender), poison);
                    self.graves.push(letter);
                }
                return 0;
            }
        };
        let block = &record.block;
        let picks = self.router.picks(block);
        let bytes = block.size_bytes()
            + size_of::<Record>()
            + picks.len() * ITEM_BYTES
            + picks.len().min(self.router.lanes()) * SHARE_BYTES;
        let begun =
            partition
                .frontier
                .begin(source.offset, picks.len(), source.received_at_ms, bytes);
        if !begun {
            return 0;
        }
        partition.last_received_at_ms = Some(source.received_at_ms);
        let samples = block.samples();
        let name = block.iter().next().map_or("", |view| view.name());
        let foreign_key = (key.as_deref() != Some(name.as_bytes())).then(|| {
            Arc::new(ForeignKey(
                key.map(|key| bytes::Bytes::copy_from_slice(&key)),
            ))
        });
        let record = Waiting::new(record, foreign_key);
        if partition.stage == Stage::Active {
            self.queue(&record, &picks, Instant::now());
        } else {
            partition.held.push(Held { record, picks });
        }
        samples
    }

    /// Puts the items of one record into their lanes.
    pub(super) fn queue(&mut self, record: &Waiting, picks: &[Pick], since: Instant) {
        let lanes = &mut self.lanes;
        self.router.route(&record.record, picks, |lane, picks| {
            let queue = lanes.entry(lane).or_default();
            queue.push(record.clone(), picks, since);
        });
    }
}
