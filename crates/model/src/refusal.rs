//! Why a sample was not taken.

use crate::Code;

/// One reason, with a sentence that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// Names the field, the limit, and what was found.
    pub message: String,
}

impl Refusal {
    /// A refusal with this code and sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// A refusal and the sample that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The sample's position in its request, from 0.
    pub index: u32,
    /// The sample's metric name as far as it is known; empty when it has none.
    pub metric_name: String,
    /// Why.
    pub refusal: Refusal,
}
