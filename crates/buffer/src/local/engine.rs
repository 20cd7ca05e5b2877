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

use model::Aging;

use super::MAX_RECORD_BYTES;
use super::config::Tuning;
use super::failure::{Failure, Remedy};
use super::index::Index;
use super::plan::Plan;
use super::queue::Command;
use super::shared::{Shared, State};
use super::store::{Batch, Lane, Store};
use crate::{DrainError, PublishError, metrics};

/// The thread's own state.
pub(super) struct Engine {
    shared: Arc<Shared>,
    /// Counts ages, whatever somebody does to the clock, and not while the log was closed.
    time: Aging,
    disk: Disk,
    next_pass: Instant,
    /// Whether the last records were refused for want of room.
    is_full: bool,
    /// Lanes whose forgotten table files may still be there.
    owed: Vec<Lane>,
}

enum Disk {
    Up(Store),
    Down {
        failure: Failure,
        retry_at: Option<Instant>,
        delay: Duration,
    },
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
        let newest_ms = shared.index().records.newest_ms();
        let time = Aging::new(newest_ms, &*shared.clock);
        Self {
            shared,
            time,
            disk: Disk::Up(store),
            next_pass: Instant::now(),
            is_full: false,
            // A crash may have come between forgetting and this.
            owed: vec![Lane::Records, Lane::Dead],
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
            if round.is_last {
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
        if let Disk::Up(store) = &self.disk
            && let Err(failure) = wait_for_flushes(store)
        {
            self.go_down(failure);
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
        let now_ms = self.time.now_ms(&*self.shared.clock);
        let mut plan = Plan::new(&store, now_ms, self.shared.clock.now_ms());
        let mut index = self.shared.index();
        plan.add(&self.shared, &store, &mut index, commands);
        drop(index);
        self.carry_out(store, plan);
    }

    fn pass(&mut self) {
        let Disk::Up(store) = &self.disk else { return };
        let store = store.clone();
        let now_ms = self.time.now_ms(&*self.shared.clock);
        let mut plan = Plan::new(&store, now_ms, self.shared.clock.now_ms());
        let mut index = self.shared.index();
        plan.forget_expired(&self.shared, &mut index);
        let age_ms = index
            .records
            .oldest_ms()
            .map_or(0, |oldest| now_ms - oldest);
        metrics::log_kept(index.records.bytes(), index.dead.bytes(), age_ms);
        drop(index);
        metrics::log_disk(store.disk_bytes());
        // A background write may have failed since the last round.
        if let Err(failure) = store.is_keeping_up() {
            drop(store);
            drop(plan);
            return self.go_down(failure);
        }
        self.carry_out(store, plan);
    }

    /// Writes, fsyncs, answers.
    fn carry_out(&mut self, store: Store, plan: Plan) {
        let Plan {
            batch,
            waiting,
            appended,
            is_full,
            forgotten,
            puts,
            ..
        } = plan;
        self.is_full = is_full.unwrap_or(self.is_full && !self.has_room());
        let written = if batch.is_empty() {
            drop(batch);
            Ok(())
        } else {
            self.write(&store, batch, appended.len())
        };
        if let Err(failure) = written {
            drop(store);
            let message = failure.message.clone();
            self.go_down(failure);
            for waiting in waiting {
                waiting.fail(&message);
            }
            return;
        }
        self.shared.tables().apply(puts);
        let mut memory = self.shared.memory();
        for (offset, stored) in appended {
            memory.push(offset, stored);
        }
        drop(memory);
        self.shared.publish_tail(State::Open);
        if self.is_full {
            self.shared.condition.not_ready(self.shared.why_full());
        } else {
            self.shared.condition.ready();
        }
        for waiting in waiting {
            waiting.succeed();
        }
        self.owed.extend(forgotten);
        self.drop_tables(store);
    }

    /// Gives the disk back what is forgotten. What was still on its way from memory to the disk
    /// goes next time.
    fn drop_tables(&mut self, store: Store) {
        let mut owed = std::mem::take(&mut self.owed);
        owed.dedup();
        for lane in owed {
            let (start, end) = {
                let index = self.shared.index();
                (index.lane(lane).start(), index.lane(lane).end())
            };
            let is_settled = store.is_flushed(lane);
            if let Err(failure) = store.drop_tables_below(lane, start, end) {
                drop(store);
                return self.go_down(failure);
            }
            if !is_settled {
                self.owed.push(lane);
            }
        }
    }

    /// Whether a record would be taken that was refused before.
    fn has_room(&self) -> bool {
        let index = self.shared.index();
        let records = &index.records;
        let max_bytes = self.shared.config.max_size.0;
        records.bytes() + MAX_RECORD_BYTES as u64 <= max_bytes
            || records.start_after_freeing(1, index.floor()) > records.start()
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
        self.shared.tables().load(&store)?;
        self.shared.memory().clear();
        self.shared.set_store(Some(store.clone()));
        Ok(store)
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
        Command::Append(_, answer) => answer.give(Err(publish)),
        Command::Bury(_, answer) | Command::Put(_, answer) => {
            answer.give(Err(publish));
        }
        Command::Commit(_, _, answer)
        | Command::Forget(_, answer)
        | Command::Expire(answer)
        | Command::Trim(answer) => {
            answer.give(Err(DrainError::Unavailable(message)));
        }
        Command::Register(_, answer) => answer.give(Err(DrainError::Unavailable(message))),
    }
}

fn wait_for_flushes(store: &Store) -> Result<(), Failure> {
    while !store.is_keeping_up()? {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}
