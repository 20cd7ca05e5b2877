//! Everything that a batch holds is in the request.

use std::collections::BTreeMap;

use codec::wire::{v1, v2};
use model::MetricType;
use prost::Message as _;

use super::super::encode::Encoders;
use super::super::{Names, Version};
use super::{Batch, Config, Lane, Receiver, Series, store};
use crate::{Item, Write as _, WriteError};

const AT_MS: i64 = 1_700_000_000_000;

/// The bits of a stale marker, which a store must get as they are.
const STALE: u64 = 0x7ff0_0000_0000_0002;

fn native() -> v1::Histogram {
    v1::Histogram {
        sum: 1.5,
        schema: 3,
        zero_threshold: 1e-128,
        positive_spans: vec![v1::BucketSpan {
            offset: -2,
            length: 2,
        }],
        positive_deltas: vec![1, 2],
        timestamp: AT_MS + 2,
        ..v1::Histogram::default()
    }
}

fn batch() -> Batch {
    let mut requests = Series::new(
        "http_requests_total",
        &[("code", "200"), ("path", "/ä")],
        &[(AT_MS, 1.0), (AT_MS + 1000, f64::from_bits(STALE))],
    );
    requests.kind = MetricType::Counter;
    requests.help = "Requests.".to_owned();
    requests.exemplars = vec![(AT_MS, 0.25)];
    let native = Series {
        name: "latency_seconds".to_owned(),
        histograms: vec![(AT_MS + 2, native().encode_to_vec())],
        kind: MetricType::Histogram,
        ..Series::default()
    };
    let mut part = Series::new(
        "up",
        &[],
        &[(AT_MS, 1.0), (AT_MS + 1, 2.0), (AT_MS + 2, 3.0)],
    );
    part.exemplars = vec![(AT_MS, 1.0)];
    let mut part = part.at(0, 3);
    part.samples = 1..2;
    Batch {
        lane: Lane::Series(0),
        items: vec![requests.at(0, 0), native.at(0, 1), part],
    }
}

type Labels = Vec<(String, String)>;

/// What matters of a series, of either version.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    labels: Labels,
    samples: Vec<(i64, u64)>,
    histograms: Vec<v1::Histogram>,
    exemplars: Vec<(i64, u64, Labels)>,
}

