//! Lines of `VictoriaMetrics`' import.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drop(codec::victoria_json::decode(data, 1000));
});
