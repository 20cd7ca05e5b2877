//! The API as its clients see it: paths, formats, encodings, statuses, and the ledger.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use buffer::PublishError;
use http::Request;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use prost::Message;

use crate::PushgatewayConfig;
use crate::fake::{Answer, FakeBuffer, Server, Then};
use crate::pushgateway::fake::{FakeTable, Pushed};

const JOB: &str = "/metrics/job/nightly";

async fn send(gateway: &Pushed, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let mut request = Request::put(JOB);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body: Vec<u8> = body.into();
    gateway
        .server
        .send(request.body(body.into()).unwrap())
        .await
}

#[tokio::test(start_paused = true)]
async fn the_clients_paths_name_their_groups() {
    let gateway = Pushed::start();
    for (path, series) in [
        ("/metrics/job/j", "up{job=j} 1 @0"),
        ("/metrics/job@base64/YS9i", "up{job=a/b} 1 @0"),
        (
            "/metrics/job/j/path@base64/L3Zhci90bXA=",
            "up{job=j,path=/var/tmp} 1 @0",
        ),
        ("/metrics/job/j/k@base64/=", "up{job=j} 1 @0"),
        ("/metrics/job/a%20b/x/%C3%A4", "up{job=a b,x=ä} 1 @0"),
        ("/metrics/job/j/U__a_2e_b/c", "up{a.b=c,job=j} 1 @0"),
    ] {
        let path = if path.contains("/k@") {
            // Another group must not have the series.
            gateway.expect(202, "DELETE", "/metrics/job/j", "").await;
            path
        } else {
            path
        };
        gateway.stored();
        gateway.expect(200, "PUT", path, "up 1\n").await;
        let stored = gateway.stored_of_others();
        assert_eq!(stored.len(), 1);
        assert!(
            stored
                .iter()
                .any(|line| line.starts_with(series.split('@').next().unwrap())),
            "{path}: {stored:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_that_names_no_group_is_refused_in_words() {
    let gateway = Pushed::start();
    for method in ["PUT", "POST", "DELETE"] {
        for (path, part) in [
            ("/metrics/job", "the job's name is missing"),
            ("/metrics/job/", "the job's name is empty"),
            ("/metrics/job@base64/=", "the job's name is empty"),
            ("/metrics/job/j/a", "come in pairs"),
            ("/metrics/job/j/a=b/c", "\"a=b\""),
            ("/metrics/job/j/__a/c", "reserved"),
            ("/metrics/job/j/a@base64/foo.bar", "not URL-safe base64"),
        ] {
            let answer = gateway.ask(method, path, "up 1\n").await;
            assert_eq!(answer.status, 400, "{method} {path}");
            assert!(answer.text().contains(part), "{path}: {}", answer.text());
            assert_eq!(
                answer.header("content-type"),
                Some("text/plain; charset=utf-8")
            );
        }
    }
    assert_eq!(gateway.stored(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_json_api_keeps_its_paths() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "POST", "/metrics", r#"{"metrics":[]}"#)
        .await;
    gateway
        .expect(200, "POST", "/api/v1/metrics", r#"{"metrics":[]}"#)
        .await;
    gateway.expect(405, "GET", "/metrics", "").await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let empty = gateway.expect(200, "GET", "/api/v1/metrics", "").await;
    assert_eq!(empty, r#"{"data":[],"status":"success"}"#);
    gateway.expect(200, "GET", "/-/healthy", "").await;
    gateway.expect(200, "GET", "/-/ready", "").await;
}

#[tokio::test]
async fn without_a_place_for_groups_there_is_no_such_api() {
    let server = Server::start(&crate::Config::default(), FakeBuffer::default());
    let request = Request::put(JOB).body(axum::body::Body::empty()).unwrap();
    assert_eq!(server.send(request).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn bodies_may_be_gzip_or_framed_snappy() {
    let gateway = Pushed::start();
    let mut snappy = snap_framed(b"a 1\n");
    let answer = send(&gateway, &[("content-encoding", "Snappy")], snappy.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("sluice-durability"), Some("local"));
    snappy.pop();
    let answer = send(&gateway, &[("content-encoding", "snappy")], snappy).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("not valid snappy"),
        "{}",
        answer.text()
    );
    let answer = send(&gateway, &[("content-encoding", "br")], "a 1\n").await;
    assert_eq!(answer.status, 415);
    let answer = send(&gateway, &[("content-encoding", "gzip")], "a 1\n").await;
    assert_eq!(answer.status, 400);
}

/// A stream of one uncompressed chunk, as the format's description has it.
fn snap_framed(data: &[u8]) -> Vec<u8> {
    let mut framed = b"\xff\x06\x00\x00sNaPpY\x01".to_vec();
    let length = u32::try_from(data.len() + 4).unwrap().to_le_bytes();
    framed.extend(&length[..3]);
    let crc = crc32c(data);
    framed.extend((crc.rotate_right(15).wrapping_add(0xa282_ead8)).to_le_bytes());
    framed.write_all(data).unwrap();
    framed
}

fn crc32c(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc = (crc >> 1) ^ (0x82f6_3b78 * low);
        }
    }
    !crc
}

#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "3")]
    kind: i32,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, optional, tag = "5")]
    untyped: Option<Untyped>,
}

#[derive(Clone, PartialEq, Message)]
struct Untyped {
    #[prost(double, tag = "1")]
    value: f64,
}

#[tokio::test(start_paused = true)]
async fn bodies_may_be_protobuf_or_openmetrics() {
    let gateway = Pushed::start();
    let mut body = Vec::new();
    for (name, value) in [("some_metric", 1.234), ("another.metric", 2.75)] {
        let family = MetricFamily {
            name: name.to_owned(),
            kind: 3,
            metric: vec![Metric {
                untyped: Some(Untyped { value }),
            }],
        };
        body.extend(family.encode_length_delimited_to_vec());
    }
    let protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    let answer = send(&gateway, &[("content-type", protobuf)], body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        gateway.stored_of_others(),
        [
            "another.metric{job=nightly} 2.75 @0",
            "some_metric{job=nightly} 1.234 @0",
        ]
    );
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let body = "# TYPE rows counter\nrows_total 5\n# EOF\n";
    let answer = send(&gateway, &[("content-type", openmetrics)], body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        gateway
            .stored_of_others()
            .contains(&"rows_total{job=nightly} 5 @0.001".to_owned())
    );
    let answer = send(&gateway, &[("content-type", openmetrics)], "rows_total 6\n").await;
    assert_eq!(answer.status, 400);
    // An empty body says something in any format.
    for kind in [protobuf, openmetrics, "text/plain", "anything/else"] {
        let answer = send(&gateway, &[("content-type", kind)], "").await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
    }
}

#[tokio::test(start_paused = true)]
async fn headers_say_what_the_query_does_not() {
    let gateway = Pushed::start();
    let headers = [
        ("sluice-push-ttl", "2h"),
        ("sluice-push-expect-every", "1h"),
    ];
    assert_eq!(send(&gateway, &headers, "a 1\n").await.status, 200);
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(
        shown,
        serde_json::json!({
            "labels": {"job": "nightly"},
            "last_push_successful": true,
            "last_push": "2023-11-14T22:13:20.000Z",
            "last_failed_push": null,
            "ttl": "2h",
            "ends": "2023-11-15T00:13:20.000Z",
            "expect_every": "1h",
            "next_push_due": "2023-11-14T23:13:20.000Z",
            "overdue": false,
            "families": {"a": {
                "time_stamp": "2023-11-14T22:13:20.000Z", "type": "UNTYPED", "help": "",
                "metrics": [{"labels": {"job": "nightly"}, "value": "1"}],
            }},
        })
    );
}

#[tokio::test(start_paused = true)]
async fn the_list_of_groups_is_made_while_it_is_sent() {
    use http_body_util::BodyExt as _;

    let gateway = Pushed::start();
    for job in ["one", "two", "three"] {
        gateway
            .expect(200, "PUT", &format!("/metrics/job/{job}"), "a 1\n")
            .await;
    }
    let request = http::Request::get("/api/v1/metrics");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let mut body = tower::ServiceExt::oneshot(gateway.server.router.clone(), request)
        .await
        .unwrap()
        .into_body();
    let mut pieces = 0;
    while let Some(frame) = body.frame().await {
        assert!(frame.is_ok());
        pieces += 1;
    }
    assert_eq!(pieces, 5, "what is around them, and one for each group");
    let listed = gateway.ask("GET", "/api/v1/metrics", "").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_list_of_groups_has_the_pushgateways_shape() {
    let gateway = Pushed::start();
    let body = "\
# HELP s A summary.\n# TYPE s summary\ns{quantile=\"0.5\",a=\"b\"} NaN\ns_sum{a=\"b\"} 4.5\ns_count{a=\"b\"} 2
# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n";
    gateway.expect(200, "PUT", JOB, body).await;
    let at = "2023-11-14T22:13:20.000Z";
    let own = |value: &str| {
        serde_json::json!({
            "time_stamp": at, "type": "GAUGE",
            "metrics": [{"labels": {"job": "nightly"}, "value": value}],
        })
    };
    assert_eq!(
        gateway.ask("GET", "/api/v1/metrics", "").await.json(),
        serde_json::json!({"status": "success", "data": [{
            "labels": {"job": "nightly"},
            "last_push_successful": true,
            "push_time_seconds": own("1700000000"),
            "push_failure_time_seconds": own("0"),
            "h": {"time_stamp": at, "type": "HISTOGRAM", "help": "", "metrics": [{
                "labels": {"job": "nightly"}, "buckets": {"1": "1", "+Inf": "2"}, "sum": "3", "count": "2",
            }]},
            "s": {"time_stamp": at, "type": "SUMMARY", "help": "A summary.", "metrics": [{
                "labels": {"job": "nightly", "a": "b"}, "quantiles": {"0.5": "NaN"}, "sum": "4.5", "count": "2",
            }]},
        }]})
    );
}

#[tokio::test(start_paused = true)]
async fn a_buffer_that_does_not_answer_is_503_and_changes_nothing() {
    let table = FakeTable::default();
    let buffer = Arc::new(FakeBuffer::that(Then::Fail(PublishError::QueueFull)));
    let gateway = Pushed::over(&table, buffer, PushgatewayConfig::default());
    let answer = gateway.ask("PUT", JOB, "a 1\n").await;
    assert_eq!((answer.status.as_u16(), table.len()), (503, 0));
    assert!(matches!(
        answer.header("retry-after"),
        Some("1" | "2" | "3" | "4")
    ));
    gateway.expect(404, "GET", JOB, "").await;
}

#[tokio::test(start_paused = true)]
async fn pushes_of_a_group_are_stored_in_their_order() {
    let table = FakeTable::default();
    let slow = Then::ConfirmAfter(Duration::from_millis(300));
    let gateway = Pushed::over(
        &table,
        Arc::new(FakeBuffer::that(slow)),
        PushgatewayConfig::default(),
    );
    let after = async |millis, method, body| {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        gateway.ask(method, JOB, body).await
    };
    let (put, post, delete) = tokio::join!(
        after(1, "PUT", "a 1\n"),
        after(2, "POST", "b 1\n"),
        after(3, "DELETE", ""),
    );
    let statuses = [
        put.status.as_u16(),
        post.status.as_u16(),
        delete.status.as_u16(),
    ];
    assert_eq!((statuses, table.len()), ([200, 200, 202], 0));
    let stored = gateway.stored_of_others();
    assert_eq!(
        stored.iter().filter(|line| line.contains("ended")).count(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn before_the_groups_are_known_nothing_is_said_about_them() {
    let table = FakeTable::default();
    let gateway = Pushed::over(&table, Arc::default(), PushgatewayConfig::default());
    // The task that reads the table has not run yet.
    let answer = gateway.ask("GET", JOB, "").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer
            .text()
            .contains("still reading what groups there are")
    );
    // A push waits for it.
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    gateway.expect(200, "GET", JOB, "").await;
}

#[test]
fn the_ledger_has_every_sample_once() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let gateway = Pushed::start();
            // 2 samples and 2 push times.
            gateway.expect(200, "PUT", JOB, "a 1\nb 2\n").await;
            // 1 good and 1 bad line, both refused; 2 push times.
            gateway.expect(400, "PUT", JOB, "a 1\nnonsense\n").await;
            // One of the two is refused by itself, the other with it; 2 push times.
            gateway.expect(400, "PUT", JOB, "a 1\na 2\n").await;
            // 1 sample, 1 marker, 2 push times.
            gateway.expect(200, "PUT", JOB, "a 1\n").await;
            // 1 sample and 2 push times once more.
            tokio::time::sleep(Duration::from_secs(43)).await;
            // 3 markers.
            gateway.expect(202, "DELETE", JOB, "").await;
        });
    });
    let mut counts = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        if let DebugValue::Counter(value) = value
            && let Some(name) = key.key().name().strip_prefix("sluice_gateway_samples_")
            // Those by source and by tenant count the same again.
            && !name.contains("_by_")
        {
            let labels: Vec<&str> = key.key().labels().map(metrics::Label::value).collect();
            counts.insert(format!("{name} {}", labels.join(" ")), value);
        }
    }
    let expected = [
        ("accepted_total pushgateway", 3),
        ("accepted_total pushgateway_own", 15),
        ("received_total pushgateway", 7),
        ("received_total pushgateway_own", 15),
        ("rejected_total pushgateway batch_refused", 2),
        ("rejected_total pushgateway sample_invalid", 1),
        ("rejected_total pushgateway value_missing", 1),
    ];
    let expected: BTreeMap<String, u64> = expected
        .map(|(name, count)| (name.to_owned(), count))
        .into();
    assert_eq!(counts, expected);
}

#[tokio::test(start_paused = true)]
async fn a_push_is_not_refused_for_a_long_help_text() {
    let gateway = Pushed::start();
    let body = format!("# HELP up {}\nup 1\n", "h".repeat(2000));
    assert_eq!(send(&gateway, &[], body).await.status, 200);
}
