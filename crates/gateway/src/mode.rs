//! What a gateway does with requests as long as an operator says so: takes them, sends them elsewhere, or takes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metrics::mode as metrics;

/// Setting `emergency.mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Takes what comes.
    #[default]
    Normal,
    /// Takes nothing: pushes get 503 with `Retry-After`. What was taken before is finished; queries are answered.
    ReadOnly,
    /// Takes what still comes, and asks for it to go elsewhere: not ready, and connections end with their answer.
    Drain,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Normal, Self::ReadOnly, Self::Drain];

    /// As the setting has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ReadOnly => "read_only",
            Self::Drain => "drain",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::ReadOnly => 1,
            Self::Drain => 2,
        }
    }
}

/// The mode of a gateway, which can change while it runs. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ModeHandle(Arc<AtomicU8>);

impl ModeHandle {
    /// In this mode.
    pub(crate) fn new(mode: Mode) -> Self {
        metrics::mode(mode);
        Self(Arc::new(AtomicU8::new(mode.number())))
    }

    /// From now on it is in this mode. Answers the one before.
    pub fn set(&self, mode: Mode) -> Mode {
        metrics::mode(mode);
        let before = self.0.swap(mode.number(), Ordering::AcqRel);
        let is_it = |mode: &Mode| mode.number() == before;
        Mode::ALL.into_iter().find(is_it).unwrap_or_default()
    }

    /// Whether it is in this one.
    #[must_use]
    pub fn is(&self, mode: Mode) -> bool {
        self.0.load(Ordering::Acquire) == mode.number()
    }
}

#[cfg(test)]
mod tests;
