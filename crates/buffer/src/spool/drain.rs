//! Sends the backlog on: in order per part, again and again until the upstream has it.
//!
//! A round is what may be on its way at once. It is answered as a whole before the next one begins, so that a failure
//! in the middle cannot put a later record of a key before an earlier one. The cursor moves behind what is confirmed.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, join_all, ready};
use service::log_limit::LogLimit;
use service::tasks::CancellationToken;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Upstream;
use super::backlog::{Backlog, Choice, Fate, Gone, Held};
use super::shared::Shared;
use super::watch;
use crate::local::{Committer, PARTITION, Reader};
use crate::metrics::spool as metrics;
use crate::{
    BuryDead as _, Commit as _, Consumed, ContentType, DeadLetter, Drain as _, DrainError, Event,
    PublishError, Record,
};

/// What may always be on its way: so much that a free Kafka is used, so little that nobody waits for it.
const ROUND_BYTES: usize = 512 << 10;

/// How far to read beyond parts that do not take records.
const AHEAD_BYTES: usize = 16 << 20;

const COMMIT_EVERY: Duration = Duration::from_millis(500);

/// How long to wait for the log before looking at what is held.
const READ_PATIENCE: Duration = Duration::from_millis(100);

/// Time between two attempts to read a log that cannot be read.
const BROKEN_PAUSE: Duration = Duration::from_secs(10);

/// Empties a spool into its upstream. One per spool.
#[derive(Debug)]
pub struct Drainer<P> {
    pub(super) shared: Arc<Shared<P>>,
    pub(super) reader: Reader,
    pub(super) committer: Committer,
    pub(super) backlog: Backlog,
    pub(super) position: u64,
    pub(super) committed: u64,
    pub(super) readiness: service::health::Condition,
    /// Whether the upstream has ever said that it takes records.
    pub(super) was_ready: bool,
}

impl<P: Upstream> Drainer<P> {
    /// Works until it is told to stop.
    pub async fn run(mut self, stopping: CancellationToken) {
        let watched = Arc::clone(&self.shared);
        let readiness = self.readiness.clone();
        let work = async {
            tokio::join!(self.work(), watch::run(&watched, &readiness));
        };
        stopping.run_until_cancelled(work).await;
        self.commit().await;
    }

