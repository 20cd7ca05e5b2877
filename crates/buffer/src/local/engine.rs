//! The log's writer thread: the only one that changes anything.
//!
//! It takes everything that waits, writes it as one batch, fsyncs once and answers all of it (group
//! commit), so that the disk's latency is paid once per round and not once per record. Between
//! rounds it forgets what has expired.
//!
//! A failed write leaves the engine below in an unknown state. Then nothing more is written: the
//! waiting are told that their records are unconfirmed, the log is closed, and opened again once
//! the disk takes writes. What it finds in the journal then is what counts, so that an offset never has two contents.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::Tuning;
use super::entry;
use super::failure::{Failure, Remedy};
use super::index::Index;
use super::queue::{Answer, Command, Round};
use super::segments::Added;
use super::shared::{Shared, State};
use super::store::{Batch, Lane, Store, cursor_key};
use crate::{DrainError, PublishError, Record, metrics};

/// The thread's own state.
pub(super) struct Engine {
    shared: Arc<Shared>,
    disk: Disk,
    next_pass: Instant,
    /// Whether the last records were refused for want of room.
    is_full: bool,
}

enum Disk {
    Up(Store),
    Down {
        failure: Failure,
        retry_at: Option<Instant>,
        delay: Duration,
    },
}

/// Who is answered once a batch is durable.
enum Waiting {
    Publish(Answer<(), PublishError>),
    Done(Answer<(), DrainError>),
    Registered(Answer<u64, DrainError>, u64),
}

/// A round on its way to the disk.
struct Plan {
    batch: Batch,
    waiting: Vec<Waiting>,
    appended: usize,
    /// Lanes whose start moved.
    forgotten: Vec<Lane>,
}

/// Tells everybody that the thread is gone, also when it panics.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        let shared = &self.0;
        shared.queue.abandon();
        shared.set_store(None);
        shared.set_state(State::Closed);
        if std::thread::panicking() {
            shared.condition.not_ready("the log's writer has failed");
        } else {
            shared.condition.not_ready("the log is closed");
        }
        shared.has_ended.send_replace(true);
    }
}

impl Engine {
    pub(super) fn new(shared: Arc<Shared>, store: Store) -> Self {
        Self {
            shared,
            disk: Disk::Up(store),
            next_pass: Instant::now(),
            is_full: false,
        }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        let Tuning {
            round_bytes,
            pass_every,
            ..
        } = self.shared.tuning;
        loop {
            let mut round = self.shared.queue.take(round_bytes, self.patience());
            self.reopen_if_due();
            let commands = std::mem::take(&mut round.commands);
            self.run_round(commands);
            self.shared.queue.answered(&round);
            if Instant::now() >= self.next_pass {
                self.pass();
                self.next_pass = Instant::now() + pass_every;
            }
            if is_over(&round) {
                break;
            }
        }
        // Before `_ending` tells that the files are closed.
        drop(self);
    }

    fn patience(&self) -> Duration {
        let next = match &self.disk {
            Disk::Up(_) | Disk::Down { retry_at: None, .. } => self.next_pass,
            Disk::Down {
                retry_at: Some(at), ..
            } => *at,
        };
        next.saturating_duration_since(Instant::now())
    }

    fn run_round(&mut self, commands: Vec<Command>) {
        if commands.is_empty() {
            return;
        }
        let store = match &self.disk {
            Disk::Up(store) => store.clone(),
            Disk::Down { failure, .. } => {
                for command in commands {
                    refuse(command, failure);
                }
                return;
            }
        };
        if let Err(failure) = wait_for_flushes(&store) {
            for command in commands {
                refuse(command, &failure);
            }
            drop(store);
            return self.go_down(failure);
        }
        let plan = self.plan(&store, commands);
        self.carry_out(store, plan);
    }

