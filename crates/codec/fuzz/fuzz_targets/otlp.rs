//! OTLP's metrics in protobuf and JSON, with delta series that are added up.
#![no_main]

use std::time::Duration;

use codec::otlp::{Deltas, Options, Translation, decode, to_protobuf};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let options = Options {
        has_scope_labels: true,
        has_target_info: true,
        gateway: "g".to_owned(),
        ..Options::default()
    };
    let deltas = Deltas::new(1 << 16, Duration::from_secs(60));
    let translation = Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms: 1_700_000_000_000,
    };
    drop(decode(data, translation, 1000));
    // Again, onto the same sums.
    drop(decode(data, translation, 1000));
    if let Ok(body) = to_protobuf(data) {
        drop(decode(&body, translation, 1000));
    }
});
