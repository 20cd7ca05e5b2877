//! Bodies of Datadog's intake; the first byte says which.
#![no_main]

use codec::datadog::{self, Options, Passed};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else {
        return;
    };
    let options = Options {
        now_ms: 1_700_000_000_000,
        max_samples: 1000,
    };
    drop(match which % 6 {
        0 => datadog::decode_v1(body, options),
        1 => datadog::decode_v2_json(body, options),
        2 => datadog::decode_v2_protobuf(body, options),
        3 => datadog::decode_sketches(body, options),
        4 => datadog::decode_distributions(body, options),
        _ => datadog::pass(body, Passed::Intake, 1000),
    });
});
