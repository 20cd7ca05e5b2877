//! One difference, reading by reading: what may be said of it, and what not.
//!
//! Counters are read one after another while samples flow, so a single reading may be off by what moved. When nothing
//! moves it is exact. While samples move, three things are beyond doubt: a difference that is larger than all that moved
//! since the reading before; one that grows for a minute; and one that was exact before and has not been seen gone.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::shapes::LedgerState;

/// How long a difference must last.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// How long one must grow.
const TREND: Duration = Duration::from_secs(60);

/// More readings than are in a minute.
const MOST_READINGS: usize = 128;

/// What moved through both sides up to a reading, and what is between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) came: u64,
    pub(super) went: u64,
    pub(super) difference: i64,
    /// Nothing is known that could explain a difference.
    pub(super) is_clean: bool,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    difference: i64,
    /// Since the reading before.
    came: i64,
    went: i64,
    is_clean: bool,
}

impl Seen {
    const fn is_still(&self) -> bool {
        self.came == 0 && self.went == 0
    }

    /// More is between the sides than came since the reading before.
    const fn is_late(&self) -> bool {
        self.difference > self.came && self.difference > 0
    }

    /// More went than can be explained by what went since the reading before.
    const fn is_early(&self) -> bool {
        self.difference.saturating_add(self.went) < 0
    }
}

/// The last minute of a difference.
#[derive(Debug, Default)]
pub(super) struct Line {
    seen: VecDeque<Seen>,
    last: Option<(u64, u64)>,
    still_since: Option<Instant>,
    /// The difference when nothing moved last.
    settled: i64,
}

impl Line {
    /// Whether nothing moved since the reading before.
    pub(super) fn is_still(&self, came: u64, went: u64) -> bool {
        self.last == Some((came, went))
    }

    /// What came since the reading before.
    pub(super) fn came_since(&self, came: u64) -> u64 {
        came.saturating_sub(self.last.map_or(0, |(before, _)| before))
    }

    /// Passes over a reading that has no difference yet.
    pub(super) const fn pass(&mut self, reading: At) {
        self.last = Some((reading.came, reading.went));
    }

    /// Notes a reading; answers what is to be said, and the difference that it is said of.
    pub(super) fn note(&mut self, now: Instant, reading: At) -> (LedgerState, i64) {
        if !self.is_still(reading.came, reading.went) {
            self.still_since = None;
        }
        let still_since = *self.still_since.get_or_insert(now);
        let (came, went) = self.last.unwrap_or((0, 0));
        self.last = Some((reading.came, reading.went));
        self.seen.push_back(Seen {
            at: now,
            difference: reading.difference,
            came: super::signed(reading.came.saturating_sub(came)),
            went: super::signed(reading.went.saturating_sub(went)),
            is_clean: reading.is_clean,
        });
        while self.seen.len() > MOST_READINGS
            || self
                .seen
                .get(1)
                .is_some_and(|second| now.duration_since(second.at) >= TREND)
        {
            self.seen.pop_front();
        }
        if now.duration_since(still_since) >= PATIENCE {
            self.quiet(reading)
        } else {
            self.moving(now)
        }
    }

    fn quiet(&mut self, reading: At) -> (LedgerState, i64) {
        let state = judged(reading.difference);
        // Something that is unread can be what is missing, and is no balance.
        if !reading.is_clean && state != LedgerState::Repeated {
            return (LedgerState::Waiting, 0);
        }
        self.settled = reading.difference;
        (state, reading.difference)
    }

