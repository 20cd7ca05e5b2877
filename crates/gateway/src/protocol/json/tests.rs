//! The JSON endpoint's contract: what is answered, stored and counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use buffer::PublishError;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http::Request;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use service::units::{Period, Size};

use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, Then, batch, sample};
use crate::{Config, HttpConfig, RecordFormat};

fn good() -> String {
    batch(&[
        sample("up", NOW_MS, 1.0, "a"),
        sample("up", NOW_MS, 0.0, "b"),
        sample("load", NOW_MS, 0.5, "a"),
    ])
}

fn mixed() -> String {
    batch(&[
        sample("up", NOW_MS, 1.0, "a"),
        sample("up", NOW_MS / 1000, 0.0, "b"),
    ])
}

fn keys(server: &Server) -> Vec<String> {
    let records = server.buffer.confirmed();
    let mut keys: Vec<String> = records
        .iter()
        .map(|record| String::from_utf8(record.key.to_vec()).unwrap())
        .collect();
    keys.sort();
    keys
}

async fn post_to(uri: &str, server: &Server, body: impl Into<Body>) -> Answer {
    let request = Request::post(uri).body(body.into()).unwrap();
    server.send(request).await
}

/// Runs on one thread with time standing still where nothing happens; answers the counters.
fn counted(test: impl AsyncFnOnce()) -> BTreeMap<String, u64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(test());
    });
    counters(&snapshotter)
}

fn counters(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let mut counters = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let DebugValue::Counter(value) = value else {
            continue;
        };
        let key = key.key();
        let labels: Vec<&str> = key.labels().map(metrics::Label::value).collect();
        // Those by source and by tenant count the same again.
        if let Some(name) = key.name().strip_prefix("sluice_gateway_samples_")
            && !name.contains("_by_")
        {
            counters.insert(format!("{name} {}", labels.join(" ")), value);
        }
    }
    counters
}

