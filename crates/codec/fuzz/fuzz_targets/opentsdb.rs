//! Bodies of `OpenTSDB`'s put, and the points that an answer repeats of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drop(codec::opentsdb::decode(data, 1000));
    drop(codec::opentsdb::raw_points(data, &[0, 1, 7]));
});
