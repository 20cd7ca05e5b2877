//! The decoders of `codec`, each with the limits that it is given in a gateway.

use std::time::Duration;

use bytes::Bytes;
use codec::catalogue::{Catalogue, Unknown};
use codec::datadog::Passed;
use codec::remote_write::{Version, receive};
use codec::{Decoded, Encoding};
use foldhash::quality::RandomState;
use model::{Limits, Refusal, Value, check_series};

const NOW_MS: i64 = 1_700_000_000_000;

/// The most that a compressed body may become here.
const INFLATED_BYTES: usize = 64 << 10;

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

fn check_with_catalogue<'a>(
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
            (plain, with) => assert_eq!(plain.is_ok(), with.is_ok(), "{plain:?}\n{with:?}"),
        }
    }
}

/// A body means the same with a catalogue that knows its series: JSON, remote write and OTLP.
pub(crate) fn catalogue(data: &[u8]) {
    let limits = Limits::default();
    check_with_catalogue(&codec::json::decode(data, 100), |catalogue| {
        codec::json::decode_with(data, 100, catalogue)
    });
    for version in [Version::V1, Version::V2] {
        check_with_catalogue(&receive::decode(version, data, &limits), |catalogue| {
            receive::decode_with(version, data, &limits, catalogue)
        });
    }
    let options = codec::otlp::Options {
        refuses_delta: true,
        has_scope_labels: true,
        ..codec::otlp::Options::default()
    };
    let deltas = codec::otlp::Deltas::new(1 << 20, Duration::from_secs(60));
    let translation = codec::otlp::Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms: NOW_MS,
    };
    check_with_catalogue(&codec::otlp::decode(data, translation, 100), |catalogue| {
        codec::otlp::decode_with(data, translation, 100, catalogue)
    });
    let options = codec::influx::Options {
        max_samples: 100,
        ..influx_options()
    };
    check_with_catalogue(&codec::influx::decode(data, &options), |catalogue| {
        codec::influx::decode_with(data, &options, catalogue)
    });
}

/// Bodies of Datadog's intake; the first byte says which.
pub(crate) fn datadog(data: &[u8]) {
    let Some((which, body)) = data.split_first() else {
        return;
    };
    let options = codec::datadog::Options {
        now_ms: NOW_MS,
        max_samples: 1000,
    };
    drop(match which % 6 {
        0 => codec::datadog::decode_v1(body, options),
        1 => codec::datadog::decode_v2_json(body, options),
        2 => codec::datadog::decode_v2_protobuf(body, options),
        3 => codec::datadog::decode_sketches(body, options),
        4 => codec::datadog::decode_distributions(body, options),
        _ => codec::datadog::pass(body, Passed::Intake, 1000),
    });
}

/// Bodies of Prometheus' protobuf exposition.
pub(crate) fn exposition_protobuf(data: &[u8]) {
    drop(codec::exposition_protobuf::decode(data, NOW_MS, 1000));
}

/// Compressed bodies: whatever they hold, the result stays within its limit.
pub(crate) fn inflate(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    for encoding in [
        Encoding::Gzip,
        Encoding::Deflate,
        Encoding::Zstd,
        Encoding::SnappyFramed,
        Encoding::Snappy,
    ] {
        if let Ok(inflated) = codec::inflate(encoding, &body, INFLATED_BYTES) {
            assert!(inflated.len() <= INFLATED_BYTES);
        }
    }
}

fn influx_options() -> codec::influx::Options<'static> {
    use codec::influx::{Booleans, Options, Precision, Strings};

    Options {
        precision: Precision::Auto,
        now_ms: NOW_MS,
        separator: "_",
        strings: Strings::Skip,
        booleans: Booleans::Number,
        label: Some(("db", "telegraf")),
        max_samples: 1000,
        max_metric_name_bytes: 100,
    }
}

/// InfluxDB line protocol, with every unit of timestamps.
pub(crate) fn influx(data: &[u8]) {
    use codec::influx::{Booleans, Options, Precision, Strings, decode};

    let options = influx_options();
    drop(decode(data, &options));
    let options = Options {
        precision: Precision::Nanosecond,
        strings: Strings::Refuse,
        booleans: Booleans::Skip,
        label: None,
        ..options
    };
    drop(decode(data, &options));
}

/// Bodies of the JSON push API.
pub(crate) fn json(data: &[u8]) {
    drop(codec::json::decode(data, 1000));
}

/// Bodies of `OpenTSDB`'s put, and the points that an answer repeats of them.
pub(crate) fn opentsdb(data: &[u8]) {
    drop(codec::opentsdb::decode(data, 1000));
    drop(codec::opentsdb::raw_points(data, &[0, 1, 7]));
}

/// OTLP's metrics in protobuf and JSON, with delta series that are added up.
pub(crate) fn otlp(data: &[u8]) {
    use codec::otlp::{Deltas, Options, Translation, decode, to_protobuf};

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
        now_ms: NOW_MS,
    };
    drop(decode(data, translation, 1000));
    // Again, onto the same sums.
    drop(decode(data, translation, 1000));
    if let Ok(body) = to_protobuf(data) {
        drop(decode(&body, translation, 1000));
    }
}

/// Records of the buffer, in either format.
pub(crate) fn record(data: &[u8]) {
    let value = Bytes::copy_from_slice(data);
    let protobuf = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";
    for content_type in [Some(&protobuf[..]), Some(&b"application/json"[..]), None] {
        drop(codec::record::decode(content_type, &value));
    }
}

/// Pushed remote write of both versions, and the native histograms in it.
pub(crate) fn remote_write(data: &[u8]) {
    let limits = model::Limits::default();
    for version in [Version::V1, Version::V2] {
        drop(receive::decode(version, data, &limits));
    }
    if codec::native::check(data).is_ok() {
        assert!(codec::native::classic(data).is_some());
    }
}

/// Snappy blocks: whatever they hold, the result stays within its limit.
pub(crate) fn snappy(data: &[u8]) {
    if let Ok(inflated) = codec::snappy::decompress(data, INFLATED_BYTES) {
        assert!(inflated.len() <= INFLATED_BYTES);
    }
}

/// Packets of StatsD and DogStatsD.
pub(crate) fn statsd(data: &[u8]) {
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
}

/// Bodies of Prometheus' text exposition and of OpenMetrics.
pub(crate) fn text(data: &[u8]) {
    use codec::text::{Dialect, Options, decode};

    for dialect in [Dialect::Text, Dialect::OpenMetrics] {
        let options = Options {
            dialect,
            now_ms: NOW_MS,
        };
        drop(decode(data, &options, 1000));
    }
}

/// Lines of `VictoriaMetrics`' import.
pub(crate) fn victoria_json(data: &[u8]) {
    drop(codec::victoria_json::decode(data, 1000));
}

/// The bytes of refused objects, for their receipts: always bytes of the body.
pub(crate) fn parts(data: &[u8]) {
    let wanted = [0, 1, 5];
    let within = data.as_ptr_range();
    for (index, part) in codec::parts::lines(data, &wanted)
        .into_iter()
        .chain(codec::parts::elements(data, &wanted))
        .chain(codec::parts::series(data, &wanted))
    {
        assert!(wanted.contains(&index));
        let of_part = part.as_ptr_range();
        assert!(part.is_empty() || (within.start <= of_part.start && of_part.end <= within.end));
    }
}
