//! What a question may still use: memory, series, time, and the patience of who asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::config::Config;
use crate::error::{Error, invalid};

/// How much work lies between two looks at the clock.
const LOOK_EVERY: u32 = 4096;

/// Regular expressions of one question, those of all its selectors together.
const MAX_PATTERNS: usize = 32;

/// Their texts, in bytes.
const MAX_PATTERN_BYTES: usize = 32 << 10;

/// What is left.
#[derive(Debug)]
pub(crate) struct Budget {
    left_bytes: usize,
    max_bytes: usize,
    left_series: usize,
    max_series: usize,
    left_patterns: usize,
    left_pattern_bytes: usize,
    deadline: Instant,
    timeout_secs: u64,
    given_up: Arc<AtomicBool>,
    work: u32,
}

impl Budget {
    /// All that one question may use from `started` on. `given_up` becomes true when nobody waits for it any more.
    pub(crate) fn new(config: &Config, started: Instant, given_up: Arc<AtomicBool>) -> Self {
        Self {
            left_bytes: config.max_memory.bytes(),
            max_bytes: config.max_memory.bytes(),
            left_series: config.max_series,
            max_series: config.max_series,
            left_patterns: MAX_PATTERNS,
            left_pattern_bytes: MAX_PATTERN_BYTES,
            deadline: started + config.timeout.0,
            timeout_secs: config.timeout.0.as_secs(),
            given_up,
            work: 0,
        }
    }

    /// Uses so much memory.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Error> {
        match self.left_bytes.checked_sub(bytes) {
            Some(left) => self.left_bytes = left,
            None => {
                return Err(Error::TooLarge(format!(
                    "the query needs more than {} bytes of memory (queries.max_memory); ask for fewer series or less time",
                    self.max_bytes
                )));
            }
        }
        self.step()
    }

    /// Gives memory back.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        self.left_bytes = self.left_bytes.saturating_add(bytes).min(self.max_bytes);
    }

    /// Uses a series.
    pub(crate) fn series(&mut self) -> Result<(), Error> {
        match self.left_series.checked_sub(1) {
            Some(left) => self.left_series = left,
            None => {
                return Err(Error::TooLarge(format!(
                    "the query reads more than {} series (queries.max_series); name more labels",
                    self.max_series
                )));
            }
        }
        Ok(())
    }

    /// Uses a regular expression of so many bytes.
    pub(crate) fn pattern(&mut self, bytes: usize) -> Result<(), Error> {
        let left = (
            self.left_patterns.checked_sub(1),
            self.left_pattern_bytes.checked_sub(bytes),
        );
        let (Some(patterns), Some(pattern_bytes)) = left else {
            return invalid(format!(
                "the query has more than {MAX_PATTERNS} regular expressions, or more than {MAX_PATTERN_BYTES} bytes of them"
            ));
        };
        (self.left_patterns, self.left_pattern_bytes) = (patterns, pattern_bytes);
        self.look()
    }

    /// Does a piece of work, and looks at the clock now and then.
    pub(crate) fn step(&mut self) -> Result<(), Error> {
        self.work += 1;
        if self.work < LOOK_EVERY {
            return Ok(());
        }
        self.look()
    }

    /// Does so many pieces of work at once.
    pub(crate) fn steps(&mut self, count: usize) -> Result<(), Error> {
        let count = u32::try_from(count).unwrap_or(LOOK_EVERY);
        self.work = self.work.saturating_add(count);
        if self.work < LOOK_EVERY {
            return Ok(());
        }
        self.look()
    }

    /// Looks at the clock.
    pub(crate) fn look(&mut self) -> Result<(), Error> {
        self.work = 0;
        if self.given_up.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        if Instant::now() >= self.deadline {
            return Err(Error::Timeout(self.timeout_secs));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) fn plenty() -> Budget {
    Budget::new(&Config::default(), Instant::now(), Arc::default())
}

#[cfg(test)]
mod tests;
