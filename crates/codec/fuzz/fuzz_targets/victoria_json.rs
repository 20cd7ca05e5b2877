//! Lines of `VictoriaMetrics`' import.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let extra = [("a".to_owned(), "b".to_owned())];
    drop(codec::victoria_json::decode(data, &extra, 1000));
});