fn pairs(of: &[(&str, &str)]) -> Labels {
    of.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn expected() -> Vec<Seen> {
    vec![
        Seen {
            labels: pairs(&[
                ("__name__", "http_requests_total"),
                ("code", "200"),
                ("path", "/ä"),
            ]),
            samples: vec![(AT_MS, 1.0_f64.to_bits()), (AT_MS + 1000, STALE)],
            exemplars: vec![(AT_MS, 0.25_f64.to_bits(), pairs(&[("trace_id", "abc")]))],
            ..Seen::default()
        },
        Seen {
            labels: pairs(&[("__name__", "latency_seconds")]),
            histograms: vec![native()],
            ..Seen::default()
        },
        Seen {
            labels: pairs(&[("__name__", "up")]),
            samples: vec![(AT_MS + 1, 2.0_f64.to_bits())],
            ..Seen::default()
        },
    ]
}

fn uncompressed(body: &[u8]) -> bytes::Bytes {
    codec::snappy::decompress(body, 1 << 20).unwrap()
}

fn seen_v1(request: &v1::WriteRequest) -> Vec<Seen> {
    let labels = |labels: &[v1::Label]| {
        labels
            .iter()
            .map(|label| (label.name.clone(), label.value.clone()))
            .collect::<Vec<_>>()
    };
    request
        .timeseries
        .iter()
        .map(|series| Seen {
            labels: labels(&series.labels),
            samples: series
                .samples
                .iter()
                .map(|sample| (sample.timestamp, sample.value.to_bits()))
                .collect(),
            histograms: series.histograms.clone(),
            exemplars: series
                .exemplars
                .iter()
                .map(|exemplar| {
                    (
                        exemplar.timestamp,
                        exemplar.value.to_bits(),
                        labels(&exemplar.labels),
                    )
                })
                .collect(),
        })
        .collect()
}

fn seen_v2(request: &v2::Request) -> Vec<Seen> {
    let labels = |refs: &[u32]| {
        let symbol = |reference: u32| request.symbols[reference as usize].clone();
        refs.chunks(2)
            .map(|pair| (symbol(pair[0]), symbol(pair[1])))
            .collect::<Vec<_>>()
    };
    request
        .timeseries
        .iter()
        .map(|series| Seen {
            labels: labels(&series.labels_refs),
            samples: series
                .samples
                .iter()
                .map(|sample| (sample.timestamp, sample.value.to_bits()))
                .collect(),
            histograms: series.histograms.clone(),
            exemplars: series
                .exemplars
                .iter()
                .map(|exemplar| {
                    (
                        exemplar.timestamp,
                        exemplar.value.to_bits(),
                        labels(&exemplar.labels_refs),
                    )
                })
                .collect(),
        })
        .collect()
}

#[tokio::test]
async fn version_1_carries_samples_histograms_exemplars_and_metadata() {
    let receiver = Receiver::start().await;
    store(receiver.config()).write(&batch()).await.unwrap();
    let (_, body) = receiver.requests().remove(0);
    let request = v1::WriteRequest::decode(uncompressed(&body)).unwrap();
    assert_eq!(seen_v1(&request), expected());
    let metadata: BTreeMap<_, _> = request
        .metadata
        .iter()
        .map(|family| {
            (
                family.metric_family_name.as_str(),
                (family.r#type, family.help.as_str()),
            )
        })
        .collect();
    assert_eq!(
        metadata.get("http_requests_total"),
        Some(&(MetricType::Counter.wire(), "Requests."))
    );
    assert_eq!(
        metadata.get("latency_seconds"),
        Some(&(MetricType::Histogram.wire(), ""))
    );
}

#[tokio::test]
async fn version_2_carries_the_same() {
    let receiver = Receiver::start().await;
    receiver.answer((
        [
            ("x-prometheus-remote-write-samples-written", "3"),
            ("x-prometheus-remote-write-histograms-written", "1"),
        ],
        "",
    ));
    let mut config = receiver.config();
    config.version = Version::V2;
    store(config).write(&batch()).await.unwrap();
    let (_, body) = receiver.requests().remove(0);
    let request = v2::Request::decode(uncompressed(&body)).unwrap();
    assert_eq!(request.symbols.first().map(String::as_str), Some(""));
    assert_eq!(seen_v2(&request), expected());
    let metadata = request.timeseries[0].metadata.unwrap();
    assert_eq!(metadata.r#type, MetricType::Counter.wire());
    assert_eq!(request.symbols[metadata.help_ref as usize], "Requests.");
}

/// A series with exemplars and nothing else, as Prometheus sends them.
fn lone_exemplars() -> Item {
    let mut series = Series::new("up", &[("job", "node")], &[]);
    series.exemplars = vec![(AT_MS, 0.25), (AT_MS + 1, 0.5)];
    series.at(0, 1)
}

#[tokio::test]
async fn exemplars_of_a_series_without_samples_are_sent_in_version_1() {
    let receiver = Receiver::start().await;
    let batch = Batch {
        lane: Lane::Series(0),
        items: vec![lone_exemplars()],
    };
    store(receiver.config()).write(&batch).await.unwrap();
    let (_, body) = receiver.requests().remove(0);
    let request = v1::WriteRequest::decode(uncompressed(&body)).unwrap();
    let exemplar = |at_ms, value: f64| (at_ms, value.to_bits(), pairs(&[("trace_id", "abc")]));
    let expected = Seen {
        labels: pairs(&[("__name__", "up"), ("job", "node")]),
        exemplars: vec![exemplar(AT_MS, 0.25), exemplar(AT_MS + 1, 0.5)],
        ..Seen::default()
    };
    assert_eq!(seen_v1(&request), [expected]);
}

#[test]
fn version_2_has_exemplars_only_beside_samples_and_the_others_are_counted() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let written = ("x-prometheus-remote-write-samples-written", "1");
    let requests = ::metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let receiver = Receiver::start().await;
            receiver.answer(http::StatusCode::SERVICE_UNAVAILABLE);
            receiver.answer(([written], ""));
            receiver.answer(([written], ""));
            let config = Config {
                version: Version::V2,
                ..receiver.config()
            };
            let store = store(config);
            let same = Series::new("up", &[("job", "node")], &[(AT_MS, 1.0)]).at(0, 0);
            let other = Series::new("up", &[("job", "db")], &[(AT_MS, 1.0)]).at(0, 0);
            for (items, takes) in [
                (vec![lone_exemplars(), other.clone()], false),
                (vec![lone_exemplars(), other], true),
                (vec![lone_exemplars()], true),
                (vec![same, lone_exemplars()], true),
            ] {
                let lane = Lane::Series(0);
                let written = store.write(&Batch { lane, items }).await;
                assert_eq!(written.is_ok(), takes, "{written:?}");
            }
            receiver.requests()
        })
    });
    let exemplars: Vec<Vec<usize>> = requests
        .iter()
        .map(|(_, body)| {
            let request = v2::Request::decode(uncompressed(body)).unwrap();
            let series = seen_v2(&request);
            series.iter().map(|seen| seen.exemplars.len()).collect()
        })
        .collect();
    // Nothing was sent of the batch that had no sample at all.
    assert_eq!(exemplars, [vec![0], vec![0], vec![2]]);
    let counted = recorder.snapshotter().snapshot().into_vec();
    let dropped = counted
        .into_iter()
        .find(|(key, ..)| key.key().name() == "sluice_store_exemplars_dropped_total")
        .map(|(.., value)| format!("{value:?}"));
    assert_eq!(dropped.as_deref(), Some("Counter(4)"));
}

