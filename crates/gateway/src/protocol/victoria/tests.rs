//! The import's contract: what is answered and stored.

use http::Request;

use crate::Config;
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server};

fn line(name: &str, times: &[i64]) -> String {
    let values = vec![1; times.len()];
    serde_json::json!({"metric": {"__name__": name, "a": "b"}, "values": values, "timestamps": times})
        .to_string()
}

async fn post(server: &Server, query: &str, body: &str) -> Answer {
    let request = Request::post(format!("/api/v1/import{query}"));
    server
        .send(request.body(body.to_owned().into()).unwrap())
        .await
}

async fn answer(query: &str, body: &str) -> Answer {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    post(&server, query, body).await
}

#[tokio::test]
async fn all_good_is_204_without_a_body() {
    let body = format!(
        "{}\n{}\n",
        line("up", &[NOW_MS, NOW_MS - 1]),
        line("down", &[NOW_MS])
    );
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = post(&server, "?extra_label=dc%3Dx", &body).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
    assert_eq!(answer.header("sluice-durability"), Some("local"));
    let records = server.buffer.confirmed();
    assert_eq!(records.len(), 2);
    let has_extra = |value: &[u8]| value.windows(2).any(|pair| pair == b"dc");
    assert!(records.iter().all(|record| has_extra(&record.value)));
    assert_eq!(post(&server, "", "").await.status, 204);
}

#[tokio::test]
async fn bad_samples_and_lines_are_named_and_the_others_stored() {
    let body = [
        line("up", &[NOW_MS, NOW_MS / 1000, NOW_MS - 1]),
        "nonsense".to_owned(),
        String::new(),
        line("a\u{7}", &[NOW_MS, NOW_MS]),
    ]
    .join("\n");
    let answer = answer("", &body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("sluice-durability"), Some("local"));
    assert_eq!(
        answer.text(),
        "4 of 6 samples were refused; the others are stored\n\
         line 1: timestamp 1700000000 looks like seconds; send Unix milliseconds, such as 1700000000000\n\
         line 2: not JSON: expected ident at column 2\n\
         line 4: metric name \"a\\u{7}\" has the control character '\\u{7}' at byte 1\n"
    );
}

#[tokio::test]
async fn strict_stores_all_or_nothing() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let body = format!("{}\n7", line("up", &[NOW_MS]));
    let answer = post(&server, "?strict=true", &body).await;
    assert_eq!(answer.status, 400);
    assert!(server.buffer.confirmed().is_empty());
}

#[tokio::test]
async fn a_bad_parameter_is_said_before_the_body_is_read() {
    let wrong = answer("?extra_label=x", "").await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.text()),
        (400, "extra_label is \"x\"; write extra_label=name=value\n")
    );
    let many: Vec<String> = (0..31)
        .map(|label| format!("extra_label=l{label}%3Dx"))
        .collect();
    let answer = answer(&format!("?{}", many.join("&")), "").await;
    assert_eq!(
        answer.text(),
        "the request gives 31 labels to each series, the limit is 30\n"
    );
}

#[tokio::test]
async fn a_tenant_s_path_is_served_too() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let request = Request::post("/tenants/acme/api/v1/import");
    let request = request.body(line("up", &[NOW_MS]).into()).unwrap();
    assert_eq!(server.send(request).await.status, 204);
}

/// Where each sample is a record with all its labels, a body of half a megabyte would become a gigabyte.
#[tokio::test]
async fn a_short_body_does_not_become_endless_records() {
    let config = Config {
        record_format: crate::RecordFormat::Json,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    let mut metric = serde_json::json!({"__name__": "up"});
    for label in 0..30 {
        metric[format!("l{label}")] = "v".repeat(2000).into();
    }
    let count = 16_000;
    let body = serde_json::json!({
        "metric": metric, "values": vec![1; count], "timestamps": vec![NOW_MS; count]
    });
    let answer = post(&server, "", &body.to_string()).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().ends_with("send several smaller bodies\n"));
}
