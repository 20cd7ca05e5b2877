//! Records of the buffer: what the gateway writes and the consumer reads.

mod builder;

use bytes::Bytes;
use model::{Block, BlockError};

pub use builder::RecordBuilder;

/// A record that cannot be read. It goes to the dead letters as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The header `content-type` names a format that Sluice does not write.
    #[error("content-type {found:?} is not a record format")]
    ContentType {
        /// The header.
        found: String,
    },
    /// No `content-type`, and the value is not a JSON object.
    #[error("the record has no content-type and is not a JSON object")]
    Unlabelled,
    /// The bytes are no `io.prometheus.write.v2.Request`.
    #[error("not a remote-write 2.0 request: {why}")]
    Protobuf {
        /// What is wrong, and where.
        why: String,
    },
    /// The references do not fit the symbols.
    #[error("not a remote-write 2.0 request: {0}")]
    References(#[from] BlockError),
    /// The JSON is not one sample.
    #[error("not a sample: {0}")]
    Json(model::Refusal),
}

impl RecordError {
    /// A stable code, for metrics and dead letters.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::ContentType { .. } => "content_type_unknown",
            Self::Unlabelled => "content_type_missing",
            Self::Protobuf { .. } => "protobuf_invalid",
            Self::References(_) => "references_invalid",
            Self::Json(_) => "json_invalid",
        }
    }
}

/// Reads a record by its header `content-type`; without one, a JSON object is taken as a sample.
///
/// # Errors
/// When the value is not what the header says.
pub fn decode(_content_type: Option<&[u8]>, _value: &Bytes) -> Result<Block, RecordError> {
    todo!()
}