fn ledger<const N: usize>(entries: [(&str, u64); N]) -> BTreeMap<String, u64> {
    entries.map(|(name, count)| (name.to_owned(), count)).into()
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_answered_when_its_records_are_durable() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = server.post(good()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.text(),
        r#"{"status":"success","metrics_received":3}"#
    );
    assert_eq!(answer.header("sluice-durability"), Some("local"));
    assert_eq!(keys(&server), ["load", "up"]);
    let record = server.buffer.confirmed().remove(0);
    assert_eq!(record.received_at_ms, NOW_MS);
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_is_a_success_of_nothing() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = server.post(r#"{"metrics":[]}"#).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, r#"{"status":"success","metrics_received":0}"#)
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_type_or_with_curls_default_is_read_as_json() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    assert_eq!(
        post_to("/api/v1/metrics", &server, good()).await.status,
        200
    );
    for content_type in [
        "application/x-www-form-urlencoded",
        "Application/JSON; charset=utf-8",
        "text/plain",
    ] {
        let request = Request::post("/metrics")
            .header("content-type", content_type)
            .body(Body::from(good()))
            .unwrap();
        assert_eq!(server.send(request).await.status, 200, "{content_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_sample_is_pointed_at_and_the_good_ones_are_stored() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = server.post(mixed()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.text(),
        r#"{"status":"partial","metrics_received":1,"metrics_rejected":1,"errors":[{"index":1,"metric_name":"up","code":"timestamp_in_seconds","message":"timestamp 1700000000 looks like seconds; send Unix milliseconds, such as 1700000000000"}]}"#
    );
    assert_eq!(keys(&server), ["up"]);
}

#[tokio::test(start_paused = true)]
async fn a_strict_batch_is_all_or_nothing() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = post_to("/metrics?strict=true", &server, mixed()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json()["error"],
        "1 of 2 samples was refused, and strict=true stores all or nothing; sample 1: timestamp \
         1700000000 looks like seconds; send Unix milliseconds, such as 1700000000000"
    );
    assert_eq!(answer.json()["code"], "batch_refused");
    assert_eq!(answer.json()["errors"][0]["index"], 1);
    assert!(server.buffer.published.lock().unwrap().is_empty());
    let answer = post_to("/metrics?strict=true", &server, good()).await;
    assert_eq!(answer.status, 200);
    let answer = post_to("/metrics?debug&strict=false", &server, mixed()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(start_paused = true)]
async fn beyond_a_hundred_refusals_only_their_number_is_told() {
    let bad: Vec<_> = (0..150).map(|_| sample("up", 1, 1.0, "a")).collect();
    let mut samples = bad.clone();
    for sample in &mut samples {
        sample["labels"] = serde_json::json!({"": "x"});
    }
    samples.push(sample("up", NOW_MS, 1.0, "a"));
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = server.post(batch(&samples)).await.json();
    assert_eq!(answer["status"], "partial");
    assert_eq!(answer["metrics_rejected"], 150);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 100);
    assert_eq!(answer["errors_omitted"], 50);
}

#[tokio::test(start_paused = true)]
async fn a_buffer_that_fails_asks_for_everything_again() {
    for (error, code) in [
        (
            PublishError::Unconfirmed("not enough replicas".to_owned()),
            "buffer_unavailable",
        ),
        (PublishError::QueueFull, "overloaded"),
        (PublishError::Closed, "shutting_down"),
    ] {
        let server = Server::start(&Config::default(), FakeBuffer::that(Then::Fail(error)));
        let answer = server.post(good()).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.json()["code"], code);
        assert!(matches!(
            answer.header("retry-after"),
            Some("1" | "2" | "3" | "4")
        ));
        assert_eq!(answer.header("sluice-durability"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn one_record_of_several_that_fails_fails_the_request() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let lost = PublishError::Unconfirmed("the leader is gone".to_owned());
    server
        .buffer
        .next
        .lock()
        .unwrap()
        .extend([Then::Fail(lost), Then::ConfirmAfter(Duration::from_secs(1))]);
    let answer = server.post(good()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json()["error"],
        "the buffer did not confirm the record: the leader is gone; send all of it again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_buffer_that_does_not_answer_costs_the_request_timeout() {
    let server = Server::start(&Config::default(), FakeBuffer::that(Then::Never));
    let started = tokio::time::Instant::now();
    let answer = server.post(good()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.text(),
        r#"{"error":"the buffer did not confirm every record within 10000 ms; send all of it again","code":"buffer_unavailable"}"#
    );
    assert_eq!(started.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn past_the_bytes_that_may_be_in_flight_senders_are_asked_to_wait() {
    let body = good();
    let config = Config {
        http: HttpConfig {
            max_in_flight: Size(body.len() as u64 + 10),
            ..HttpConfig::default()
        },
        ..Config::default()
    };
    let slow = Then::ConfirmAfter(Duration::from_secs(3));
    let server = Server::start(&config, FakeBuffer::that(slow));
    let (first, second) = tokio::join!(server.post(body.clone()), server.post(body.clone()));
    assert_eq!(first.status, 200);
    assert_eq!(second.status, 503);
    assert_eq!(second.json()["code"], "overloaded");
    assert!(matches!(
        second.header("retry-after"),
        Some("1" | "2" | "3" | "4")
    ));
    // Its body was there: to take it costs less than another connection.
    assert_eq!(second.header("connection"), None);
    assert_eq!(server.post(body).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up_with_408() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let answer = server.post(body).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.json()["code"], "request_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
}

/// A body of two MiB that says nothing of its length, and how much of it was read.
fn counted_body() -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let pieces = stream::iter(0..32).map(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 64 << 10]))
    });
    (Body::from_stream(pieces), read)
}

#[tokio::test(start_paused = true)]
async fn a_refused_body_is_read_to_its_end_so_that_its_sender_hears_why() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let (body, read) = counted_body();
    let answer = post_to("/metrics?strict=maybe", &server, body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(read.load(Ordering::SeqCst), 32);
    assert_eq!(answer.header("connection"), None);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_asked_first_is_told_to_send_nothing() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let (body, read) = counted_body();
    let request = Request::post("/metrics")
        .header("content-type", "image/png")
        .header("expect", "100-continue")
        .body(body)
        .unwrap();
    let answer = server.send(request).await;
    assert_eq!(answer.status, 415);
    assert_eq!(read.load(Ordering::SeqCst), 0);
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test(start_paused = true)]
async fn the_documented_examples_are_accepted() {
    let path = testkit::repository().join("docs/api.md");
    let text = std::fs::read_to_string(path).unwrap();
    let examples: Vec<&str> = text
        .split("```json\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .filter(|block| block.starts_with("{\"metric_name\""))
        .collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let answer = server.post(format!("{{\"metrics\":[{example}]}}")).await;
        assert_eq!(
            answer.text(),
            r#"{"status":"success","metrics_received":1}"#,
            "{example}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn draining_publishes_what_waits_and_refuses_what_comes() {
    let mut config = Config::default();
    config.coalesce.window = Period::secs(1);
    let server = Server::start(&config, FakeBuffer::default());
    let drain = async {
        // The request's samples are in an open window by then.
        tokio::time::sleep(Duration::from_millis(10)).await;
        server.gateway.drain(Duration::from_secs(5)).await
    };
    let (answer, open_records) = tokio::join!(server.post(good()), drain);
    assert_eq!((answer.status.as_u16(), open_records), (200, 0));
    let answer = server.post(good()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["code"], "shutting_down");
    assert_eq!(server.tasks.stop(Duration::from_secs(1)).await, [""; 0]);
}

#[tokio::test]
async fn a_large_body_takes_the_same_way_on_a_thread_of_its_own() {
    let samples: Vec<_> = (0..2000_u32)
        .map(|n| sample("up", NOW_MS, f64::from(n), &format!("host-{n}")))
        .collect();
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = server.post(batch(&samples)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, r#"{"status":"success","metrics_received":2000}"#)
    );
}

#[test]
fn every_sample_is_counted_once_as_accepted_or_rejected() {
    let counters = counted(async || {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        server.post(good()).await;
        server.post(mixed()).await;
        post_to("/metrics?strict=true", &server, mixed()).await;
        server.post("not json").await;
    });
    assert_eq!(
        counters,
        ledger([
            ("received_total json", 7),
            ("accepted_total json", 4),
            ("rejected_total json timestamp_in_seconds", 2),
            ("rejected_total json batch_refused", 1),
        ])
    );
}

#[test]
fn a_histogram_counts_as_the_series_it_becomes_and_a_refused_one_as_one() {
    let histogram = |at_ms| {
        serde_json::json!({"metric_name": "latency", "timestamp": at_ms, "labels": {},
            "value": {"buckets": {"0.1": 3, "+Inf": 9}, "sum": 1.5, "count": 9}})
    };
    let counters = counted(async || {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let body = batch(&[histogram(NOW_MS), histogram(NOW_MS / 1000)]);
        let answer = server.post(body).await.json();
        assert_eq!(answer["metrics_received"], 1);
        assert_eq!(answer["metrics_rejected"], 1);
        assert_eq!(
            keys(&server),
            ["latency_bucket", "latency_count", "latency_sum"]
        );
    });
    assert_eq!(
        counters,
        ledger([
            ("received_total json", 5),
            ("accepted_total json", 4),
            ("rejected_total json timestamp_in_seconds", 1),
        ])
    );
}

#[test]
fn what_the_buffer_did_not_confirm_is_rejected_and_what_it_did_is_not() {
    let counters = counted(async || {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let lost = PublishError::Unconfirmed("gone".to_owned());
        let one_name = batch(&[sample("up", NOW_MS, 1.0, "a")]);
        server
            .buffer
            .next
            .lock()
            .unwrap()
            .push_back(Then::Fail(lost));
        assert_eq!(server.post(one_name).await.status, 503);
        assert_eq!(server.post(good()).await.status, 200);
    });
    assert_eq!(
        counters,
        ledger([
            ("received_total json", 4),
            ("accepted_total json", 3),
            ("rejected_total json buffer_unavailable", 1),
        ])
    );
}

#[test]
fn a_sender_that_hangs_up_does_not_unbalance_the_ledger() {
    let counters = counted(async || {
        let slow = Then::ConfirmAfter(Duration::from_secs(2));
        let server = Server::start(&Config::default(), FakeBuffer::that(slow));
        let given_up = tokio::time::timeout(Duration::from_secs(1), server.post(good())).await;
        assert!(given_up.is_err());
        server.gateway.drain(Duration::from_secs(5)).await;
    });
    assert_eq!(
        counters,
        ledger([("received_total json", 3), ("accepted_total json", 3)])
    );
}

#[tokio::test(start_paused = true)]
async fn in_the_record_format_json_each_sample_is_a_record() {
    let config = Config {
        record_format: RecordFormat::Json,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    assert_eq!(server.post(good()).await.status, 200);
    assert_eq!(keys(&server), ["load", "up", "up"]);
    let record = server.buffer.confirmed().remove(0);
    assert_eq!(record.content_type, buffer::ContentType::Json);
    let value: serde_json::Value = serde_json::from_slice(&record.value).unwrap();
    assert_eq!(value["timestamp"], NOW_MS);
}
