//! InfluxDB line protocol, with every unit of timestamps.
#![no_main]

use codec::influx::{Booleans, Options, Precision, Strings, decode};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let options = Options {
        precision: Precision::Auto,
        now_ms: 1_700_000_000_000,
        separator: "_",
        strings: Strings::Skip,
        booleans: Booleans::Number,
        label: Some(("db", "telegraf")),
        max_samples: 1000,
        max_metric_name_bytes: 100,
    };
    drop(decode(data, &options));
    let options = Options {
        precision: Precision::Nanosecond,
        strings: Strings::Refuse,
        booleans: Booleans::Skip,
        label: None,
        ..options
    };
    drop(decode(data, &options));
});
