//! A body means the same with a catalogue that knows its series: JSON, remote write and OTLP.
#![no_main]

use std::time::Duration;

use codec::catalogue::{Catalogue, Unknown};
use codec::otlp::{Deltas, Options, Translation};
use codec::remote_write::{Version, receive};
use codec::{Decoded, json, otlp};
use foldhash::quality::RandomState;
use model::{Limits, Refusal, Value, check_series};

const NOW_MS: i64 = 1_700_000_000_000;

/// What senders and ledgers see of a body: each sample, the refusals, and what was passed over.
type Seen = (Vec<(u32, i64, i64, u64)>, Vec<(u32, String)>, u32);

fn seen(decoded: &Decoded<'_>) -> Seen {
    let samples = decoded.batch.samples().iter().map(|sample| {
        let bits = match sample.value {
            Value::Float(value) => value.to_bits(),
            Value::Histogram(_) => 1,
            Value::Exemplar(_) => 2,
        };
        (sample.index, sample.at_ms, sample.start_ms, bits)
    });
    let refused = decoded.refused.iter();
    let refused = refused.map(|refused| (refused.index, refused.refusal.message.clone()));
    (samples.collect(), refused.collect(), decoded.objects)
}

fn learn(catalogue: &mut Catalogue, decoded: &mut Decoded<'_>) {
    decoded.batch.sort_labels();
    let batch = &decoded.batch;
    let is_good = |unknown: &&Unknown<'_>| {
        batch.series(unknown.series).is_some_and(|series| {
            check_series(series, batch.labels(series), &Limits::default()).is_ok()
        })
    };
    let good: Vec<Unknown<'_>> = decoded.unknown.iter().filter(is_good).copied().collect();
    catalogue.learn(batch, &good);
}

fn check<'a>(
    plain: &Result<Decoded<'a>, Refusal>,
    decode: impl Fn(&Catalogue) -> Result<Decoded<'a>, Refusal>,
) {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    for _ in 0..3 {
        match (plain, decode(&catalogue)) {
            (Ok(plain), Ok(mut with)) => {
                assert_eq!(seen(&with), seen(plain));
                learn(&mut catalogue, &mut with);
            }
            (Err(plain), Err(with)) => assert_eq!(*plain, with),
            (plain, with) => panic!("{plain:?}\n{with:?}"),
        }
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    check(&json::decode(data, 100), |catalogue| {
        json::decode_with(data, 100, catalogue)
    });
    for version in [Version::V1, Version::V2] {
        check(&receive::decode(version, data, &limits), |catalogue| {
            receive::decode_with(version, data, &limits, catalogue)
        });
    }
    let options = Options {
        refuses_delta: true,
        has_scope_labels: true,
        ..Options::default()
    };
    let deltas = Deltas::new(1 << 20, Duration::from_secs(60));
    let translation = Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms: NOW_MS,
    };
    check(&otlp::decode(data, translation, 100), |catalogue| {
        otlp::decode_with(data, translation, 100, catalogue)
    });
});
