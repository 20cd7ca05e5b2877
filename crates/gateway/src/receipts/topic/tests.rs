//! What lands in the rejections topic, and that nobody waits for it.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use buffer::{Original, PublishError, Reject, Rejected};
use bytes::Bytes;
use http::StatusCode;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use model::ManualClock;
use service::tasks::Tasks;
use tokio::sync::Notify;

use super::{MAX_ORIGINAL_BYTES, Receipt, RejectionTopic};
use crate::config::Config;
use crate::fake::{FakeBuffer, NOW_MS, Server, Then};
use crate::router::Beside;

/// A topic that takes one after the other as its results say, and everything after them.
#[derive(Debug, Default)]
struct FakeTopic {
    results: Mutex<Vec<PublishError>>,
    kept: Mutex<Vec<Rejected>>,
    changed: Notify,
    is_stuck: bool,
}

impl Reject for FakeTopic {
    async fn reject(&self, rejected: &Rejected) -> Result<(), PublishError> {
        if self.is_stuck {
            std::future::pending::<()>().await;
        }
        if let Some(error) = self.results.lock().unwrap().pop() {
            return Err(error);
        }
        self.kept.lock().unwrap().push(rejected.clone());
        self.changed.notify_one();
        Ok(())
    }
}

impl FakeTopic {
    async fn kept(&self, count: usize) -> Vec<Rejected> {
        loop {
            let kept = self.kept.lock().unwrap().clone();
            if kept.len() >= count {
                return kept;
            }
            self.changed.notified().await;
        }
    }
}

/// A gateway with a topic, or without one.
fn server(topic: Option<RejectionTopic>) -> Server {
    let beside = Beside {
        rejection_topic: topic,
        ..Beside::default()
    };
    let buffer = Arc::new(FakeBuffer::that(Then::Confirm));
    let clock = Arc::new(ManualClock::new(NOW_MS));
    Server::start_beside(&Config::default(), buffer, clock, beside)
}

async fn send(server: &Server, path: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let request = Request::post(path)
        .header("sluice-source", "web-01")
        .header("content-type", "text/plain")
        .body(body.into())
        .unwrap();
    let answer = server.send(request).await;
    (answer.status, answer.text().to_owned())
}

/// What lands after these bodies, which are refused samples of.
async fn kept(requests: &[(&str, &str)], count: usize) -> Vec<Rejected> {
    let fake = Arc::new(FakeTopic::default());
    let tasks = Tasks::new();
    let topic = RejectionTopic::start(Arc::clone(&fake), 8 << 20, &tasks);
    let server = server(Some(topic));
    for (path, body) in requests {
        send(&server, path, (*body).to_owned()).await;
    }
    let kept = fake.kept(count).await;
    assert_eq!(kept.len(), count, "{kept:?}");
    kept
}

fn part(rejected: &Rejected) -> (&str, &str) {
    match &rejected.original {
        Original::Part {
            bytes,
            content_type,
        } => (std::str::from_utf8(bytes).unwrap(), content_type),
        other => (other.as_str(), ""),
    }
}

