//! What waits for the log's writer thread: bounded in bytes, answered in order.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use super::tables::Put;
use crate::{DeadLetter, DrainError, PublishError, Record};

/// One thing to do, and who waits for it.
#[derive(Debug)]
pub(super) enum Command {
    /// Answers the record's offset.
    Append(Record, Answer<u64, PublishError>),
    Bury(Box<DeadLetter>, Answer<(), PublishError>),
    Put(Box<Put>, Answer<(), PublishError>),
    Commit(Arc<str>, u64, Answer<(), DrainError>),
    /// Makes the reader known, so that what it has not read is kept; answers where it goes on.
    Register(Arc<str>, Answer<u64, DrainError>),
    Forget(Arc<str>, Answer<(), DrainError>),
    /// Forgets what has expired, now.
    Expire(Answer<(), DrainError>),
    /// Forgets what every reader has read, now.
    Trim(Answer<(), DrainError>),
}

/// The waiting side's end.
#[derive(Debug)]
pub(super) struct Answer<T, E>(oneshot::Sender<Result<T, E>>);

impl<T, E> Answer<T, E> {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    pub(super) fn give(self, result: Result<T, E>) {
        // An error means that the caller gave up waiting, which takes nothing back.
        self.0.send(result).ok();
    }
}

impl Command {
    /// What it holds in memory, roughly.
    fn cost_bytes(&self) -> usize {
        const SELF: usize = 128;
        SELF + match self {
            Self::Append(record, _) => record.key.len() + record.value.len(),
            Self::Bury(letter, _) => letter.value.len() + letter.message.len(),
            Self::Put(put, _) => put.key.len() + put.value.as_ref().map_or(0, Bytes::len),
            Self::Commit(..)
            | Self::Register(..)
            | Self::Forget(..)
            | Self::Expire(..)
            | Self::Trim(..) => 0,
        }
    }

    /// Whether the bound in bytes is for it. The others are small, and who sends one waits for it.
    const fn is_bounded(&self) -> bool {
        matches!(self, Self::Append(..) | Self::Put(..))
    }
}

/// The queue did not take a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Closed,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Command>,
    /// Of everything that is not answered.
    bytes: usize,
    enqueued: u64,
    closed: bool,
}

/// One round of the writer.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) commands: Vec<Command>,
    /// What [`Queue::answered`] gives back.
    cost_bytes: usize,
    count: u64,
    /// Nothing more will come.
    pub(super) is_last: bool,
}

/// Many senders, one writer.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    answered: watch::Sender<u64>,
    max_bytes: usize,
}

impl Queue {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            answered: watch::Sender::new(0),
            max_bytes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, command: Command) -> Result<(), Refused> {
        let cost_bytes = command.cost_bytes();
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        if command.is_bounded() && state.bytes.saturating_add(cost_bytes) > self.max_bytes {
            return Err(Refused::Full);
        }
        state.bytes += cost_bytes;
        state.enqueued += 1;
        state.waiting.push_back(command);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Everything that waits, up to `max_bytes` but at least one; waits for it, but not longer than `patience`.
    pub(super) fn take(&self, max_bytes: usize, patience: Duration) -> Round {
        let (mut state, _) = self
            .arrived
            .wait_timeout_while(self.state(), patience, |state| {
                state.waiting.is_empty() && !state.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        let mut round = Round {
            commands: Vec::new(),
            cost_bytes: 0,
            count: 0,
            is_last: false,
        };
        while round.cost_bytes < max_bytes {
            let Some(command) = state.waiting.pop_front() else {
                break;
            };
            round.cost_bytes += command.cost_bytes();
            round.count += 1;
            round.commands.push(command);
        }
        round.is_last = state.closed && state.waiting.is_empty();
        round
    }

    /// The round is over: its bytes are free again.
    pub(super) fn answered(&self, round: &Round) {
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(round.cost_bytes);
        drop(state);
        self.answered
            .send_modify(|answered| *answered += round.count);
    }

    /// Takes nothing more.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.arrived.notify_all();
    }

    /// Drops what waits: nobody will do it.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        let abandoned = std::mem::take(&mut state.waiting);
        state.bytes = 0;
        let enqueued = state.enqueued;
        drop(state);
        drop(abandoned);
        self.answered.send_replace(enqueued);
    }

    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Waits until everything that was enqueued before is answered; how much is not after `deadline`.
    pub(super) async fn flush(&self, deadline: Duration) -> usize {
        let target = self.state().enqueued;
        let mut answered = self.answered.subscribe();
        let all = answered.wait_for(|answered| *answered >= target);
        if tokio::time::timeout(deadline, all).await.is_ok() {
            return 0;
        }
        let open = target.saturating_sub(*self.answered.borrow());
        usize::try_from(open).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