    async fn work(&mut self) {
        let mut next_commit = Instant::now();
        loop {
            if let Err(error) = self.read().await {
                self.give_up(&error).await;
                continue;
            }
            let is_broken = &self.shared.backlog.is_broken;
            if is_broken.swap(false, Ordering::AcqRel) {
                tracing::info!("the spool can be read again, and takes records");
            }
            self.send().await;
            self.show();
            if self.is_drained() && self.shared.lanes.close_all() {
                // A part that no record belongs to any more would never be tried again.
                self.shared.say_closed();
            }
            if Instant::now() >= next_commit || self.is_drained() {
                self.commit().await;
                next_commit = Instant::now() + COMMIT_EVERY;
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.backlog.is_empty() && self.position >= self.shared.log.end()
    }

    /// Reads what fits; waits while there is nothing at all.
    async fn read(&mut self) -> Result<(), DrainError> {
        if self.backlog.is_empty() {
            let event = self.reader.next().await?;
            self.take(event);
        }
        let wanted_bytes = match self.backlog.is_blocked() {
            true => AHEAD_BYTES,
            false => self.round_bytes(),
        };
        while self.backlog.bytes() < wanted_bytes && self.position < self.shared.log.end() {
            match timeout(READ_PATIENCE, self.reader.next()).await {
                Ok(event) => self.take(event?),
                Err(_) => break,
            }
        }
        // Who brings an answer that came late to a copy does so within the time that a record may take.
        while self.shared.late.is_expecting() {
            sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Assigned { offset, .. } => self.position = as_number(offset),
            Event::Records(records) => {
                for consumed in records {
                    let offset = as_number(consumed.offset);
                    self.position = offset + 1;
                    let record = record_of(consumed);
                    let part = self.shared.upstream.part(&record);
                    self.backlog.push(offset, part, record);
                }
            }
            Event::Expired { from, to, .. } => {
                self.position = as_number(to);
                metrics::lost(as_number(to.saturating_sub(from)));
                tracing::error!(from, to, "records of the spool are missing: they are lost");
            }
            // A log has one partition, which nobody else reads.
            Event::Revoked { .. } | Event::Lost { .. } => {}
        }
        self.show();
    }

    /// Says where the drain is.
    fn show(&self) {
        let progress = &self.shared.backlog;
        progress.position.store(self.position, Ordering::Release);
        progress.held.store(self.backlog.len(), Ordering::Release);
        let oldest_ms = self.backlog.first().map(|held| held.record.received_at_ms);
        progress
            .oldest_ms
            .store(oldest_ms.unwrap_or(i64::MAX), Ordering::Release);
    }

    /// The log cannot be read: it is not used until it can.
    async fn give_up(&mut self, error: &DrainError) {
        let progress = &self.shared.backlog;
        if !progress.is_broken.swap(true, Ordering::AcqRel) {
            let error = error as &dyn std::error::Error;
            tracing::error!(
                error,
                "the spool cannot be read; what is in it waits for a person, and no record goes to it"
            );
        }
        self.shared.lanes.close_all();
        let retry_at = Instant::now() + BROKEN_PAUSE;
        while Instant::now() < retry_at && !self.backlog.is_empty() {
            self.send().await;
        }
        sleep_until(retry_at).await;
    }

    /// What may be on its way now.
    fn round_bytes(&self) -> usize {
        let limits = self.shared.limits;
        let fresh = self.shared.fresh_bytes.load(Ordering::Relaxed);
        let ratio = limits.backlog_share / (1.0 - limits.backlog_share);
        let beside_fresh = scaled(fresh, ratio);
        let most = scaled(limits.window_bytes, limits.backlog_share);
        ROUND_BYTES.max(beside_fresh).min(most.max(1))
    }

    /// One round: what can be sent is sent and answered, what can be forgotten is.
    async fn send(&mut self) {
        let shared = Arc::clone(&self.shared);
        let (round_bytes, cutoff_ms) = (self.round_bytes(), self.cutoff_ms());
        let Choice {
            send,
            gone,
            look_at,
        } = self.backlog.choose(
            Instant::now(),
            round_bytes,
            cutoff_ms,
            |record| shared.upstream.part(record),
            |offset| shared.late.look(offset),
        );
        for (held, why) in &gone {
            self.count_gone(held, *why);
        }
        if send.is_empty() {
            if let Some(look_at) = look_at {
                // More may have come for other parts meanwhile.
                sleep_until(look_at.min(Instant::now() + READ_PATIENCE)).await;
            }
            return;
        }
        // All are enqueued before the first is waited for. Behind one that was refused at once, as by a full queue,
        // nothing more of its part is.
        let mut shut = HashSet::new();
        let mut answers = Vec::with_capacity(send.len());
        for held in &send {
            if shut.contains(&held.part) {
                answers.push(Either::Left(ready(Err(PublishError::QueueFull))));
                continue;
            }
            let mut answer = Box::pin(shared.upstream.publish_kept(&held.record));
            match answer.as_mut().now_or_never() {
                Some(answer) => {
                    if answer.is_err() {
                        shut.insert(held.part);
                    }
                    answers.push(Either::Left(ready(answer)));
                }
                None => answers.push(Either::Right(answer)),
            }
        }
        let answers = join_all(answers).await;
        self.settle(&send, &answers).await;
    }

    /// What was received before this is too old, should Kafka take nothing. Nothing is before Kafka was there once; and
    /// of two clocks the one counts by which records are younger, since somebody may have set the wall clock.
    fn cutoff_ms(&mut self) -> i64 {
        let shared = &self.shared;
        self.was_ready |= shared.upstream_health.is_ready();
        if !self.was_ready {
            return i64::MIN;
        }
        let max_age_ms = i64::try_from(shared.limits.max_age.as_millis()).unwrap_or(i64::MAX);
        let now_ms = shared.steady.now_ms().min(shared.clock.now_ms());
        now_ms.saturating_sub(max_age_ms)
    }

    async fn settle(&mut self, sent: &[Held], answers: &[Result<crate::Durability, PublishError>]) {
        let mut fates = Vec::with_capacity(sent.len());
        for (held, answer) in sent.iter().zip(answers) {
            let fate = match answer {
                Ok(_) => Fate::Delivered,
                Err(error) if error.is_final() && held.is_suspect() => {
                    self.bury(held, error).await;
                    continue;
                }
                Err(error) if error.is_final() => Fate::Never,
                Err(error) => {
                    self.shared.note(&error.to_string());
                    Fate::NotNow
                }
            };
            fates.push((held.offset, held.part, fate));
        }
        let delivered = self.backlog.settle(Instant::now(), &fates);
        metrics::drained("delivered", delivered.len());
        let is_stuck = delivered.is_empty() && fates.iter().any(|fate| fate.2 == Fate::NotNow);
        self.shared
            .backlog
            .is_stuck
            .store(is_stuck, Ordering::Release);
        for (_, part, fate) in &fates {
            if *fate == Fate::Delivered {
                self.shared.close_lane(*part);
            }
        }
    }

    fn count_gone(&self, held: &Held, why: Gone) {
        static LIMIT: LogLimit = LogLimit::new();
        match why {
            Gone::Confirmed => {
                metrics::drained("confirmed_late", 1);
                self.shared.close_lane(held.part);
            }
            Gone::Expired => {
                let samples = samples_of(&held.record);
                metrics::expired(samples);
                if let Some(suppressed) = LIMIT.pass() {
                    tracing::error!(
                        metric_name = &*String::from_utf8_lossy(&held.record.key),
                        samples,
                        max_age = ?self.shared.limits.max_age,
                        reason = &*self.shared.reason(),
                        suppressed,
                        "a record of the spool is given up: it waited longer than spool.max_age, and kafka takes none"
                    );
                }
            }
        }
    }

    /// Keeps what Kafka refuses for good where a person finds it, and goes on.
    async fn bury(&mut self, held: &Held, error: &PublishError) {
        static LIMIT: LogLimit = LogLimit::new();
        let record = &held.record;
        let samples = samples_of(record);
        let content_type = record.content_type.as_str().as_bytes();
        let letter = DeadLetter {
            key: Some(record.key.clone()),
            value: record.value.clone(),
            content_type: Some(bytes::Bytes::from_static(content_type)),
            tenant: record.tenant.clone(),
            source: record.source.clone(),
            reason: "refused_by_kafka",
            message: error.to_string(),
            source_topic: "spool".to_owned(),
            source_partition: PARTITION,
            source_offset: i64::try_from(held.offset).unwrap_or(i64::MAX),
            store: "kafka".to_owned(),
        };
        if let Err(buried) = self.shared.writer.bury(letter).await {
            self.shared.note(&buried.to_string());
            sleep(READ_PATIENCE).await;
            return;
        }
        self.backlog.remove(held.offset);
        metrics::refused(samples);
        if let Some(suppressed) = LIMIT.pass() {
            tracing::error!(
                error = error as &dyn std::error::Error,
                metric_name = &*String::from_utf8_lossy(&record.key),
                samples,
                offset = held.offset,
                suppressed,
                "kafka refuses a record of the spool for good; it is among the spool's dead letters"
            );
        }
    }

    /// Moves the cursor behind what is with the upstream, and gives its room back.
    async fn commit(&mut self) {
        let first = self.backlog.first().map(|held| held.offset);
        let frontier = first.unwrap_or(self.position);
        if frontier <= self.committed {
            return;
        }
        let offset = i64::try_from(frontier).unwrap_or(i64::MAX);
        let committed = self.committer.commit(vec![(PARTITION, offset)]).await;
        let trimmed = match committed {
            Ok(()) => {
                self.committed = frontier;
                self.shared.log.trim().await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = trimmed {
            static LIMIT: LogLimit = LogLimit::new();
            if let Some(suppressed) = LIMIT.pass() {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    suppressed,
                    "that records of the spool are with kafka is not noted; they will be sent again"
                );
            }
        }
    }
}

fn as_number(offset: i64) -> u64 {
    u64::try_from(offset).unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of some megabytes"
)]
fn scaled(bytes: usize, ratio: f64) -> usize {
    (bytes as f64 * ratio) as usize
}

/// A record as it was appended.
fn record_of(consumed: Consumed) -> Record {
    let json = ContentType::Json.as_str().as_bytes();
    let content_type = match consumed.content_type.as_deref() {
        Some(found) if found == json => ContentType::Json,
        _ => ContentType::RemoteWriteV2,
    };
    Record {
        key: consumed.key.unwrap_or_default(),
        value: consumed.value,
        content_type,
        tenant: consumed.tenant,
        source: consumed.source,
        received_at_ms: consumed.received_at_ms,
        spread: consumed.spread,
    }
}

/// How many samples a record has; one that cannot be read has one.
fn samples_of(record: &Record) -> u64 {
    let content_type = record.content_type.as_str().as_bytes();
    let decoded = codec::record::decode(Some(content_type), &record.value);
    decoded.map_or(1, |block| block.samples() as u64)
}
