//! Snappy's block format, which Prometheus remote write uses.
//!
//! The length that a block claims is checked against the limit, and against what its bytes could
//! ever expand to, before anything is allocated.

mod elements;

use bytes::Bytes;

use crate::InflateError;
use crate::protobuf::{length, varint_len};
pub(crate) use elements::{Elements, REACH};

/// How the framed format starts, which senders mix up with the block format.
const FRAMED: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// A copy of three bytes makes at most 64.
const MAX_EXPANSION: usize = 22;

/// What a compressor keeps for the next block, in bytes. Usual requests need a tenth of it.
const KEPT_BYTES: usize = 8 << 20;

/// Compresses into one block.
///
/// # Panics
/// With more than 2^32 bytes, which the format cannot hold and no batch has.
#[must_use]
pub fn compress(data: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new()
        .compress_vec(data)
        .expect("less than 2^32 bytes always compress")
}

/// Compresses block after block in the same memory.
#[derive(Debug)]
pub struct Compressor {
    encoder: snap::raw::Encoder,
    room: Vec<u8>,
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            encoder: snap::raw::Encoder::new(),
            room: Vec::new(),
        }
    }
}

impl Compressor {
    /// Compresses into one block, as [`compress`] does.
    ///
    /// # Panics
    /// With more than 2^32 bytes, which the format cannot hold and no batch has.
    #[must_use]
    pub fn compress(&mut self, data: &[u8]) -> Vec<u8> {
        let block = self.block(data).to_vec();
        self.shrink();
        block
    }

    /// What is in the block behind its length. Copies reach back to the first of these bytes and no further, so that this
    /// can be the beginning of a longer block.
    pub(crate) fn elements(&mut self, data: &[u8]) -> &[u8] {
        self.shrink();
        let head = varint_len(length(data.len()));
        self.block(data).get(head..).unwrap_or_default()
    }

    fn block(&mut self, data: &[u8]) -> &[u8] {
        let most = snap::raw::max_compress_len(data.len());
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let length = self
            .encoder
            .compress(data, &mut self.room)
            .expect("less than 2^32 bytes always compress into so many");
        self.room.get(..length).unwrap_or_default()
    }

    fn shrink(&mut self) {
        if self.room.len() > KEPT_BYTES {
            self.room = Vec::new();
        }
    }
}

/// Decompresses one block.
///
/// # Errors
/// When the result would be larger than `limit_bytes`, or the bytes are not a snappy block.
pub fn decompress(body: &[u8], limit_bytes: usize) -> Result<Bytes, InflateError> {
    let corrupt = |why: String| InflateError::Corrupt {
        encoding: "snappy",
        why,
    };
    if body.starts_with(FRAMED) {
        let why = "this is the framed format; remote write uses the block format";
        return Err(corrupt(why.to_owned()));
    }
    let claimed = snap::raw::decompress_len(body).map_err(|error| corrupt(error.to_string()))?;
    if claimed > limit_bytes {
        return Err(InflateError::TooLarge { limit_bytes });
    }
    if claimed > body.len().saturating_mul(MAX_EXPANSION) {
        let why = format!(
            "truncated, or not snappy: {} bytes cannot hold the {claimed} that the header claims",
            body.len()
        );
        return Err(corrupt(why));
    }
    snap::raw::Decoder::new()
        .decompress_vec(body)
        .map(Bytes::from)
        .map_err(|error| corrupt(error.to_string()))
}

#[cfg(test)]
mod tests;