    fn plan(&mut self, store: &Store, commands: Vec<Command>) -> Plan {
        let mut plan = Plan {
            batch: store.batch(),
            waiting: Vec::with_capacity(commands.len()),
            appended: 0,
            forgotten: Vec::new(),
        };
        let shared = Arc::clone(&self.shared);
        let now_ms = shared.clock.now_ms();
        let mut index = shared.index();
        self.make_room(&mut plan, &mut index, &commands, now_ms);
        for command in commands {
            match command {
                Command::Append(record, answer) => {
                    self.append(store, &mut plan, &mut index, &record, answer, now_ms);
                }
                Command::Bury(letter, answer) => {
                    let stored = entry::encode_dead_letter(&letter, now_ms);
                    let added = added(&stored, now_ms, now_ms);
                    index.append(store, &mut plan.batch, Lane::Dead, stored, added);
                    self.bound_dead_letters(&mut plan, &mut index);
                    plan.waiting.push(Waiting::Publish(answer));
                }
                Command::Commit(_, offset, answer) if offset > index.records.end() => {
                    let end = index.records.end();
                    answer.give(Err(DrainError::Fatal(format!(
                        "offset {offset} cannot be committed, the log ends at {end}"
                    ))));
                }
                Command::Commit(reader, offset, answer) => {
                    plan.batch.put(cursor_key(&reader), &offset.to_be_bytes());
                    index.cursors.insert(reader, offset);
                    plan.waiting.push(Waiting::Done(answer));
                }
                Command::Register(reader, answer) => {
                    let start = index.records.start();
                    let cursor = index.cursors.get(&reader).copied().unwrap_or_else(|| {
                        plan.batch.put(cursor_key(&reader), &start.to_be_bytes());
                        index.cursors.insert(reader, start);
                        start
                    });
                    plan.waiting.push(Waiting::Registered(answer, cursor));
                }
                Command::Forget(reader, answer) => {
                    plan.batch.remove(cursor_key(&reader));
                    index.cursors.remove(&reader);
                    plan.waiting.push(Waiting::Done(answer));
                }
                Command::Expire(answer) => {
                    self.forget_expired(&mut plan, &mut index, now_ms);
                    plan.waiting.push(Waiting::Done(answer));
                }
            }
        }
        plan
    }

    fn append(
        &mut self,
        store: &Store,
        plan: &mut Plan,
        index: &mut Index,
        record: &Record,
        answer: Answer<(), PublishError>,
        now_ms: i64,
    ) {
        let stored = entry::encode_record(record, now_ms);
        let added = added(&stored, now_ms, record.received_at_ms);
        let max_size = self.shared.config.max_size;
        self.is_full = index.records.bytes() + added.bytes > max_size.0;
        if self.is_full {
            metrics::log_refused();
            return answer.give(Err(PublishError::Full(format!(
                "{max_size} of records are kept, and a reader has not read the oldest of them"
            ))));
        }
        index.append(store, &mut plan.batch, Lane::Records, stored, added);
        plan.appended += 1;
        plan.waiting.push(Waiting::Publish(answer));
    }

    /// Forgets what has expired, then what every reader has read, if the round does not fit otherwise.
    fn make_room(&self, plan: &mut Plan, index: &mut Index, commands: &[Command], now_ms: i64) {
        let incoming: usize = commands
            .iter()
            .map(|command| match command {
                Command::Append(record, _) => {
                    record.key.len() + record.value.len() + entry::OVERHEAD_BYTES
                }
                _ => 0,
            })
            .sum();
        let max_bytes = self.shared.config.max_size.0;
        if index.records.bytes() + incoming as u64 <= max_bytes {
            return;
        }
        self.forget_expired(plan, index, now_ms);
        let excess = (index.records.bytes() + incoming as u64).saturating_sub(max_bytes);
        if excess == 0 {
            return;
        }
        let from = index.records.start();
        let start = index.records.start_after_freeing(excess, index.floor());
        if start > from {
            tracing::info!(
                from,
                to = start,
                "dropped records that every reader has read, for room"
            );
            index.forget_below(&mut plan.batch, Lane::Records, start);
            plan.forgotten.push(Lane::Records);
        }
    }

