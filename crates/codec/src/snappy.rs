//! Snappy's block format, which Prometheus remote write uses.
//!
//! The length that a block claims is checked against the limit, and against what its bytes could
//! ever expand to, before anything is allocated.

use bytes::Bytes;

use crate::InflateError;

/// Compresses into one block.
#[must_use]
pub fn compress(_data: &[u8]) -> Vec<u8> {
    todo!()
}

/// Decompresses one block.
///
/// # Errors
/// When the result would be larger than `limit_bytes`, or the bytes are not a snappy block.
pub fn decompress(_body: &[u8], _limit_bytes: usize) -> Result<Bytes, InflateError> {
    todo!()
}
