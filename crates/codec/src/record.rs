//! Records of the buffer: what the gateway writes and the consumer reads.

mod builder;
mod json;
mod memo;
mod protobuf;

use bytes::Bytes;
use model::{Block, BlockError};

pub use builder::{Item, RecordBuilder};

/// The message of the default format.
const REQUEST: &str = "io.prometheus.write.v2.Request";

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
pub fn decode(content_type: Option<&[u8]>, value: &Bytes) -> Result<Block, RecordError> {
    match format(content_type.unwrap_or_default()) {
        Some(Format::Json) => json::decode(value),
        Some(Format::RemoteWriteV2) => protobuf::decode(value),
        Some(Format::Unknown { found }) => Err(RecordError::ContentType { found }),
        None if value.trim_ascii_start().starts_with(b"{") => json::decode(value),
        None => Err(RecordError::Unlabelled),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Format {
    RemoteWriteV2,
    Json,
    Unknown { found: String },
}

/// The format that a `content-type` names; `None` when it says nothing.
fn format(content_type: &[u8]) -> Option<Format> {
    let text = String::from_utf8_lossy(content_type);
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if media_type.is_empty() {
        return None;
    }
    let unknown = || Format::Unknown {
        found: text.chars().take(100).collect(),
    };
    if media_type.eq_ignore_ascii_case("application/json") {
        return Some(Format::Json);
    }
    if !media_type.eq_ignore_ascii_case("application/x-protobuf") {
        return Some(unknown());
    }
    let message = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("proto"))
        .map(|(_, value)| value.trim().trim_matches('"'));
    // Without the parameter it would be remote write 1.0 by the protocol's rule.
    Some(match message {
        Some(message) if message.eq_ignore_ascii_case(REQUEST) => Format::RemoteWriteV2,
        Some(_) | None => unknown(),
    })
}

#[cfg(test)]
mod tests;
