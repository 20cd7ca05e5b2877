//! What is answered and stored.

use axum::body::Body;
use http::Request;

use crate::Config;
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server};

const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";
const PATH: &str = "/api/v1/import/prometheus";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

fn server() -> Server {
    Server::start(&Config::default(), FakeBuffer::default())
}

async fn post(server: &Server, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path)
        .header("content-type", content_type)
        .body(body.into())
        .unwrap();
    server.send(request).await
}

/// Every stored series as `name{labels}`, its samples and its exemplars' values.
fn stored(server: &Server) -> Vec<String> {
    let mut lines = Vec::new();
    for record in server.buffer.confirmed() {
        let block = codec::record::decode(Some(RW2), &record.value).unwrap();
        for series in block.iter() {
            let mut line = String::new();
            for (name, value) in series.labels() {
                line += &format!("{name} {value} ");
            }
            for point in series.points() {
                line += &format!("{}@{} ", point.value, point.at_ms - NOW_MS);
            }
            for exemplar in series.exemplars() {
                line += &format!("exemplar {} ", exemplar.value);
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.sort();
    lines
}

#[tokio::test(start_paused = true)]
async fn a_page_is_stored_and_answered_with_204() {
    for content_type in [
        "",
        "text/plain; version=0.0.4",
        "application/x-www-form-urlencoded",
    ] {
        let server = server();
        let body = "# TYPE up gauge\nup{host=\"a\"} 1\nup{host=\"b\"} 0 1699999999000\n# EOF\n";
        let answer = post(&server, PATH, content_type, body).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
        assert_eq!(answer.header("sluice-durability"), Some("local"));
        assert_eq!(
            stored(&server),
            ["__name__ up host a 1@0", "__name__ up host b 0@-1000"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn openmetrics_is_told_by_its_content_type() {
    let server = server();
    let body = "# TYPE c counter\nc_total 1 1699999999.5 # {id=\"x\"} 0.5\n# EOF\n";
    let answer = post(&server, PATH, OPENMETRICS, body).await;
    assert_eq!(answer.status.as_u16(), 204, "{}", answer.text());
    assert_eq!(stored(&server), ["__name__ c_total 1@-500 exemplar 0.5"]);
    let answer = post(&server, PATH, OPENMETRICS, "c_total 1\n").await;
    assert_eq!(answer.status.as_u16(), 400);
    assert_eq!(
        answer.text(),
        r#"{"error":"the body does not end with the line # EOF, as OpenMetrics must: it may be cut off","code":"body_invalid"}"#
    );
}

#[tokio::test(start_paused = true)]
async fn delimited_protobuf_is_told_by_its_content_type() {
    let server = server();
    // name "up", type gauge, one metric with the gauge 1.
    let body = b"\x15\x0a\x02up\x18\x01\x22\x0d\x12\x09\x09\0\0\0\0\0\0\xf0\x3f\x30\x00";
    let mut body = body.to_vec();
    body[0] = u8::try_from(body.len() - 1).unwrap();
    let answer = post(&server, PATH, PROTOBUF, body).await;
    assert_eq!(answer.status.as_u16(), 204, "{}", answer.text());
    let answer = post(&server, PATH, PROTOBUF, "up 1\n").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["code"]),
        (400, &"body_invalid".into())
    );
    let answer = post(
        &server,
        PATH,
        "application/vnd.google.protobuf; encoding=text",
        "",
    )
    .await;
    assert_eq!(answer.status.as_u16(), 415);
}

#[tokio::test(start_paused = true)]
async fn bad_lines_are_named_and_the_others_stored() {
    let server = server();
    let body = "good 1\nbad one\n\nlate 1 1\n{x=\"y\"} 2\ngood{a=\"b\",a=\"c\"} 1\n";
    let answer = post(&server, PATH, "text/plain", body).await;
    assert_eq!(answer.status.as_u16(), 400);
    assert_eq!(
        answer.text(),
        r#"{"error":"3 of 5 lines were refused and the others stored; line 2: the value \"one\" is not a number","code":"value_invalid","errors":[{"line":2,"index":1,"metric_name":"bad","code":"value_invalid","message":"line 2: the value \"one\" is not a number"},{"line":5,"index":4,"metric_name":"","code":"metric_name_missing","message":"line 5: the series has no metric name"},{"line":6,"index":5,"metric_name":"good","code":"label_duplicate","message":"label \"a\" appears twice"}]}"#
    );
    assert_eq!(
        stored(&server),
        ["__name__ good 1@0", "__name__ late 1@-1699999999999"]
    );
}

#[tokio::test(start_paused = true)]
async fn with_strict_a_bad_line_refuses_all() {
    let server = server();
    let path = format!("{PATH}?strict=true");
    let answer = post(&server, &path, "text/plain", "good 1\nbad one\n").await;
    assert_eq!(answer.status.as_u16(), 400);
    assert_eq!(
        answer.text(),
        r#"{"error":"1 of 2 lines was refused, and strict=true stores all or nothing; line 2: the value \"one\" is not a number","code":"batch_refused","errors":[{"line":2,"index":1,"metric_name":"bad","code":"value_invalid","message":"line 2: the value \"one\" is not a number"}]}"#
    );
    assert_eq!(stored(&server), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_request_gives_labels_and_a_time_to_all_its_samples() {
    let server = server();
    let path = format!(
        "{PATH}/metrics/job/night/shard@base64/YS9i?extra_label=host=c&extra_label=env%3Da%3Db&timestamp=1699999999000"
    );
    let answer = post(
        &server,
        &path,
        OPENMETRICS,
        "a{host=\"x\",z=\"1\"} 1 # {host=\"e\"} 7\n# EOF\n",
    )
    .await;
    assert_eq!(answer.status.as_u16(), 204, "{}", answer.text());
    assert_eq!(
        stored(&server),
        ["__name__ a env a=b host c job night shard a/b z 1 1@-1000 exemplar 7"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_cannot_be_is_refused() {
    let many: String = (0..31)
        .map(|number| format!("&extra_label=l{number}=v"))
        .collect();
    for (path, message) in [
        (
            format!("{PATH}?extra_label=x"),
            "extra_label is \"x\"; write extra_label=name=value".to_owned(),
        ),
        (
            format!("{PATH}?extra_label==x"),
            "an extra label cannot have the name \"\"".to_owned(),
        ),
        (
            format!("{PATH}?timestamp=now"),
            "timestamp is \"now\", not a whole number of Unix milliseconds".to_owned(),
        ),
        (
            format!("{PATH}?a=b{many}"),
            "the request gives 31 labels to each series, the limit is 30".to_owned(),
        ),
        (
            format!("{PATH}/metrics/job/x/y"),
            "labels and values come in pairs".to_owned(),
        ),
        (
            format!("{PATH}/metrics/x/y"),
            "the path behind /metrics/ must begin with job/".to_owned(),
        ),
        (
            format!("{PATH}/metrics/job/x/y@base64/%25"),
            "the value \"%\" of y@base64 is not URL-safe base64".to_owned(),
        ),
    ] {
        let answer = post(&server(), &path, "text/plain", "a 1\n").await;
        assert_eq!(answer.status.as_u16(), 400, "{path}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(&message), "{path}: {error}");
        assert_eq!(answer.json()["code"], "parameter_invalid");
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_body_does_not_become_many_labels() {
    let many: String = (0..30)
        .map(|number| format!("&extra_label=l{number}=v"))
        .collect();
    let path = format!("{PATH}?a=b{many}");
    let answer = post(&server(), &path, "text/plain", "a 1\n".repeat(5000)).await;
    assert_eq!(answer.status.as_u16(), 400);
    assert_eq!(answer.json()["code"], "too_many_labels");
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_is_fine() {
    let server = server();
    for (content_type, body) in [("text/plain", ""), (OPENMETRICS, "# EOF\n"), (PROTOBUF, "")] {
        let answer = post(&server, PATH, content_type, body).await;
        assert_eq!(answer.status.as_u16(), 204);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_loses_a_sample_for_a_long_help_text() {
    let server = server();
    let body = format!("# HELP up {}\nup 1\n", "h".repeat(2000));
    assert_eq!(post(&server, PATH, "", body).await.text(), "");
    assert_eq!(stored(&server), ["__name__ up 1@0"]);
}
