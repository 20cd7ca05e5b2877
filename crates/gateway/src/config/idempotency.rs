//! What an operator can set about requests that are sent again.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use super::{BadSetting, bad};

/// Section `idempotency`: requests that a sender repeats because it did not get the answer are answered again and not
/// stored again, for each gateway by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdempotencyConfig {
    /// Whether the header `Idempotency-Key` is obeyed.
    pub enabled: bool,
    /// Whether a request without the header is one that came before when its tenant, source, path and body are the
    /// same. Only of protocols whose samples always have their sender's time.
    pub bodies: bool,
    /// How long an answer is remembered.
    pub window: Period,
    /// Memory for answers. Beyond it the oldest are forgotten.
    pub max_memory: Size,
}

impl Default for IdempotencyConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            bodies: false,
            window: Period::secs(300),
            max_memory: Size::mib(32),
        }
    }
}

impl IdempotencyConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// The first key that is out of bounds, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if self.window < Period::secs(1) || self.window.0 > Duration::from_secs(24 * 3600) {
            return bad(
                "window",
                &format!("is {}; at least 1s and at most 24h", self.window),
            );
        }
        if self.max_memory < Size(64 << 10) {
            return bad(
                "max_memory",
                &format!("is {}; at least 64KiB", self.max_memory),
            );
        }
        if self.bodies && !self.enabled {
            return bad("bodies", "is true, but idempotency.enabled is false");
        }
        Ok(())
    }
}
