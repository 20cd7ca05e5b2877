//! Packets of StatsD and DogStatsD.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    codec::statsd::decode(data, |_, found| {
        if let codec::statsd::Found::Sample(sample) = found {
            assert!(
                sample
                    .reading
                    .numbers()
                    .all(|number| number.value.is_finite())
            );
            assert!(sample.tags.iter().all(|(name, _)| !name.is_empty()));
        }
    });
});