    fn bound_dead_letters(&self, plan: &mut Plan, index: &mut Index) {
        let max_bytes = self.shared.config.dead_letters_max_size.0;
        let excess = index.dead.bytes().saturating_sub(max_bytes);
        let from = index.dead.start();
        let start = index.dead.start_after_freeing(excess, index.dead.end() - 1);
        if excess > 0 && start > from {
            tracing::warn!(from, to = start, "dropped the oldest dead letters for room");
            metrics::log_dead_letters_dropped(start - from);
            index.forget_below(&mut plan.batch, Lane::Dead, start);
            plan.forgotten.push(Lane::Dead);
        }
    }

    fn forget_expired(&self, plan: &mut Plan, index: &mut Index, now_ms: i64) {
        let ages = [
            (Lane::Records, self.shared.retention),
            (Lane::Dead, self.shared.config.dead_letters_retention.0),
        ];
        for (lane, retention) in ages {
            let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
            let from = index.lane(lane).start();
            let start = index
                .lane(lane)
                .start_after_expiry(now_ms.saturating_sub(retention_ms));
            if start <= from {
                continue;
            }
            tracing::info!(
                lane = lane.name(),
                from,
                to = start,
                "entries of the log expired"
            );
            if lane == Lane::Records {
                report_unread(index, from, start);
            }
            index.forget_below(&mut plan.batch, lane, start);
            plan.forgotten.push(lane);
        }
    }

    fn pass(&mut self) {
        let Disk::Up(store) = &self.disk else { return };
        let store = store.clone();
        let mut plan = Plan {
            batch: store.batch(),
            waiting: Vec::new(),
            appended: 0,
            forgotten: Vec::new(),
        };
        let now_ms = self.shared.clock.now_ms();
        let mut index = self.shared.index();
        self.forget_expired(&mut plan, &mut index, now_ms);
        let age_ms = index
            .records
            .oldest_ms()
            .map_or(0, |oldest| now_ms - oldest);
        metrics::log_kept(index.records.bytes(), index.dead.bytes(), age_ms);
        drop(index);
        metrics::log_disk(store.disk_bytes());
        // The last writes may have been synced, but also a background write may have failed since.
        if plan.batch.is_empty() {
            if let Err(failure) = store.is_keeping_up() {
                drop(store);
                drop(plan);
                self.go_down(failure);
            }
        } else {
            self.carry_out(store, plan);
        }
    }

    /// Writes, fsyncs, answers.
    fn carry_out(&mut self, store: Store, plan: Plan) {
        let Plan {
            batch,
            waiting,
            appended,
            forgotten,
        } = plan;
        let written = if batch.is_empty() {
            drop(batch);
            Ok(())
        } else {
            self.write(&store, batch, appended)
        };
        if let Err(failure) = written {
            for waiting in waiting {
                waiting.fail(&failure);
            }
            drop(store);
            return self.go_down(failure);
        }
        self.shared.publish_tail(State::Open);
        for waiting in waiting {
            waiting.succeed();
        }
        if self.is_full {
            let max_size = self.shared.config.max_size;
            self.shared.condition.not_ready(format!(
                "the log is full: {max_size} are kept, and a reader has not read the oldest of them"
            ));
        } else {
            self.shared.condition.ready();
        }
        for lane in forgotten {
            let (start, end) = {
                let index = self.shared.index();
                (index.lane(lane).start(), index.lane(lane).end())
            };
            if let Err(failure) = store.drop_tables_below(lane, start, end) {
                drop(store);
                return self.go_down(failure);
            }
        }
    }

    fn write(&self, store: &Store, batch: Batch, appended: usize) -> Result<(), Failure> {
        store.write(batch)?;
        let started = Instant::now();
        let synced = store.sync();
        self.shared.count_fsync();
        metrics::log_fsync(started.elapsed(), appended);
        synced
    }

    fn go_down(&mut self, failure: Failure) {
        tracing::error!(error = %failure, dir = %self.shared.dir.display(), "the log failed");
        let reason: Arc<str> = Arc::from(failure.message.as_str());
        self.shared.condition.not_ready(&*reason);
        let is_final = failure.remedy == Remedy::Person;
        let delay = self.shared.tuning.reopen_after;
        self.disk = Disk::Down {
            failure,
            retry_at: (!is_final).then(|| Instant::now() + delay),
            delay,
        };
        self.shared.set_state(match is_final {
            true => State::Failed(reason),
            false => State::Down,
        });
        self.shared.set_store(None);
    }

