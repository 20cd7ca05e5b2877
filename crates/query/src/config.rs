//! What a question may cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

/// Questions about the recent window and the archive of `sluice standalone`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Questions that are answered at once, each on a thread of its own that gives way to others; up to four times as
    /// many wait, and beyond that the answer is 503.
    pub max_concurrent: usize,
    /// Memory that one question may use for series, samples and its answer; beyond it the answer is 422. As much again, for
    /// all together, is for answers that their readers have not taken yet.
    pub max_memory: Size,
    /// Series of one question; beyond it the answer is 422.
    pub max_series: usize,
    /// How long a question may take, waiting included; after that the answer is 503.
    pub timeout: Period,
    /// How far back the newest sample of a series counts as its value in PromQL.
    pub lookback: Period,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_concurrent: 2,
            max_memory: Size::mib(64),
            max_series: 50_000,
            timeout: Period::secs(20),
            lookback: Period::secs(300),
        }
    }
}

impl Config {
    /// Checks what one field alone cannot say.
    ///
    /// # Errors
    /// The first key that cannot be as it is, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        let refuse = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        if !(1..=64).contains(&self.max_concurrent) {
            return refuse("max_concurrent", "must be from 1 to 64");
        }
        if self.max_memory.bytes() < 1 << 20 || self.max_memory.bytes() > 1 << 40 {
            return refuse("max_memory", "must be from 1MiB to 1TiB");
        }
        if self.max_series == 0 {
            return refuse("max_series", "must be more than 0");
        }
        if self.timeout.0.is_zero() {
            return refuse("timeout", "must be longer than 0s");
        }
        if self.lookback.0.is_zero() {
            return refuse("lookback", "must be longer than 0s");
        }
        Ok(())
    }
}
