//! The oldest records of the spool, and which of them to send next.
//!
//! Records of one part are sent in their order. A part that did not take one is left alone for a while, then tried
//! with one record; meanwhile the records of other parts go on. A record leaves when the upstream has it, or for one
//! of the reasons in [`Gone`]; what is below the first that is left needs no more sending. Pure.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::late::Known;
use crate::Record;

const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How long a part has to have taken nothing before its records can be too old: a start, a full queue and a leader that
/// moves take less.
const SURE_AFTER: Duration = Duration::from_secs(60);

/// A record that was read from the spool.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) offset: u64,
    pub(super) part: usize,
    pub(super) record: Record,
    /// It was refused for good once; it is sent alone, so that it is not taken for another one of its batch.
    is_suspect: bool,
}

impl Held {
    fn size_bytes(&self) -> usize {
        self.record.key.len() + self.record.value.len()
    }
}

/// A part that did not take a record.
#[derive(Debug, Clone, Copy)]
struct Blocked {
    since: Instant,
    until: Instant,
    pause: Duration,
}

/// Why a record left without having been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// The upstream had it already.
    Confirmed,
    /// It waited too long, and its part has taken nothing for long.
    Expired,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// To be sent, in this order.
    pub(super) send: Vec<Held>,
    /// To be forgotten, with why.
    pub(super) gone: Vec<(Held, Gone)>,
    /// When there may be more to do; none if something is to be done now.
    pub(super) look_at: Option<Instant>,
}

/// What the upstream made of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    NotNow,
    Never,
}

/// Records in the order of their offsets.
#[derive(Debug, Clone)]
pub(super) struct Backlog {
    held: VecDeque<Held>,
    bytes: usize,
    blocked: HashMap<usize, Blocked>,
    sure_after: Duration,
}

impl Default for Backlog {
    fn default() -> Self {
        Self::new(SURE_AFTER)
    }
}

impl Backlog {
    /// Records may be too old as soon as their part has taken nothing for `sure_after`.
    pub(super) fn new(sure_after: Duration) -> Self {
        Self {
            held: VecDeque::new(),
            bytes: 0,
            blocked: HashMap::new(),
            sure_after,
        }
    }

    pub(super) fn push(&mut self, offset: u64, part: usize, record: Record) {
        let held = Held {
            offset,
            part,
            record,
            is_suspect: false,
        };
        self.bytes += held.size_bytes();
        self.held.push_back(held);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The oldest record that is left.
    pub(super) fn first(&self) -> Option<&Held> {
        self.held.front()
    }

    /// Whether some part does not take records.
    pub(super) fn is_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }

    /// Decides what to do next, and removes what is to be forgotten. `part` says where a record belongs now, `late` what
    /// is known of a copy, and records received before `cutoff_ms` are given up where their part has taken nothing for long.
    pub(super) fn choose(
        &mut self,
        now: Instant,
        most_bytes: usize,
        cutoff_ms: i64,
        part: impl Fn(&Record) -> usize,
        late: impl Fn(u64) -> Known,
    ) -> Choice {
        let mut choice = Choice::default();
        // Parts of which nothing more may be sent in this round.
        let mut closed: HashSet<usize> = HashSet::new();
        let mut probed: HashSet<usize> = HashSet::new();
        let mut used: HashSet<usize> = HashSet::new();
        let mut waits_for_answer = false;
        let mut bytes = 0;
        let mut gone = HashMap::new();
        for held in &mut self.held {
            if bytes >= most_bytes {
                break;
            }
            held.part = part(&held.record);
            let blocked = self.blocked.get(&held.part);
            let is_away =
                blocked.is_some_and(|blocked| now.duration_since(blocked.since) >= self.sure_after);
            let is_too_old = is_away && held.record.received_at_ms < cutoff_ms;
            if !is_too_old {
                if closed.contains(&held.part) {
                    continue;
                }
                let is_resting = blocked
                    .is_some_and(|blocked| now < blocked.until || probed.contains(&held.part));
                if is_resting {
                    closed.insert(held.part);
                    continue;
                }
            }
            let is_probe = blocked.is_some();
            match late(held.offset) {
                Known::Nothing if is_too_old => {
                    gone.insert(held.offset, Gone::Expired);
                    continue;
                }
                Known::Nothing => {}
                Known::Open => {
                    waits_for_answer = true;
                    closed.insert(held.part);
                    continue;
                }
                Known::Confirmed => {
                    self.blocked.remove(&held.part);
                    gone.insert(held.offset, Gone::Confirmed);
                    continue;
                }
            }
            if held.is_suspect && used.contains(&held.part) {
                closed.insert(held.part);
                continue;
            }
            if is_probe {
                probed.insert(held.part);
            }
            if is_probe || held.is_suspect {
                closed.insert(held.part);
            }
            used.insert(held.part);
            bytes += held.size_bytes();
            choice.send.push(held.clone());
        }
        choice.gone = self.take(&gone);
        if choice.send.is_empty() && choice.gone.is_empty() {
            choice.look_at = self.next_look(now, waits_for_answer);
        }
        choice
    }

