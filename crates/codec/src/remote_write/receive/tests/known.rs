//! With and without a catalogue, requests mean the same.

use foldhash::quality::RandomState;
use proptest::prelude::*;

use super::*;
use crate::catalogue::Catalogue;
use crate::catalogue::tests::check_same;

fn check(catalogue: &mut Catalogue, version: Version, body: &[u8]) -> usize {
    let limits = Limits::default();
    check_same(catalogue, decode(version, body, &limits), |catalogue| {
        decode_with(version, body, &limits, catalogue)
    })
}

/// A series of few that there are: its labels, sorted or not, and its values.
type Sent = (Vec<(String, String)>, Vec<(f64, i64)>);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let name = prop::sample::select(vec!["__name__", "a", "B", "host"]).prop_map(str::to_owned);
    let labels = prop::collection::vec((name, "[xy]{0,1}"), 0..4);
    let values = prop::collection::vec((-1e9..1e9, 0..1_i64 << 41), 0..3);
    prop::collection::vec((labels, values), 0..6)
}

fn body(version: Version, sent: &[Sent]) -> Vec<u8> {
    match version {
        Version::V1 => {
            let series = |(labels, values): &Sent| v1::TimeSeries {
                labels: labels
                    .iter()
                    .map(|(name, value)| label(name, value))
                    .collect(),
                samples: values
                    .iter()
                    .map(|(value, at_ms)| sample(*value, *at_ms))
                    .collect(),
                ..v1::TimeSeries::default()
            };
            of_series(sent.iter().map(series).collect())
        }
        Version::V2 => {
            let mut request = Request::default();
            for (labels, values) in sent {
                let labels: Vec<(&str, &str)> = labels
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                request.series(&labels).samples = values
                    .iter()
                    .map(|(value, at_ms)| point(*value, *at_ms, at_ms % 3))
                    .collect();
            }
            request.body()
        }
    }
}

proptest! {
    #[test]
    fn series_that_come_again_are_what_they_were(bodies in prop::collection::vec(sent(), 1..6)) {
        for version in [Version::V1, Version::V2] {
            let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
            for sent in &bodies {
                check(&mut catalogue, version, &body(version, sent));
            }
        }
    }

    #[test]
    fn a_known_body_that_is_damaged_is_what_it_was(
        sent in sent(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        for version in [Version::V1, Version::V2] {
            let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
            let mut body = body(version, &sent);
            check(&mut catalogue, version, &body);
            check(&mut catalogue, version, &body);
            for (at, change) in &changes {
                if !body.is_empty() {
                    let at = at.index(body.len());
                    body[at] = *change;
                }
            }
            check(&mut catalogue, version, &body);
        }
    }
}

#[test]
fn what_a_sender_repeats_is_found() {
    let series = |number: u32| -> Sent {
        let labels = [
            ("__name__", "up".to_owned()),
            ("host", format!("h{number}")),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value));
        (
            labels.to_vec(),
            vec![(f64::from(number), 1_700_000_000_000)],
        )
    };
    for version in [Version::V1, Version::V2] {
        let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
        let sent: Vec<Sent> = (0..20).map(series).collect();
        assert_eq!(check(&mut catalogue, version, &body(version, &sent)), 0);
        assert_eq!(check(&mut catalogue, version, &body(version, &sent)), 20);
        let others: Vec<Sent> = (10..30).map(series).collect();
        assert_eq!(check(&mut catalogue, version, &body(version, &others)), 10);
        assert_eq!(check(&mut catalogue, version, &body(version, &others)), 20);
    }
}

#[test]
fn who_says_nothing_of_a_series_does_not_say_the_first_symbol() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let request = |symbols: [&str; 4], metadata| {
        encoded(&v2::Request {
            symbols: symbols.map(str::to_owned).to_vec(),
            timeseries: vec![v2::TimeSeries {
                labels_refs: vec![1, 2],
                samples: vec![point(1.0, 1_700_000_000_000, 0)],
                metadata,
                ..v2::TimeSeries::default()
            }],
        })
    };
    let metadata = v2::Metadata {
        help_ref: 3,
        unit_ref: 3,
        ..v2::Metadata::default()
    };
    let described = request(["", "__name__", "up", "x"], Some(metadata));
    assert_eq!(check(&mut catalogue, Version::V2, &described), 0);
    assert_eq!(check(&mut catalogue, Version::V2, &described), 1);
    let silent = request(["x", "__name__", "up", ""], None);
    assert_eq!(check(&mut catalogue, Version::V2, &silent), 0);
    assert_eq!(check(&mut catalogue, Version::V2, &silent), 1);
}

#[test]
fn what_is_never_found_is_taught_once() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let labels = [("zone", "z"), ("__name__", "up"), ("empty", "")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = body(Version::V2, &[(labels.to_vec(), vec![(1.0, 1)])]);
    assert_eq!(check(&mut catalogue, Version::V2, &body), 0);
    assert_eq!(catalogue.len(), 1);
    let limits = Limits::default();
    let mut decoded = decode_with(Version::V2, &body, &limits, &catalogue).unwrap();
    decoded.batch.sort_labels();
    let is_news = |unknown| catalogue.is_news(&decoded.batch, unknown);
    assert!(!decoded.unknown.iter().any(is_news));
}

#[test]
fn a_series_of_long_texts_is_not_taught() {
    let catalogue = Catalogue::new(1 << 20, RandomState::default());
    for (bytes, is_news) in [(100, true), (1000, false)] {
        let label = |at: u8| (format!("label_{at}"), "x".repeat(bytes));
        let name = ("__name__".to_owned(), "up".to_owned());
        let labels = std::iter::once(name).chain((0..20).map(label));
        let body = body(Version::V2, &[(labels.collect(), vec![(1.0, 1)])]);
        let decoded = decode_with(Version::V2, &body, &Limits::default(), &catalogue).unwrap();
        let [unknown] = decoded.unknown.as_slice() else {
            panic!("{:?}", decoded.unknown);
        };
        assert_eq!(catalogue.is_news(&decoded.batch, unknown), is_news);
    }
}
