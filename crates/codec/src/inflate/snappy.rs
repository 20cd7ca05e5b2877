//! Snappy's framed format: checked chunks of at most 64 KiB, any number of streams.

use std::io::Read as _;

use bytes::Bytes;

use super::{Encoding, FIRST_CHUNK_MAX, InflateError, corrupt};

pub(super) fn inflate(body: &[u8], limit_bytes: usize) -> Result<Bytes, InflateError> {
    let most = limit_bytes.saturating_add(1);
    let likely = body.len().saturating_mul(4).min(most).min(FIRST_CHUNK_MAX);
    let mut output = Vec::with_capacity(likely);
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let read = snap::read::FrameDecoder::new(body)
        .take(most)
        .read_to_end(&mut output);
    if output.len() > limit_bytes {
        return Err(InflateError::TooLarge { limit_bytes });
    }
    match read {
        Ok(_) => Ok(output.into()),
        Err(error) => {
            let why = format!("{error}, after {} bytes of output", output.len());
            Err(corrupt(Encoding::SnappyFramed, why))
        }
    }
}

#[cfg(test)]
mod tests;