    fn moving(&mut self, now: Instant) -> (LedgerState, i64) {
        let recent: Vec<Seen> = self
            .seen
            .iter()
            .filter(|seen| now.duration_since(seen.at) < PATIENCE)
            .copied()
            .collect();
        let all = |holds: fn(&Seen) -> bool| recent.iter().all(holds);
        let differences = || recent.iter().map(|seen| seen.difference);
        let least = differences().min().unwrap_or(0);
        let most = differences().max().unwrap_or(0);
        let is_long = self
            .seen
            .front()
            .is_some_and(|first| now.duration_since(first.at) >= PATIENCE);
        let is_gone = self.settled > 0 && is_long && most < self.settled;
        let is_even = |seen: &Seen| seen.is_clean && seen.difference == 0;
        // The first reading has none before it that it could be still after.
        let is_still = self.seen.len() > 1 && recent.last().is_some_and(Seen::is_still);
        if is_gone || (is_still && recent.last().is_some_and(is_even)) {
            self.settled = 0;
        }
        if is_long && all(|seen| seen.is_clean && seen.is_late()) {
            return (LedgerState::Missing, least);
        }
        if is_long && all(Seen::is_early) {
            return (LedgerState::Repeated, most);
        }
        if least > 0 && self.grows(now) {
            return (LedgerState::Missing, least);
        }
        if self.settled != 0 {
            return (judged(self.settled), self.settled);
        }
        if is_balanced(&recent) {
            return (LedgerState::Balanced, 0);
        }
        (LedgerState::Waiting, 0)
    }

    /// Whether it is larger than at any reading a while before, for a minute, and not only because more moves. What waits
    /// for a slow store grows, too.
    fn grows(&self, now: Instant) -> bool {
        let seen: Vec<&Seen> = self.seen.iter().filter(|seen| seen.is_clean).collect();
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else {
            return false;
        };
        // No window may be without its readings.
        let is_whole = now.duration_since(first.at) >= TREND.saturating_sub(PATIENCE / 3)
            && last.at == now
            && seen
                .windows(2)
                .all(|pair| matches!(pair, [a, b] if b.at.duration_since(a.at) <= PATIENCE / 2));
        let rises = seen.iter().enumerate().all(|(number, later)| {
            seen.iter()
                .take(number)
                .take_while(|earlier| later.at.duration_since(earlier.at) >= PATIENCE)
                .all(|earlier| earlier.difference < later.difference)
        });
        if !(is_whole && rises) {
            return false;
        }
        let early = || {
            let end = first.at + PATIENCE;
            self.seen
                .iter()
                .skip(1)
                .filter(move |seen| seen.at <= end)
                .copied()
        };
        let late = || {
            self.seen
                .iter()
                .filter(|seen| now.duration_since(seen.at) < PATIENCE)
                .copied()
        };
        let came = |seen: &mut dyn Iterator<Item = Seen>| -> i128 {
            seen.map(|seen| i128::from(seen.came)).sum()
        };
        let before = early().map(|seen| seen.difference).max().unwrap_or(0);
        let after = late().map(|seen| seen.difference).min().unwrap_or(0);
        i128::from(after) * came(&mut early()) > i128::from(before) * came(&mut late())
    }
}

/// Whether both sides came out equal, and no other reading says more than that one.
fn is_balanced(recent: &[Seen]) -> bool {
    let even = recent
        .iter()
        .filter(|seen| seen.is_clean && seen.difference == 0)
        .count();
    let below = recent.iter().filter(|seen| seen.difference < 0).count();
    let is_doubted = recent.iter().any(Seen::is_early)
        || recent
            .last()
            .is_some_and(|seen| seen.is_clean && seen.is_late());
    // The same difference again and again is none that comes from moving samples.
    let is_other = |seen: &Seen| {
        let same = |other: &&Seen| other.is_clean && other.difference == seen.difference;
        let times = recent.iter().filter(same).count();
        seen.difference != 0 && times >= even.max(2)
    };
    even > below && !is_doubted && !recent.iter().any(is_other)
}

/// What an exact difference says.
const fn judged(difference: i64) -> LedgerState {
    match difference {
        0 => LedgerState::Balanced,
        1.. => LedgerState::Missing,
        _ => LedgerState::Repeated,
    }
}
