//! Which series are active, exactly, for each tenant, source and metric that has a limit.
//!
//! A sketch cannot tell a new series from a known one, so a limited scope has the hashes of its series: 64 bits each
//! by a hasher that nobody outside can foresee. What is known always passes, in whatever order series come, and a
//! scope never has more than its limit. A series that was not seen in two halves of the window is forgotten.

use std::collections::HashMap;

use hashbrown::HashTable;

/// What a scope takes beside its series, about.
const SCOPE_BYTES: usize = 256;

/// A hash with its byte of control.
const SLOT_BYTES: usize = 9;

/// A scope with a limit, as it is looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limited {
    /// The hash of whose it is.
    pub(super) scope: u64,
    pub(super) limit: usize,
    /// Whether it has room of its own, because settings name it.
    pub(super) is_named: bool,
}

/// A tenant, a source, and a metric.
pub(super) const MOST_SCOPES: usize = 3;

/// In which of the scopes a series was new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NewIn([bool; MOST_SCOPES]);

/// Why a new series is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The scope has as many as it may.
    Scope,
    /// All scopes that are not named have as many bytes as they may.
    Memory,
}

#[derive(Debug, Default)]
struct Scope {
    half: u64,
    is_named: bool,
    /// Seen in this half of the window.
    current: HashTable<u64>,
    /// Seen in the half before.
    previous: HashTable<u64>,
    /// How many of the current ones are among the previous ones too.
    carried: usize,
}

impl Scope {
    fn turn(&mut self, half: u64) {
        if half <= self.half {
            return;
        }
        let is_next = half == self.half.wrapping_add(1);
        let current = std::mem::take(&mut self.current);
        self.previous = if is_next { current } else { HashTable::new() };
        self.carried = 0;
        self.half = half;
    }

    fn active(&self) -> usize {
        (self.current.len() + self.previous.len()).saturating_sub(self.carried)
    }

    fn bytes(&self) -> usize {
        SCOPE_BYTES + (self.current.capacity() + self.previous.capacity()) * SLOT_BYTES * 8 / 7
    }

    fn insert(&mut self, series: u64) {
        self.current.insert_unique(series, series, |series| *series);
    }
}

/// Every scope that has a limit.
#[derive(Debug, Default)]
pub(super) struct ActiveSeries {
    scopes: HashMap<u64, Scope>,
    half: u64,
    /// What scopes take that are not named.
    bytes: usize,
}

impl ActiveSeries {
    /// Takes note that a series is active in all of these scopes, or, if it is new in one that has no room, in none.
    /// Answers the scopes that it was new in.
    pub(super) fn admit(
        &mut self,
        series: u64,
        scopes: &[Limited],
        half: u64,
        max_bytes: usize,
    ) -> Result<NewIn, (usize, Full)> {
        self.turn(half);
        for (number, limited) in scopes.iter().enumerate() {
            self.check(series, limited, max_bytes)
                .map_err(|full| (number, full))?;
        }
        let mut new_in = NewIn::default();
        for (limited, is_new) in scopes.iter().zip(&mut new_in.0) {
            *is_new = self.add(series, limited);
        }
        Ok(new_in)
    }

    /// Takes back what was new, because what it came with is refused.
    pub(super) fn take_back(&mut self, series: u64, scopes: &[Limited], new_in: NewIn) {
        for (limited, is_new) in scopes.iter().zip(new_in.0) {
            let scope = self.scopes.get_mut(&limited.scope).filter(|_| is_new);
            let Some(scope) = scope else {
                continue;
            };
            if let Ok(entry) = scope.current.find_entry(series, |known| *known == series) {
                entry.remove();
            }
        }
    }

    /// How many series of a scope are active.
    pub(super) fn active(&self, scope: u64) -> usize {
        self.scopes.get(&scope).map_or(0, Scope::active)
    }

    /// What all of it takes, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        self.scopes.values().map(Scope::bytes).sum()
    }

    /// Never back: a request that looked at the clock before another one turned the window is of the new half.
    fn turn(&mut self, half: u64) {
        if half <= self.half {
            return;
        }
        self.half = half;
        self.bytes = 0;
        self.scopes.retain(|_, scope| {
            scope.turn(half);
            let is_there = scope.active() > 0;
            if is_there && !scope.is_named {
                self.bytes += scope.bytes();
            }
            is_there
        });
    }

    fn check(&self, series: u64, limited: &Limited, max_bytes: usize) -> Result<(), Full> {
        let is_it = |known: &u64| *known == series;
        let scope = self.scopes.get(&limited.scope);
        let active = match scope {
            Some(scope) if scope.current.find(series, is_it).is_some() => return Ok(()),
            Some(scope) if scope.previous.find(series, is_it).is_some() => return Ok(()),
            Some(scope) => scope.active(),
            None => 0,
        };
        if active >= limited.limit {
            return Err(Full::Scope);
        }
        let has_room = scope.is_some_and(|scope| scope.current.len() < scope.current.capacity());
        if !limited.is_named && !has_room && self.bytes >= max_bytes {
            return Err(Full::Memory);
        }
        Ok(())
    }

    /// Answers whether it is new there.
    fn add(&mut self, series: u64, limited: &Limited) -> bool {
        let (half, is_new_scope) = (self.half, !self.scopes.contains_key(&limited.scope));
        let scope = self.scopes.entry(limited.scope).or_insert_with(|| Scope {
            half,
            is_named: limited.is_named,
            ..Scope::default()
        });
        let before = if is_new_scope { 0 } else { scope.bytes() };
        let is_it = |known: &u64| *known == series;
        if scope.current.find(series, is_it).is_some() {
            return false;
        }
        let is_new = scope.previous.find(series, is_it).is_none();
        scope.carried += usize::from(!is_new);
        scope.insert(series);
        if !scope.is_named {
            self.bytes += scope.bytes().saturating_sub(before);
        }
        is_new
    }
}

#[cfg(test)]
mod tests;
