//! Any bytes are survived, and what one end encodes the other reads.

use model::{MetricType, Point};
use proptest::prelude::*;

use super::*;

/// A metric name, a label value, and values at times.
type Sent = (String, String, Vec<(f64, i64)>);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    // The library that encodes here loses the sign of zero.
    let value = any::<f64>().prop_map(|value| if value == 0.0 { 0.0 } else { value });
    let values = prop::collection::vec((value, any::<i64>()), 1..4);
    prop::collection::vec(("[a-z]{1,4}", "\\PC{1,6}", values), 0..8)
}

fn v1_body(sent: &[Sent]) -> Vec<u8> {
    let series = |(name, host, values): &Sent| v1::TimeSeries {
        labels: vec![label("__name__", name), label("host", host)],
        samples: values
            .iter()
            .map(|(value, at_ms)| sample(*value, *at_ms))
            .collect(),
        ..v1::TimeSeries::default()
    };
    of_series(sent.iter().map(series).collect())
}

fn v2_body(sent: &[Sent]) -> Vec<u8> {
    let mut request = Request::default();
    for (name, host, values) in sent {
        request
            .series(&[("__name__", name), ("host", host)])
            .samples = values
            .iter()
            .map(|(value, at_ms)| point(*value, *at_ms, 0))
            .collect();
    }
    request.body()
}

/// Names, label values and samples by their bits.
fn read(decoded: &Decoded<'_>) -> Vec<(String, String, u64, i64)> {
    let batch = &decoded.batch;
    batch
        .samples()
        .iter()
        .map(|sample| {
            let series = batch.series(sample.series).unwrap();
            let host = batch.labels(series)[0].value.to_string();
            let Value::Float(value) = sample.value else {
                panic!("only floats were sent");
            };
            (series.name.to_string(), host, value.to_bits(), sample.at_ms)
        })
        .collect()
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(sent in sent()) {
        let expected: Vec<_> = sent
            .iter()
            .flat_map(|(name, host, values)| {
                values.iter().map(|(value, at_ms)| (name.clone(), host.clone(), value.to_bits(), *at_ms))
            })
            .collect();
        prop_assert_eq!(read(&v1_of(&v1_body(&sent))), expected.clone());
        prop_assert_eq!(read(&v2_of(&v2_body(&sent))), expected);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for version in [Version::V1, Version::V2] {
            drop(decode(version, &bytes, &limits()));
        }
    }

    #[test]
    fn good_bodies_with_other_bytes_in_them_never_panic(
        sent in sent(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        for (version, mut body) in [(Version::V1, v1_body(&sent)), (Version::V2, v2_body(&sent))] {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
            drop(decode(version, &body, &limits()));
        }
    }

    #[test]
    fn what_a_stores_client_encodes_is_decoded(values in prop::collection::vec(-1e9..1e9, 1..9)) {
        let mut builder = crate::record::RecordBuilder::new("up");
        let points = (0_i64..).zip(&values).map(|(at_ms, value)| Point { at_ms, value: *value, start_ms: 0 });
        builder.push([("host", "a")], MetricType::Gauge, "", "", points);
        let body = builder.finish();
        let decoded = v2_of(&body);
        let found: Vec<u64> = read(&decoded).into_iter().map(|(_, _, bits, _)| bits).collect();
        let expected: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(decoded.batch.all_series()[0].kind, MetricType::Gauge);
    }
}
