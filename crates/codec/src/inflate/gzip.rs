//! Gzip: every member, checksums, and the padding zeros that tape-minded writers append.

use bytes::Bytes;
use flate2::{Crc, Decompress};

use super::deflate::{Stop, stream};
use super::{Encoding, FIRST_CHUNK_MAX, InflateError};

const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

pub(super) fn inflate(body: &[u8], limit_bytes: usize) -> Result<Bytes, InflateError> {
    if let Some(output) = whole(body, limit_bytes) {
        return Ok(output);
    }
    members(body, limit_bytes).map_err(|stop| stop.into_error(Encoding::Gzip, limit_bytes))
}

/// Inflates a body of one member at once into a buffer of the size that its trailer claims, which takes a third of
/// the time. `None` whenever anything is not as that member should be: then it is looked at step by step.
fn whole(body: &[u8], limit_bytes: usize) -> Option<Bytes> {
    let (_, [c0, c1, c2, c3, s0, s1, s2, s3]) = body.split_last_chunk::<8>()?;
    let size = usize::try_from(u32::from_le_bytes([*s0, *s1, *s2, *s3])).ok()?;
    let is_possible = size
        <= limit_bytes
            .min(FIRST_CHUNK_MAX)
            .min(body.len().saturating_mul(1032));
    let stream = after_header(body).ok().filter(|_| is_possible)?;
    // The inflater does not say where a member ends, and nothing behind it may be passed over. It does see to it that
    // this member's trailer stands there; so where that is what the body ends with, and stands nowhere else, nothing is.
    let trailer = [*c0, *c1, *c2, *c3, *s0, *s1, *s2, *s3];
    if memchr::memmem::find(stream, &trailer)? + trailer.len() != stream.len() {
        return None;
    }
    let mut output = vec![0; size];
    let mut inflater = libdeflater::Decompressor::new();
    let inflated = inflater.gzip_decompress(body, &mut output).ok()?;
    let is_whole =
        inflated == size && libdeflater::crc32(&output) == u32::from_le_bytes([*c0, *c1, *c2, *c3]);
    is_whole.then(|| output.into())
}

fn members(body: &[u8], limit_bytes: usize) -> Result<Bytes, Stop> {
    let mut output = Vec::with_capacity(size_hint(body, limit_bytes));
    // One inflater for all members: an empty member of 20 bytes must not cost a new window.
    let mut inflater = Decompress::new(false);
    let mut rest = body;
    let mut number = 0_usize;
    loop {
        number += 1;
        rest =
            member(&mut inflater, rest, &mut output, limit_bytes).map_err(|stop| match stop {
                Stop::Corrupt(why) if number > 1 => {
                    Stop::Corrupt(format!("member {number}: {why}"))
                }
                stop => stop,
            })?;
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(output.into());
        }
        if !rest.starts_with(&[0x1f, 0x8b]) {
            let why = format!(
                "{} bytes follow the end of the last member and are not another one",
                rest.len()
            );
            return Err(Stop::Corrupt(why));
        }
        inflater.reset(false);
    }
}

/// The size that the last member claims (modulo 2^32). Right for one member, and only a hint: it is
/// never trusted beyond a first chunk.
fn size_hint(body: &[u8], limit_bytes: usize) -> usize {
    let claimed = body
        .last_chunk::<4>()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes));
    // A byte more, so that the end of the stream can be read without growing.
    let claimed = usize::try_from(claimed)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    claimed
        .min(limit_bytes.saturating_add(1))
        .min(FIRST_CHUNK_MAX)
        // Deflate makes at most 1032 bytes of one.
        .min(body.len().saturating_mul(1032))
}

/// Inflates one member and answers what follows it.
fn member<'a>(
    inflater: &mut Decompress,
    input: &'a [u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<&'a [u8], Stop> {
    let input = after_header(input)?;
    let start = output.len();
    let used = stream(inflater, input, output, limit_bytes)?;
    let trailer = input.get(used..).unwrap_or_default();
    let Some((checks, rest)) = trailer.split_first_chunk::<8>() else {
        return Err(truncated("in the trailer"));
    };
    let [c0, c1, c2, c3, s0, s1, s2, s3] = *checks;
    let mut crc = Crc::new();
    crc.update(output.get(start..).unwrap_or_default());
    if crc.sum() != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(Stop::Corrupt("the checksum does not match".to_owned()));
    }
    if crc.amount() != u32::from_le_bytes([s0, s1, s2, s3]) {
        return Err(Stop::Corrupt(
            "the length in the trailer does not match".to_owned(),
        ));
    }
    Ok(rest)
}

fn after_header(input: &[u8]) -> Result<&[u8], Stop> {
    let in_header = || truncated("in the header");
    match input {
        [] => return Err(Stop::Corrupt("truncated, the body is empty".to_owned())),
        [0x1f] | [0x1f, 0x8b] => return Err(in_header()),
        [0x1f, 0x8b, 8, ..] => {}
        [0x1f, 0x8b, method, ..] => {
            return Err(Stop::Corrupt(format!(
                "unknown compression method {method}"
            )));
        }
        _ => {
            let why = "it does not start with the gzip magic 1f 8b; is it compressed at all?";
            return Err(Stop::Corrupt(why.to_owned()));
        }
    }
    // Magic, method, flags, mtime, extra flags, operating system.
    let (fixed, mut rest) = input.split_first_chunk::<10>().ok_or_else(in_header)?;
    let flags = fixed[3];
    if flags & RESERVED != 0 {
        return Err(Stop::Corrupt("reserved header flags are set".to_owned()));
    }
    if flags & FEXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(in_header)?;
        let length = usize::from(u16::from_le_bytes(*length));
        rest = after.get(length..).ok_or_else(in_header)?;
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            let end = rest
                .iter()
                .position(|byte| *byte == 0)
                .ok_or_else(in_header)?;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
    if flags & FHCRC != 0 {
        let (claimed, after) = rest.split_first_chunk::<2>().ok_or_else(in_header)?;
        let mut crc = Crc::new();
        crc.update(input.get(..input.len() - rest.len()).unwrap_or_default());
        if crc.sum() & 0xffff != u32::from(u16::from_le_bytes(*claimed)) {
            return Err(Stop::Corrupt(
                "the header's checksum does not match".to_owned(),
            ));
        }
        rest = after;
    }
    Ok(rest)
}

fn truncated(place: &str) -> Stop {
    Stop::Corrupt(format!("truncated, the body breaks off {place}"))
}
