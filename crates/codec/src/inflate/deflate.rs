//! `deflate` as HTTP means it: zlib, and the raw stream that old clients send under that name.

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::{Encoding, InflateError, corrupt, reserve};

/// A deflate stream did not end well.
#[derive(Debug)]
pub(super) enum Stop {
    TooLarge,
    Corrupt(String),
}

impl Stop {
    pub(super) fn into_error(self, encoding: Encoding, limit_bytes: usize) -> InflateError {
        match self {
            Self::TooLarge => InflateError::TooLarge { limit_bytes },
            Self::Corrupt(why) => corrupt(encoding, why),
        }
    }
}

pub(super) fn inflate(body: &[u8], limit_bytes: usize) -> Result<Bytes, InflateError> {
    let stop = match whole(body, true, limit_bytes) {
        Ok(inflated) => return Ok(inflated),
        Err(Stop::TooLarge) => Stop::TooLarge,
        Err(zlib) => match whole(body, false, limit_bytes) {
            Ok(inflated) => return Ok(inflated),
            // Whoever has a zlib header means zlib, and wants to know what is wrong with that.
            Err(_) if has_zlib_header(body) => zlib,
            Err(raw) => raw,
        },
    };
    Err(stop.into_error(Encoding::Deflate, limit_bytes))
}

fn has_zlib_header(body: &[u8]) -> bool {
    matches!(body, [cmf, flg, ..]
        if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0)
}

fn whole(body: &[u8], zlib: bool, limit_bytes: usize) -> Result<Bytes, Stop> {
    let mut output = Vec::new();
    let used = stream(&mut Decompress::new(zlib), body, &mut output, limit_bytes)?;
    if used < body.len() {
        let why = format!("{} bytes follow the end of the stream", body.len() - used);
        return Err(Stop::Corrupt(why));
    }
    Ok(output.into())
}

/// Appends one stream's output and answers how many bytes of the input it took.
pub(super) fn stream(
    inflater: &mut Decompress,
    input: &[u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<usize, Stop> {
    let start_in = inflater.total_in();
    let mut used = 0;
    loop {
        reserve(output, limit_bytes);
        let before = (used, output.len());
        let rest = input.get(used..).unwrap_or_default();
        let status = inflater
            .decompress_vec(rest, output, FlushDecompress::None)
            .map_err(|error| {
                let why = error.message().unwrap_or("broken deflate stream");
                Stop::Corrupt(format!("{why}, after {} bytes of output", output.len()))
            })?;
        used = usize::try_from(inflater.total_in() - start_in).unwrap_or(usize::MAX);
        if output.len() > limit_bytes {
            return Err(Stop::TooLarge);
        }
        if status == Status::StreamEnd {
            return Ok(used);
        }
        // There was room for output, so standing still means that input is missing.
        if before == (used, output.len()) {
            let why = format!(
                "truncated, the stream breaks off after {} bytes of output",
                output.len()
            );
            return Err(Stop::Corrupt(why));
        }
    }
}
