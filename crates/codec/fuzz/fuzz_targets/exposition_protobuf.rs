//! Bodies of Prometheus' protobuf exposition.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drop(codec::exposition_protobuf::decode(
        data,
        1_700_000_000_000,
        1000,
    ));
});
