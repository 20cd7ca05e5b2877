//! What an operator can set about counting series.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BadSetting, bad};

/// Section `cardinality`: how many series there are by tenant, by source and by metric, and how many values each label
/// has, estimated to some percent and shown at `/api/v1/cardinality` of the admin listener. Limits are in `quotas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CardinalityConfig {
    /// Whether series are counted. It costs some hundred instructions for a series that is new in half of
    /// `quotas.window`, and a few for each sample of a series that is not.
    pub enabled: bool,
    /// Metrics, and labels, that are counted at a time: about 2 KiB each. Where there are more, those with few series
    /// make room.
    pub names: usize,
    /// How many metrics, and labels, are shown as metrics of the gateway; 0 shows none.
    pub top: usize,
}

impl Default for CardinalityConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            names: 2000,
            top: 10,
        }
    }
}

impl CardinalityConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// The first key that is out of bounds, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if !(16..=100_000).contains(&self.names) {
            return bad("names", &format!("is {}; from 16 to 100000", self.names));
        }
        if self.top > 50 {
            return bad("top", &format!("is {}; at most 50", self.top));
        }
        Ok(())
    }
}
