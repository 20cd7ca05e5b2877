//! Bodies of the JSON push API.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drop(codec::json::decode(data, 1000));
});
