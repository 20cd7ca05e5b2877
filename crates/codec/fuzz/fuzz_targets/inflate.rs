//! Compressed bodies: whatever they hold, the result stays within its limit.
#![no_main]

use bytes::Bytes;
use codec::{Encoding, inflate};

const LIMIT_BYTES: usize = 64 << 10;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let body = Bytes::copy_from_slice(data);
    for encoding in [
        Encoding::Gzip,
        Encoding::Deflate,
        Encoding::Zstd,
        Encoding::SnappyFramed,
    ] {
        if let Ok(inflated) = inflate(encoding, &body, LIMIT_BYTES) {
            assert!(inflated.len() <= LIMIT_BYTES);
        }
    }
});
