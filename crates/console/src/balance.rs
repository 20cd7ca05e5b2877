//! Whether the loss ledger balances: to the sample, or not at all.
//!
//! What was accepted must have been read, and what was read must be in the store or in memory. Both are looked at.

mod carried;
mod line;

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::reading::{Reading, StoreReading};
use crate::shapes::{GatewayLedger, Ledger, LedgerState, StoreLedger};
use carried::Carried;
use line::{At, Line};

/// What is not known where there are only stores.
const GATEWAYS_KNOW: &str =
    "what was accepted is known to the gateways; they show it in their own consoles";

/// What is not known where there is only a gateway.
const CONSUMERS_KNOW: &str =
    "what the stores have is known to the consumers; they show it in their own consoles";

/// What is not known where others share the buffer.
const OTHERS_SHARE: &str = "other processes may write to and read from the same topic, so what was accepted here need not be what is read here";

/// What is not known while what was left by the process before is read.
const CARRIED_UNKNOWN: &str = "what was in the buffer at the start is not all read yet";

/// Where what is missing may be.
const DEAD_RECORDS: &str = "records that nobody could read are with the dead letters; how many samples they had is not known";

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

/// What is remembered of a store.
#[derive(Debug, Default)]
struct StoreLine {
    /// Between what was accepted and what was read.
    unread: Line,
    /// Between what was read and what became of it.
    in_memory: Line,
    carried: Carried,
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
        let (state, difference) = self.gateway.note(
            now,
            At {
                came: received,
                went: accepted.saturating_add(rejected),
                difference,
                is_clean: true,
            },
        );
        GatewayLedger {
            state,
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
        let line = self.stores.entry(name.to_owned()).or_default();
        let found = line.in_memory.note(now, kept(reading));
        let unread = accepted.and_then(|accepted| {
            let (carried, at) = line.unread(reading, accepted)?;
            ledger.carried_over = Some(carried);
            ledger.unread = Some(at.difference);
            let (state, difference) = line.unread.note(now, at);
            // What was carried over may turn out to be more as long as samples move.
            let is_sure = line.carried.is_exact() || at.difference == 0;
            match state {
                LedgerState::Balanced if !is_sure => Some((LedgerState::Waiting, 0)),
                _ => Some((state, difference)),
            }
        });
        if accepted.is_some() && unread.is_none() {
            ledger.note = Some(CARRIED_UNKNOWN.to_owned());
        }
        let is_off =
            |state: LedgerState| matches!(state, LedgerState::Missing | LedgerState::Repeated);
        ledger.state = match (unread, found.0) {
            (Some((state, _)), of_memory) => worst(Some(state), of_memory).unwrap_or(state),
            (None, of_memory) if is_off(of_memory) => of_memory,
            (None, _) => LedgerState::Partial,
        };
        if is_off(ledger.state) {
            let found = unread.into_iter().chain([found]);
            ledger.difference = found
                .filter(|(state, _)| *state == ledger.state)
                .map(|(_, difference)| difference)
                .sum();
        }
        if unread.is_some_and(|(state, _)| state == LedgerState::Missing)
            && reading.records_dead_lettered > 0
        {
            ledger.note = Some(DEAD_RECORDS.to_owned());
        }
        ledger
    }
}

impl StoreLine {
    /// What was carried over, and the samples that are in the buffer then. None until that is known.
    fn unread(&mut self, reading: &StoreReading, accepted: u64) -> Option<(u64, At)> {
        let consumed = reading.consumed_once();
        let beyond = signed(consumed).saturating_sub(signed(accepted));
        let is_known = reading.here().any(|(_, lag)| !lag.unread_records.is_nan());
        let is_clean = is_known && reading.unread_records() == 0;
        if is_clean {
            // Nothing was read and nothing is unread: nothing was there.
            let is_still = self.unread.is_still(accepted, consumed) || consumed == 0;
            let came = self.unread.came_since(accepted);
            self.carried.learn(beyond, came, is_still);
        }
        let known = self.carried.samples();
        let at = At {
            came: accepted,
            went: consumed,
            difference: signed(known.unwrap_or_default()).saturating_sub(beyond),
            is_clean,
        };
        if known.is_none() {
            self.unread.pass(at);
        }
        Some((known?, at))
    }
}

/// What was read and is not accounted for otherwise. All of it may be in memory while there is something.
fn kept(reading: &StoreReading) -> At {
    let went = reading
        .written
        .saturating_add(reading.dead_lettered)
        .saturating_add(reading.left_out);
    let kept = signed(reading.consumed)
        .saturating_sub(signed(reading.returned))
        .saturating_sub(signed(went));
    At {
        came: reading.consumed_once(),
        went,
        difference: if reading.memory_bytes > 0.0 {
            kept.min(0)
        } else {
            kept
        },
        is_clean: true,
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