    fn next_look(&self, now: Instant, waits_for_answer: bool) -> Option<Instant> {
        // Answers tell nobody that they have come.
        let soon = waits_for_answer.then(|| now + Duration::from_millis(20));
        let retry = self.blocked.values().map(|blocked| blocked.until).min();
        soon.into_iter().chain(retry).min()
    }

    /// Takes note of what became of what was sent, in the order of sending. Answers the records that left.
    pub(super) fn settle(&mut self, now: Instant, fates: &[(u64, usize, Fate)]) -> Vec<Held> {
        let mut failed: HashSet<usize> = HashSet::new();
        let mut leaving = HashMap::new();
        let mut suspects = HashSet::new();
        for (offset, part, fate) in fates {
            match fate {
                Fate::Delivered => {
                    leaving.insert(*offset, ());
                }
                Fate::NotNow => {
                    failed.insert(*part);
                }
                Fate::Never => {
                    suspects.insert(*offset);
                }
            }
        }
        for (_, part, fate) in fates {
            if *fate == Fate::Delivered && !failed.contains(part) {
                self.blocked.remove(part);
            }
        }
        for part in failed {
            let before = self.blocked.get(&part);
            let pause = before.map_or(PAUSE_MIN, |blocked| (blocked.pause * 2).min(PAUSE_MAX));
            let blocked = Blocked {
                since: before.map_or(now, |blocked| blocked.since),
                until: now + pause,
                pause,
            };
            self.blocked.insert(part, blocked);
        }
        for held in &mut self.held {
            if suspects.contains(&held.offset) {
                held.is_suspect = true;
            }
        }
        let left = self.take(&leaving);
        left.into_iter().map(|(held, ())| held).collect()
    }

    /// Removes one that the upstream refuses also when it is alone.
    pub(super) fn remove(&mut self, offset: u64) {
        self.take(&HashMap::from([(offset, ())]));
    }

    fn take<T: Copy>(&mut self, offsets: &HashMap<u64, T>) -> Vec<(Held, T)> {
        if offsets.is_empty() {
            return Vec::new();
        }
        let mut taken = Vec::with_capacity(offsets.len());
        let held = std::mem::take(&mut self.held);
        for held in held {
            match offsets.get(&held.offset) {
                Some(why) => {
                    self.bytes = self.bytes.saturating_sub(held.size_bytes());
                    taken.push((held, *why));
                }
                None => self.held.push_back(held),
            }
        }
        // A part without records would never be tried, and so never be found to take them again.
        let parts: HashSet<usize> = self.held.iter().map(|held| held.part).collect();
        self.blocked.retain(|part, _| parts.contains(part));
        taken
    }
}

impl Held {
    /// Whether it was refused for good when it was sent before.
    pub(super) const fn is_suspect(&self) -> bool {
        self.is_suspect
    }
}
