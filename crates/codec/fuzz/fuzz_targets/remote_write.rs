//! Pushed remote write of both versions, and the native histograms in it.
#![no_main]

use codec::remote_write::{Version, receive};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limits = model::Limits::default();
    for version in [Version::V1, Version::V2] {
        drop(receive::decode(version, data, &limits));
    }
    if codec::native::check(data).is_ok() {
        assert!(codec::native::classic(data).is_some());
    }
});
