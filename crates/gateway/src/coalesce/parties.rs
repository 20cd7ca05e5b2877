//! Who waits for the records of a window.
//!
//! A request of many names is in many records, and a record has samples of many requests. What a record knows of a request
//! is a number; what is still open of the request is counted beside the others of its window, by the one task that
//! settles it; and its ticket, which threads share, hears of the window once. Each request waits for exactly the
//! records that it is in, and for none of the others.

use std::sync::Arc;

use buffer::PublishError;

use super::ticket::{Settled, Ticket, Weakest};

/// The requests of one record: the first and the last of its claims among those of its window, so that a record of many
/// requests needs no memory of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Claims(Option<(u32, u32)>);

/// How many samples of a record belong to a request.
#[derive(Debug, Clone, Copy)]
struct Claim {
    /// The number of a party.
    party: u32,
    samples: u32,
    /// The number of the record's next claim.
    next: u32,
}

/// So many claims take as much memory as a request, and more.
const CLAIMS_PER_PARTY: usize = size_of::<Party>().div_ceil(size_of::<Claim>());

/// The number of no claim.
const LAST: u32 = u32::MAX;

/// A request in a window.
#[derive(Debug)]
struct Party {
    ticket: Arc<Ticket>,
    /// Records that are not answered.
    open: u32,
    /// Of those that are durable.
    weakest: Weakest,
    durable_samples: u64,
    /// Samples of records that are not answered.
    open_samples: u64,
}

/// The requests of a window.
///
/// Each is told exactly once: when its last record is settled, or that it failed when this is dropped before.
#[derive(Debug, Default)]
pub(super) struct Parties {
    parties: Vec<Party>,
    /// Those of a record are linked.
    claims: Vec<Claim>,
    /// Those that are told already.
    settled: usize,
}

impl Parties {
    /// Adds samples of a request to a record of the window.
    pub(super) fn claim(&mut self, claims: &mut Claims, ticket: &Arc<Ticket>, samples: u32) {
        // A request adds all that it has for a window before another one does.
        let is_known = self
            .parties
            .last()
            .is_some_and(|last| Arc::ptr_eq(&last.ticket, ticket));
        if !is_known {
            ticket.hold();
            self.parties.push(Party {
                ticket: Arc::clone(ticket),
                open: 0,
                weakest: Weakest::default(),
                durable_samples: 0,
                open_samples: 0,
            });
        }
        let number = u32::try_from(self.parties.len() - 1).unwrap_or(u32::MAX);
        let Some(party) = self.parties.last_mut() else {
            return;
        };
        party.open_samples += u64::from(samples);
        let new = u32::try_from(self.claims.len()).unwrap_or(LAST);
        let last = claims.0.map(|(_, last)| last as usize);
        if let Some(last) = last.and_then(|last| self.claims.get_mut(last)) {
            if last.party == number {
                last.samples += samples;
                return;
            }
            last.next = new;
        }
        party.open += 1;
        self.claims.push(Claim {
            party: number,
            samples,
            next: LAST,
        });
        let (first, _) = claims.0.unwrap_or((new, new));
        claims.0 = Some((first, new));
    }

    /// Notes what became of a record, and tells those that have no other one open.
    pub(super) fn settle(&mut self, claims: Claims, result: &Settled) {
        let mut next = claims.0.map_or(LAST, |(first, _)| first);
        while let Some(claim) = self.claims.get(next as usize) {
            next = claim.next;
            let Some(party) = self.parties.get_mut(claim.party as usize) else {
                continue;
            };
            let samples = u64::from(claim.samples);
            party.open_samples = party.open_samples.saturating_sub(samples);
            match result {
                Ok(durability) => {
                    party.weakest.note(*durability);
                    party.durable_samples += samples;
                }
                Err(error) => party.ticket.fail(samples, error),
            }
            party.open = party.open.saturating_sub(1);
            if party.open == 0 {
                party.tell();
                self.settled += 1;
            }
        }
    }

    /// Whether nobody waits any more.
    pub(super) fn is_settled(&self) -> bool {
        self.settled == self.parties.len()
    }

    /// Lets go of every ticket without a word: nothing was to be stored.
    pub(super) fn forget(&mut self) {
        self.parties.clear();
        self.claims.clear();
        self.settled = 0;
    }

    /// For so many requests there is room, or for their claims: those of a request are many where it has many names.
    pub(super) fn room(&self) -> usize {
        let claims = self.claims.capacity() / CLAIMS_PER_PARTY;
        self.parties.capacity().max(claims)
    }
}

impl Party {
    fn tell(&self) {
        self.ticket.settle(self.durable_samples, self.weakest);
    }
}

impl Drop for Parties {
    fn drop(&mut self) {
        if self.is_settled() {
            return;
        }
        let lost = "the record was given up before the buffer answered".to_owned();
        let lost = PublishError::Unconfirmed(lost);
        for party in self.parties.iter().filter(|party| party.open > 0) {
            party.ticket.fail(party.open_samples, &lost);
            party.tell();
        }
    }
}

#[cfg(test)]
mod tests;
