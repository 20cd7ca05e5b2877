//! Whether the loss ledger balances: to the sample, or not at all.
//!
//! Counters are read one after another while samples flow, so that one reading may be off by what moved in between. A
//! difference counts when no reading of the last seconds came out even. What was in the buffer when the process started is
//! known once all of it was read.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::reading::{Reading, StoreReading};
use crate::shapes::{GatewayLedger, Ledger, LedgerState, StoreLedger};

/// How long a difference must last.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is not known where there are only stores.
const GATEWAYS_KNOW: &str =
    "what was accepted is known to the gateways; they show it in their own consoles";

/// What is not known where there is only a gateway.
const CONSUMERS_KNOW: &str =
    "what the stores have is known to the consumers; they show it in their own consoles";

/// What is not known where others share the buffer.
const OTHERS_SHARE: &str = "other processes may write to and read from the same topic, so what was accepted here need not be what is read here";

/// The sides that a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) gateway: bool,
    pub(crate) stores: bool,
    /// Nobody else writes to the buffer or reads from it.
    pub(crate) whole: bool,
}

/// Remembers the last readings.
#[derive(Debug, Default)]
pub(crate) struct Balances {
    gateway: Line,
    stores: BTreeMap<String, StoreLine>,
}

/// The last differences.
#[derive(Debug, Default)]
struct Line {
    readings: VecDeque<(Instant, i64)>,
    moved_at: Option<(Instant, u64)>,
}

#[derive(Debug, Default)]
struct StoreLine {
    line: Line,
    carried: Carried,
}

/// How many samples were in the buffer when the process started.
#[derive(Debug, Default, Clone, Copy)]
enum Carried {
    #[default]
    Unknown,
    /// So many at most: samples came while it was found out.
    About(u64),
    Exactly(u64),
}

impl Carried {
    const fn samples(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::About(samples) | Self::Exactly(samples) => Some(samples),
        }
    }

    /// With what is read when nothing is unread. `is_quiet`: nothing moved since the reading before.
    fn learn(&mut self, read_more_than_accepted: i64, is_quiet: bool) {
        let found = u64::try_from(read_more_than_accepted).unwrap_or(0);
        *self = match *self {
            Self::Exactly(known) => Self::Exactly(known),
            _ if is_quiet || found == 0 => Self::Exactly(found),
            Self::About(known) => Self::About(known.min(found)),
            Self::Unknown => Self::About(found),
        };
    }
}

impl Line {
    /// Notes a reading; answers the smallest difference of the last seconds, and whether anything moves.
    fn note(&mut self, now: Instant, difference: i64, moved: u64) -> (i64, bool) {
        let is_moving = match self.moved_at {
            Some((at, known)) if known == moved => now.duration_since(at) < PATIENCE,
            _ => {
                self.moved_at = Some((now, moved));
                true
            }
        };
        self.readings.push_back((now, difference));
        while self
            .readings
            .pop_front_if(|(at, _)| now.duration_since(*at) > PATIENCE)
            .is_some()
        {}
        let all = self.readings.iter().map(|(_, difference)| *difference);
        let best = all.min_by_key(|difference| difference.unsigned_abs());
        (best.unwrap_or(difference), is_moving)
    }

    fn is_quiet(&self, moved: u64) -> bool {
        self.moved_at.is_some_and(|(_, known)| known == moved)
    }
}

/// What a difference says where nothing explains it. While samples move, one that is small may be those that just do.
fn judged(difference: i64, is_explained: bool) -> LedgerState {
    match difference {
        0 => LedgerState::Balanced,
        _ if is_explained => LedgerState::Waiting,
        1.. => LedgerState::Missing,
        _ => LedgerState::Repeated,
    }
}

