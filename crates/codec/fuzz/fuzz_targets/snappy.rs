//! Snappy blocks: whatever they hold, the result stays within its limit.
#![no_main]

const LIMIT_BYTES: usize = 64 << 10;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(inflated) = codec::snappy::decompress(data, LIMIT_BYTES) {
        assert!(inflated.len() <= LIMIT_BYTES);
    }
});
