//! Whatever the bytes are: no panic, and JSON never grows.

use proptest::prelude::*;
use prost::Message as _;

use super::bodies::{JSON, encoded};
use super::*;

fn read(body: &[u8]) {
    let options = Options {
        has_scope_labels: true,
        has_target_info: true,
        ..options()
    };
    let deltas = deltas();
    let translation = Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms: NOW_MS,
    };
    drop(decode(body, translation, 1000));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&body);
        drop(to_protobuf(&body));
    }

    #[test]
    fn mutated_bodies_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut body = encoded().encode_to_vec();
        let position = at.index(body.len());
        body[position] = byte;
        read(&body);
        read(&body[..cut.index(body.len())]);
        let mut json = JSON.as_bytes().to_vec();
        let position = at.index(json.len());
        json[position] = byte;
        if let Ok(body) = to_protobuf(&json) {
            prop_assert!(body.len() <= json.len());
            read(&body);
        }
    }

    #[test]
    fn numbers_come_back_as_they_were(value in any::<f64>(), int in any::<i64>(), at_ms in 1_000_000_000_000_i64..4_000_000_000_000) {
        let mut request = encoded();
        let points = &mut request.resource_metrics[0].scope_metrics[0].metrics[0].sum.as_mut().unwrap().data_points;
        points[0].at = u64::try_from(at_ms).unwrap() * 1_000_000;
        points[0].as_int = None;
        points[0].as_double = Some(value);
        let mut second = points[0].clone();
        (second.as_double, second.as_int) = (None, Some(int));
        points.push(second);
        let body = request.encode_to_vec();
        let decoded = translate(&body, &options(), &deltas());
        let samples = decoded.batch.samples();
        let Value::Float(found) = samples[0].value else { panic!("a float") };
        prop_assert_eq!(found.to_bits(), value.to_bits());
        prop_assert_eq!(samples[0].at_ms, at_ms);
        prop_assert_eq!(samples[1].value, Value::Float(int as f64));
    }
}
