//! Answers by request, for some time and in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Answer;

/// What a request takes beside its answer, about.
const ENTRY_BYTES: usize = 256;

#[derive(Debug)]
enum State {
    /// Not answered yet; others wait for its end.
    Open(watch::Receiver<()>),
    Answered(Arc<Answer>),
}

#[derive(Debug)]
struct Entry {
    fingerprint: u64,
    state: State,
}

/// What is known of a request.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing was, and now it is open.
    Nothing,
    NoRoom,
    /// It is another one under the same name.
    Other,
    Open(watch::Receiver<()>),
    Answered(Arc<Answer>),
}

#[derive(Debug)]
pub(super) struct Table {
    window: Duration,
    max_bytes: usize,
    bytes: usize,
    entries: HashMap<u128, Entry>,
    /// Answered ones, the oldest first.
    order: VecDeque<(Instant, u128)>,
}

impl Table {
    pub(super) fn new(window: Duration, max_bytes: usize) -> Self {
        Self {
            window,
            max_bytes,
            bytes: 0,
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Finds a request, or opens it.
    pub(super) fn claim(
        &mut self,
        id: u128,
        fingerprint: u64,
        waiting: watch::Receiver<()>,
        now: Instant,
    ) -> Found {
        self.expire(now);
        if let Some(entry) = self.entries.get(&id) {
            if entry.fingerprint != fingerprint {
                return Found::Other;
            }
            return match &entry.state {
                State::Open(waiting) => Found::Open(waiting.clone()),
                State::Answered(answer) => Found::Answered(Arc::clone(answer)),
            };
        }
        self.make_room(ENTRY_BYTES);
        if self.bytes + ENTRY_BYTES > self.max_bytes {
            return Found::NoRoom;
        }
        self.bytes += ENTRY_BYTES;
        let state = State::Open(waiting);
        self.entries.insert(id, Entry { fingerprint, state });
        Found::Nothing
    }

    /// Keeps the answer to an open request.
    pub(super) fn remember(&mut self, id: u128, answer: Answer, now: Instant) {
        let bytes = answer.bytes();
        self.make_room(bytes);
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if self.bytes + bytes > self.max_bytes {
            return;
        }
        entry.state = State::Answered(Arc::new(answer));
        self.bytes += bytes;
        self.order.push_back((now, id));
    }

    /// Forgets a request that is still open.
    pub(super) fn give_up(&mut self, id: u128) {
        let is_open = self
            .entries
            .get(&id)
            .is_some_and(|entry| matches!(entry.state, State::Open(_)));
        if is_open {
            self.entries.remove(&id);
            self.bytes = self.bytes.saturating_sub(ENTRY_BYTES);
        }
    }

    /// Forgets what is older than the window.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front()
            && now.saturating_duration_since(*at) >= self.window
        {
            self.forget_oldest();
        }
    }

    fn make_room(&mut self, bytes: usize) {
        while self.bytes + bytes > self.max_bytes && !self.order.is_empty() {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, id)) = self.order.pop_front() else {
            return;
        };
        if let Some(Entry {
            state: State::Answered(answer),
            ..
        }) = self.entries.remove(&id)
        {
            self.bytes = self.bytes.saturating_sub(ENTRY_BYTES + answer.bytes());
        }
    }
}

#[cfg(test)]
mod tests;