impl Balances {
    /// The ledger at this reading.
    pub(crate) fn ledger(&mut self, reading: &Reading, sides: Sides, now: Instant) -> Ledger {
        let gateway = sides.gateway.then(|| self.gateway(reading, now));
        let stores = sides.stores.then(|| {
            // The window of what arrived lately is no store of anybody's.
            let stores = reading.stores.iter().filter(|(name, _)| *name != RECENT);
            let accepted = sides.whole.then(|| reading.accepted_samples());
            stores
                .map(|(name, store)| self.store(name, store, accepted, now))
                .collect::<Vec<_>>()
        });
        let note = match (sides.gateway, sides.stores) {
            (true, true) if !sides.whole => Some(OTHERS_SHARE),
            (true, false) => Some(CONSUMERS_KNOW),
            (false, _) => Some(GATEWAYS_KNOW),
            (true, true) => None,
        };
        let of_gateway = gateway.iter().map(|gateway| gateway.state);
        let of_stores = stores.iter().flatten().map(|store| store.state);
        Ledger {
            state: of_gateway
                .chain(of_stores)
                .fold(None, worst)
                .unwrap_or(LedgerState::Partial),
            gateway,
            stores,
            notes: note.map(str::to_owned).into_iter().collect(),
        }
    }

    fn gateway(&mut self, reading: &Reading, now: Instant) -> GatewayLedger {
        let received: u64 = reading.received.values().sum();
        let accepted = reading.accepted_samples();
        let rejected: u64 = reading.rejected.values().sum();
        let difference = signed(received) - signed(accepted) - signed(rejected);
        let (difference, is_moving) = self.gateway.note(now, difference, received);
        GatewayLedger {
            state: judged(difference, is_moving),
            received,
            accepted,
            rejected,
            difference,
        }
    }

    fn store(
        &mut self,
        name: &str,
        reading: &StoreReading,
        accepted: Option<u64>,
        now: Instant,
    ) -> StoreLedger {
        let unread_records = reading.unread_records();
        let mut ledger = StoreLedger {
            store: name.to_owned(),
            state: LedgerState::Partial,
            accepted,
            carried_over: None,
            consumed: reading.consumed_once(),
            written: reading.written,
            dead_lettered: reading.dead_lettered,
            skipped: reading.left_out,
            in_memory: reading.in_memory(),
            unread: None,
            unread_records,
            difference: 0,
            note: None,
        };
        let Some(accepted) = accepted else {
            return ledger;
        };
        let line = self.stores.entry(name.to_owned()).or_default();
        let moved = accepted + reading.consumed;
        let is_known = reading.here().any(|(_, lag)| !lag.unread_records.is_nan());
        let more = signed(ledger.consumed) - signed(accepted);
        if is_known && unread_records == 0 {
            line.carried.learn(more, line.line.is_quiet(moved));
        }
        let Some(carried) = line.carried.samples() else {
            ledger.note =
                Some("what was in the buffer at the start is not all read yet".to_owned());
            return ledger;
        };
        let difference = signed(carried) - more;
        let (best, is_moving) = line.line.note(now, difference, moved);
        let is_exact = matches!(line.carried, Carried::Exactly(_));
        ledger.carried_over = Some(carried);
        ledger.unread = Some(difference);
        let is_explained = is_moving || unread_records > 0 || !is_exact;
        ledger.state = judged(best, is_explained);
        if matches!(ledger.state, LedgerState::Missing | LedgerState::Repeated) {
            ledger.difference = best;
        }
        ledger
    }
}

/// The store that is no store.
pub(crate) const RECENT: &str = "recent";

/// The one that a person should see first.
fn worst(one: Option<LedgerState>, other: LedgerState) -> Option<LedgerState> {
    let rank = |state: LedgerState| match state {
        LedgerState::Balanced => 0,
        LedgerState::Partial => 1,
        LedgerState::Waiting => 2,
        LedgerState::Repeated => 3,
        LedgerState::Missing => 4,
    };
    one.into_iter()
        .chain([other])
        .max_by_key(|state| rank(*state))
}

fn signed(samples: u64) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