fn good() -> String {
    format!(r#"{{"metric_name":"up","timestamp":{NOW_MS},"value":1,"labels":{{}}}}"#)
}

#[tokio::test]
async fn a_refused_sample_lands_with_its_very_bytes_and_all_that_is_known_of_it() {
    let bad = r#"{"metric_name":"cpu",  "timestamp":1700000000, "value":1, "labels":{}}"#;
    let body = format!(r#"{{"metrics":[{},{bad},{}]}}"#, good(), good());
    let kept = kept(&[("/metrics", &body)], 1).await;
    let message = kept[0].message.clone();
    assert!(message.starts_with("timestamp"), "{message}");
    assert_eq!(
        kept,
        [Rejected {
            metric_name: Some(Bytes::from_static(b"cpu")),
            original: Original::Part {
                bytes: Bytes::from_static(bad.as_bytes()),
                content_type: "application/json",
            },
            reason: "timestamp_in_seconds",
            message,
            tenant: None,
            source: Some("web-01".into()),
            protocol: "json",
            index: Some(1),
            at_ms: NOW_MS,
        }]
    );
}

#[tokio::test]
async fn lines_land_as_they_were_sent_with_the_name_as_far_as_it_was_read() {
    let kept = kept(
        &[
            ("/api/v1/import/prometheus", "up 1\nbad line {\r\n"),
            ("/write", "cpu value=1\ncpu value="),
        ],
        2,
    )
    .await;
    let parts: Vec<_> = kept.iter().map(part).collect();
    let text = "text/plain";
    assert_eq!(parts, [("bad line {", text), ("cpu value=", text)]);
    assert_eq!(kept[0].index, Some(1));
    assert_eq!(kept[0].metric_name.as_deref(), Some(&b"bad"[..]));
}

#[tokio::test]
async fn of_a_batch_that_is_all_or_nothing_the_good_ones_land_too() {
    let good = good();
    let body = format!(r#"{{"metrics":[{good},7,{good}]}}"#);
    let kept = kept(&[("/metrics?strict=true", &body)], 3).await;
    let told: Vec<_> = kept
        .iter()
        .map(|kept| (kept.index, kept.reason, part(kept).0))
        .collect();
    assert_eq!(
        told,
        [
            (Some(1), "sample_invalid", "7"),
            (Some(0), "batch_refused", good.as_str()),
            (Some(2), "batch_refused", good.as_str()),
        ]
    );
    assert_eq!(kept[0].metric_name, None);
    assert_eq!(kept[1].metric_name.as_deref(), Some(&b"up"[..]));
}

#[tokio::test]
async fn those_that_an_answer_does_not_list_land_as_well() {
    let bad: Vec<String> = (0..250)
        .map(|n| {
            format!(
                r#"{{"metric_name":"cpu","timestamp":{},"value":1,"labels":{{}}}}"#,
                1_700_000_000 + n
            )
        })
        .collect();
    let body = format!(r#"{{"metrics":[{}]}}"#, bad.join(","));
    let kept = kept(&[("/metrics", &body)], 250).await;
    let parts: Vec<_> = kept.iter().map(|kept| part(kept).0).collect();
    assert_eq!(parts, bad);
    assert_eq!(kept[249].message, crate::receipts::UNLISTED);
}

#[tokio::test]
async fn what_is_not_found_or_too_large_says_so() {
    let long = format!("cpu{{a=\"{}\"}} x", "x".repeat(MAX_ORIGINAL_BYTES));
    // Past what is looked through.
    let after = format!("#{}\nbad {{", "x".repeat(1 << 20));
    let text = "/api/v1/import/prometheus";
    let kept = kept(&[(text, &long), (text, &after)], 2).await;
    let parts: Vec<_> = kept.iter().map(part).collect();
    assert_eq!(parts, [("too-large", ""), ("missing", "")]);
}

#[tokio::test(start_paused = true)]
async fn what_the_topic_does_not_take_at_first_is_written_later() {
    let fake = Arc::new(FakeTopic::default());
    let passing = PublishError::Unconfirmed("not yet".to_owned());
    *fake.results.lock().unwrap() = vec![passing.clone(), passing, PublishError::QueueFull];
    let tasks = Tasks::new();
    let topic = RejectionTopic::start(Arc::clone(&fake), 1 << 20, &tasks);
    topic.take([receipt(b"1")]);
    assert_eq!(fake.kept(1).await.len(), 1);
}

#[tokio::test]
async fn the_last_ones_are_written_when_the_process_stops() {
    let fake = Arc::new(FakeTopic::default());
    let tasks = Tasks::new();
    let topic = RejectionTopic::start(Arc::clone(&fake), 1 << 20, &tasks);
    topic.take([receipt(b"1"), receipt(b"2")]);
    assert!(
        tasks
            .stop(std::time::Duration::from_secs(30))
            .await
            .is_empty()
    );
    assert_eq!(fake.kept.lock().unwrap().len(), 2);
}

fn receipt(part: &[u8]) -> Receipt<'_> {
    Receipt {
        metric_name: "cpu",
        part: Some(part),
        part_type: "text/plain",
        reason: "sample_invalid",
        message: "",
        tenant: None,
        source: None,
        protocol: "text",
        index: Some(0),
        at_ms: NOW_MS,
    }
}

/// Counters by outcome after `act`.
fn counted(act: impl Future<Output = ()>) -> Vec<(String, u64)> {
    let recorder = DebuggingRecorder::new();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(act));
    let mut counted: Vec<(String, u64)> = recorder
        .snapshotter()
        .snapshot()
        .into_vec()
        .iter()
        .filter(|(key, ..)| key.key().name() == "sluice_gateway_rejection_receipts_total")
        .map(|(key, _, _, value)| {
            let outcome = key.key().labels().next().unwrap().value().to_owned();
            let DebugValue::Counter(count) = value else {
                panic!("{value:?}");
            };
            (outcome, *count)
        })
        .collect();
    counted.sort();
    counted
}

#[test]
fn a_flood_is_bounded_counted_and_answered_as_ever() {
    let bad = vec![r#"{"metric_name":"cpu","timestamp":1700000000,"value":1,"labels":{}}"#; 1000];
    let body = format!(r#"{{"metrics":[{},{}]}}"#, good(), bad.join(","));
    let found = counted(async {
        let stuck = FakeTopic {
            is_stuck: true,
            ..FakeTopic::default()
        };
        let tasks = Tasks::new();
        let topic = RejectionTopic::start(stuck, 1 << 20, &tasks);
        let (with, without) = (server(Some(topic.clone())), server(None));
        for _ in 0..5 {
            let expected = send(&without, "/metrics", body.clone()).await;
            assert_eq!(send(&with, "/metrics", body.clone()).await, expected);
            assert_eq!(expected.0, StatusCode::OK);
        }
        assert!(topic.used.load(super::Ordering::Relaxed) <= 1 << 20);
        assert!(topic.is_full());
        assert_eq!(with.buffer.published.lock().unwrap().len(), 5);
        tasks.stop(std::time::Duration::from_secs(30)).await;
        assert_eq!(topic.used.load(super::Ordering::Relaxed), 0);
    });
    let total: u64 = found.iter().map(|(_, count)| count).sum();
    let outcomes: Vec<&str> = found.iter().map(|(outcome, _)| &**outcome).collect();
    assert_eq!(
        (outcomes.as_slice(), total),
        (&["dropped", "failed"][..], 5000)
    );
    assert!(found[0].1 >= 4000, "{found:?}");
}

#[test]
fn what_is_never_confirmed_is_counted_and_gives_its_room_back() {
    let found = counted(async {
        let fake = Arc::new(FakeTopic::default());
        *fake.results.lock().unwrap() = vec![
            PublishError::Refused("no".to_owned()),
            PublishError::TooLarge {
                size_bytes: 2,
                limit_bytes: 1,
            },
        ];
        let tasks = Tasks::new();
        let topic = RejectionTopic::start(Arc::clone(&fake), 1 << 20, &tasks);
        topic.take([receipt(b"1"), receipt(b"2"), receipt(b"3")]);
        fake.kept(1).await;
        tasks.stop(std::time::Duration::from_secs(30)).await;
        assert_eq!(topic.used.load(super::Ordering::Relaxed), 0);
    });
    let expected = [("failed", 2), ("written", 1)];
    assert_eq!(
        found,
        expected.map(|(outcome, count)| (outcome.to_owned(), count))
    );
}

#[test]
fn without_a_topic_nothing_is_counted() {
    let found = counted(async {
        let answer = send(&server(None), "/metrics", r#"{"metrics":[7]}"#).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST);
    });
    assert_eq!(found, []);
}