#[test]
fn a_store_of_the_classic_alphabet_gets_its_names() {
    let series = Series::new("http.requests", &[("k8s.pod", "a.b")], &[(AT_MS, 1.0)]);
    let batch = Batch {
        lane: Lane::Series(0),
        items: vec![series.at(0, 0)],
    };
    for (names, expected) in [
        (
            Names::Utf8,
            [("__name__", "http.requests"), ("k8s.pod", "a.b")],
        ),
        (
            Names::Underscores,
            [("__name__", "http_requests"), ("k8s_pod", "a.b")],
        ),
    ] {
        let config = Config {
            names,
            ..Config::default()
        };
        let body = Encoders::new(&config).encode(&batch).unwrap().body.unwrap();
        let request = v1::WriteRequest::decode(uncompressed(&body)).unwrap();
        assert_eq!(seen_v1(&request)[0].labels, pairs(&expected));
    }
}

#[test]
fn labels_that_would_be_far_more_bytes_than_their_record_are_refused() {
    let long = "x".repeat(64 << 10);
    let labels = vec![(long.as_str(), "v"); 1100];
    let many = Series::new("rpc", &labels, &[(AT_MS, 1.0), (AT_MS + 1000, 2.0)]);
    let many = Batch {
        lane: Lane::Series(0),
        items: vec![many.at(0, 0)],
    };
    let few = Series::new("rpc", &[("code", "ok")], &[(AT_MS, 1.0)]);
    let few = Batch {
        lane: Lane::Series(0),
        items: vec![few.at(0, 0)],
    };
    let first = Encoders::new(&Config {
        version: Version::V1,
        ..Config::default()
    });
    for _ in 0..2 {
        let refused = first.encode(&many).err();
        let is_too_large = matches!(
            refused,
            Some(WriteError::Refused {
                reason: "too_large",
                ..
            })
        );
        assert!(is_too_large, "{refused:?}");
        // Nothing is left of what was refused.
        let body = first.encode(&few).unwrap().body.unwrap();
        let request = v1::WriteRequest::decode(uncompressed(&body)).unwrap();
        let seen = seen_v1(&request);
        assert_eq!(seen.len(), 1);
        assert_eq!(
            seen[0].labels,
            pairs(&[("__name__", "rpc"), ("code", "ok")])
        );
    }
    // Version 2.0 has each text once.
    let second = Encoders::new(&Config {
        version: Version::V2,
        ..Config::default()
    });
    assert!(second.encode(&many).is_ok());
}
