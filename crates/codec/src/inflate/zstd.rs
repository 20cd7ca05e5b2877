//! Zstandard: every frame, with a bounded window.

use ::zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};
use bytes::Bytes;

use super::{Encoding, FIRST_CHUNK_MAX, InflateError, corrupt, reserve};

/// 8 MiB, which RFC 8878 asks every decoder for and RFC 9659 makes the limit in HTTP.
const WINDOW_LOG_MAX: u32 = 23;

/// How a frame begins.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

pub(super) fn inflate(body: &[u8], limit_bytes: usize) -> Result<Bytes, InflateError> {
    if body.is_empty() {
        return Err(corrupt(Encoding::Zstd, "truncated, the body is empty"));
    }
    let failed = |error: std::io::Error, output: usize| {
        let why = format!("{error}, after {output} bytes of output");
        corrupt(Encoding::Zstd, why)
    };
    let mut decoder = Decoder::new().map_err(|error| failed(error, 0))?;
    decoder
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
        .map_err(|error| failed(error, 0))?;
    let mut output = Vec::with_capacity(
        body.len()
            .saturating_mul(4)
            .min(limit_bytes.saturating_add(1))
            .min(FIRST_CHUNK_MAX),
    );
    let mut input = InBuffer::around(body);
    loop {
        reserve(&mut output, limit_bytes);
        let before = (input.pos(), output.len());
        let at = output.len();
        let mut spare = OutBuffer::around_pos(&mut output, at);
        let open = match decoder.run(&mut input, &mut spare) {
            Ok(hint) => hint != 0,
            Err(error) => return Err(failed(error, output.len())),
        };
        if output.len() > limit_bytes {
            return Err(InflateError::TooLarge { limit_bytes });
        }
        if input.pos() == body.len() && !open {
            return Ok(output.into());
        }
        // There was room for output, so standing still means that input is missing.
        if before == (input.pos(), output.len()) {
            let why = format!(
                "truncated, the frame breaks off after {} bytes of output",
                output.len()
            );
            return Err(corrupt(Encoding::Zstd, why));
        }
    }
}
