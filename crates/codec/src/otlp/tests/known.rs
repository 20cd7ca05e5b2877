//! With and without a catalogue, requests mean the same.

use foldhash::quality::RandomState;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value as Json, json};

use super::*;
use crate::catalogue::Catalogue;
use crate::catalogue::tests::check_same;
use crate::otlp::decode_with;

fn check(catalogue: &mut Catalogue, body: &[u8]) -> usize {
    let options = Options {
        has_scope_labels: true,
        ..options()
    };
    let deltas = deltas();
    let translation = Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms: NOW_MS,
    };
    check_same(catalogue, decode(body, translation, 10_000), |catalogue| {
        decode_with(body, translation, 10_000, catalogue)
    })
}

/// A data point: attributes, value, and how long after the others it is.
type Sent = (Vec<(&'static str, String)>, f64, u64);

fn points() -> impl Strategy<Value = Vec<Sent>> {
    let key = prop::sample::select(vec!["host", "le", "a.b", "1", "instance"]);
    let attributes = prop::collection::vec((key, "[xy]{0,1}"), 0..3);
    prop::collection::vec((attributes, -1e9..1e9, 0..5_u64), 0..5)
}

fn metric() -> impl Strategy<Value = Json> {
    let name = prop::sample::select(vec!["cpu.time", "m", "", "__"]);
    let unit = prop::sample::select(vec!["", "s", "By"]);
    (name, unit, 0..4_u8, points()).prop_map(|(name, unit, kind, points)| {
        let points: Vec<Json> = points
            .iter()
            .map(|(attributes, value, at)| {
                let attributes: Vec<Json> = attributes
                    .iter()
                    .map(|(key, value)| attribute(key, value))
                    .collect();
                let mut point = json!({
                    "timeUnixNano": (1_700_000_000_000_000_000 + at).to_string(),
                    "startTimeUnixNano": (1_600_000_000_000_000_000 + at).to_string(),
                    "asDouble": value,
                    "attributes": attributes,
                });
                if *at == 4 {
                    point["flags"] = json!(1);
                }
                point
            })
            .collect();
        let data = json!({"dataPoints": points, "aggregationTemporality": 2, "isMonotonic": kind == 1});
        if kind < 2 {
            json!({"name": name, "unit": unit, "sum": data})
        } else {
            json!({"name": name, "unit": unit, "description": "help", "gauge": {"dataPoints": points}})
        }
    })
}

/// Without a resource.
fn bare(body: &[u8]) -> Vec<u8> {
    let mut request = messages::Request::decode(body).unwrap();
    for metrics in &mut request.resource_metrics {
        metrics.resource = None;
    }
    request.encode_to_vec()
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let service = prop::sample::select(vec!["a", "b"]);
    (service, prop::collection::vec(metric(), 0..4)).prop_map(|(service, metrics)| {
        in_order(&request(
            &json!([attribute("service.name", service)]),
            &json!(metrics),
        ))
    })
}

/// With the fields in the order that encoders have them: by number.
fn in_order(body: &[u8]) -> Vec<u8> {
    messages::Request::decode(body).unwrap().encode_to_vec()
}

proptest! {
    #[test]
    fn series_that_come_again_are_what_they_were(bodies in prop::collection::vec(body(), 1..5)) {
        let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
        for body in bodies.iter().chain(&bodies) {
            check(&mut catalogue, body);
        }
    }

    #[test]
    fn a_known_body_that_is_damaged_is_what_it_was(
        mut body in body(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
        check(&mut catalogue, &body);
        check(&mut catalogue, &body);
        for (at, change) in &changes {
            let at = at.index(body.len());
            body[at] = *change;
        }
        check(&mut catalogue, &body);
    }
}

#[test]
fn what_a_sender_repeats_is_found() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let body = |value: f64| {
        let points: Vec<Json> = ["a", "b", "c"]
            .map(|host| {
                json!({"timeUnixNano": AT_NS, "startTimeUnixNano": START_NS, "asDouble": value,
                    "attributes": [attribute("host", host)]})
            })
            .to_vec();
        let sum = json!({"dataPoints": points, "aggregationTemporality": 2, "isMonotonic": true});
        let metrics = json!([{"name": "requests", "sum": sum}, {"name": "load", "gauge": {"dataPoints": points}}]);
        in_order(&request(
            &json!([attribute("service.name", "shop")]),
            &metrics,
        ))
    };
    // The resource's own series is not looked for.
    assert_eq!(check(&mut catalogue, &body(1.0)), 0);
    assert_eq!(check(&mut catalogue, &body(2.0)), 6);
    assert_eq!(check(&mut catalogue, &bare(&body(3.0))), 0);
    assert_eq!(check(&mut catalogue, &bare(&body(4.0))), 6);
}

#[test]
fn a_metric_without_points_is_read_all_the_same() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let metrics = json!([{"name": "NAME", "gauge": {"dataPoints": []}}]);
    let mut body = in_order(&request(&json!([attribute("a", "b")]), &metrics));
    check(&mut catalogue, &body);
    let at = memchr::memmem::find(&body, b"NAME").unwrap();
    body[at] = 0xff;
    check(&mut catalogue, &body);
}

#[test]
fn a_series_whose_help_is_too_long_is_counted_each_time() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let points = json!([{"timeUnixNano": AT_NS, "asDouble": 1.0}]);
    let metrics = json!([
        {"name": "a", "description": "too long", "gauge": {"dataPoints": points}},
        {"name": "b", "description": "short", "gauge": {"dataPoints": points}},
    ]);
    let body = in_order(&request(&json!([attribute("a", "b")]), &metrics));
    let options = Options {
        has_scope_labels: true,
        ..options()
    };
    let deltas = deltas();
    let translation = Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms: NOW_MS,
    };
    for known in [0, 1] {
        let mut decoded = decode_with(&body, translation, 10_000, &catalogue).unwrap();
        decoded.drop_long_metadata(6);
        assert_eq!(decoded.ignored, [(crate::Ignored::Metadata, 1)]);
        let samples = decoded.batch.samples().iter();
        assert_eq!(samples.filter(|it| it.known().is_some()).count(), known);
        catalogue.learn(&decoded.batch, &decoded.unknown);
    }
}