    fn reopen_if_due(&mut self) {
        let Disk::Down {
            retry_at: Some(at),
            delay,
            ..
        } = &self.disk
        else {
            return;
        };
        if Instant::now() < *at {
            return;
        }
        let delay = (*delay * 2).min(self.shared.tuning.reopen_after * 30);
        match self.reopen() {
            Ok(store) => {
                tracing::info!(dir = %self.shared.dir.display(), "the log is open again");
                self.disk = Disk::Up(store);
                self.shared.condition.ready();
                self.shared.publish_tail(State::Open);
            }
            Err(failure) => {
                tracing::warn!(error = %failure, "the log cannot be opened again yet");
                self.shared.condition.not_ready(failure.message.as_str());
                self.disk = Disk::Down {
                    retry_at: (failure.remedy != Remedy::Person).then(|| Instant::now() + delay),
                    failure,
                    delay,
                };
            }
        }
    }

    fn reopen(&self) -> Result<Store, Failure> {
        let Shared { dir, tuning, .. } = &*self.shared;
        let probe = dir.join("probe");
        // Enough for the engine to get going; without it every attempt would fail half way.
        let probed = std::fs::File::create(&probe).and_then(|mut file| {
            std::io::Write::write_all(&mut file, &vec![0xA5; 4 << 20])?;
            file.sync_all()
        });
        let removed = std::fs::remove_file(&probe);
        probed.and(removed)?;
        let (store, _id) = Store::open(dir, tuning)?;
        *self.shared.index() = Index::load(&store, tuning)?;
        self.shared.set_store(Some(store.clone()));
        Ok(store)
    }
}

impl Waiting {
    fn succeed(self) {
        match self {
            Self::Publish(answer) => answer.give(Ok(())),
            Self::Done(answer) => answer.give(Ok(())),
            Self::Registered(answer, cursor) => answer.give(Ok(cursor)),
        }
    }

    /// The batch may or may not be there when the log is opened again.
    fn fail(self, failure: &Failure) {
        let message = failure.message.clone();
        match self {
            Self::Publish(answer) => answer.give(Err(PublishError::Unconfirmed(message))),
            Self::Done(answer) => answer.give(Err(DrainError::Unavailable(message))),
            Self::Registered(answer, _) => answer.give(Err(DrainError::Unavailable(message))),
        }
    }
}

/// Answers a command that was not even tried.
fn refuse(command: Command, failure: &Failure) {
    let message = failure.message.clone();
    let publish = match failure.remedy {
        Remedy::Room => PublishError::Full(message.clone()),
        Remedy::Reopen | Remedy::Person => PublishError::Unconfirmed(message.clone()),
    };
    match command {
        Command::Append(_, answer) | Command::Bury(_, answer) => answer.give(Err(publish)),
        Command::Commit(_, _, answer) | Command::Forget(_, answer) | Command::Expire(answer) => {
            answer.give(Err(DrainError::Unavailable(message)));
        }
        Command::Register(_, answer) => answer.give(Err(DrainError::Unavailable(message))),
    }
}

fn added(stored: &[u8], appended_ms: i64, received_ms: i64) -> Added {
    Added {
        bytes: stored.len() as u64,
        appended_ms,
        received_ms,
    }
}

fn is_over(round: &Round) -> bool {
    round.is_last
}

/// Says which readers lose what.
fn report_unread(index: &Index, from: u64, to: u64) {
    for (reader, cursor) in &index.cursors {
        let first_lost = from.max(*cursor);
        if first_lost < to {
            tracing::error!(
                reader = &**reader,
                from = first_lost,
                to,
                "records expired that this reader has not read"
            );
            metrics::log_expired_unread(reader, to - first_lost);
        }
    }
}

fn wait_for_flushes(store: &Store) -> Result<(), Failure> {
    while !store.is_keeping_up()? {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}
