//! Bodies of Prometheus' text exposition and of OpenMetrics.
#![no_main]

use codec::text::{Dialect, Options, decode};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for dialect in [Dialect::Text, Dialect::OpenMetrics] {
        let options = Options {
            dialect,
            now_ms: 1_700_000_000_000,
        };
        drop(decode(data, &options, 1000));
    }
});
