//! Against a real HTTP server: what it gets, and what its answers become.

mod body;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use service::secret::Secret;
use service::units::Period;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{BasicAuth, Config, RemoteWrite, Version};
use crate::fixtures::Series;
use crate::{Batch, Lane, Lanes, Write as _, WriteError};

type Requests = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;
type Answers = Arc<Mutex<VecDeque<Response>>>;

/// A store that gives these answers, then 204, and keeps what it got.
struct Receiver {
    address: SocketAddr,
    requests: Requests,
    answers: Answers,
    /// Ends the server with the test.
    _serving: JoinSet<()>,
}

impl Receiver {
    async fn start() -> Self {
        let requests = Requests::default();
        let answers = Answers::default();
        let (seen, given) = (Arc::clone(&requests), Arc::clone(&answers));
        let take = move |headers: HeaderMap, body: Bytes| {
            seen.lock().unwrap().push((headers, body));
            let answer = given.lock().unwrap().pop_front();
            std::future::ready(answer.unwrap_or_else(|| StatusCode::NO_CONTENT.into_response()))
        };
        let router = Router::new()
            .route("/api/v1/write", axum::routing::post(take.clone()))
            .route("/elsewhere", axum::routing::post(take));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            requests,
            answers,
            _serving: serving,
        }
    }

    fn config(&self) -> Config {
        config(self.address)
    }

    fn answer(&self, answer: impl axum::response::IntoResponse) {
        self.answers
            .lock()
            .unwrap()
            .push_back(answer.into_response());
    }

    fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.requests.lock().unwrap().clone()
    }

    /// A header of the last request.
    fn header(&self, name: &str) -> Option<String> {
        let requests = self.requests();
        let (headers, _) = requests.last().unwrap();
        Some(headers.get(name)?.to_str().unwrap().to_owned())
    }
}

fn config(address: SocketAddr) -> Config {
    Config {
        url: format!("http://{address}/api/v1/write"),
        ..Config::default()
    }
}

fn store(config: Config) -> RemoteWrite {
    RemoteWrite::new(config, "main").unwrap()
}

fn batch() -> Batch {
    let series = Series::new("up", &[("job", "node")], &[(1_700_000_000_000, 1.0)]);
    Batch {
        lane: Lane::Series(0),
        items: vec![series.at(0, 0)],
    }
}

async fn write(config: Config) -> Result<(), WriteError> {
    store(config).write(&batch()).await
}

#[track_caller]
fn check_retryable(result: &Result<(), WriteError>, words: &str) {
    match result {
        Err(WriteError::Retryable { message, .. }) => {
            assert!(message.contains(words), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn version_1_is_announced_as_its_specification_says() {
    let receiver = Receiver::start().await;
    write(receiver.config()).await.unwrap();
    assert_eq!(
        receiver.header("content-type").unwrap(),
        "application/x-protobuf"
    );
    assert_eq!(receiver.header("content-encoding").unwrap(), "snappy");
    assert_eq!(
        receiver
            .header("x-prometheus-remote-write-version")
            .unwrap(),
        "0.1.0"
    );
    assert!(
        receiver
            .header("user-agent")
            .unwrap()
            .starts_with("sluice/")
    );
    assert_eq!(receiver.header("authorization"), None);
}

#[tokio::test]
async fn version_2_is_announced_as_its_specification_says() {
    let receiver = Receiver::start().await;
    receiver.answer(([("x-prometheus-remote-write-samples-written", "1")], ""));
    let mut config = receiver.config();
    config.version = Version::V2;
    write(config).await.unwrap();
    assert_eq!(
        receiver.header("content-type").unwrap(),
        "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    );
    assert_eq!(receiver.header("content-encoding").unwrap(), "snappy");
    assert_eq!(
        receiver
            .header("x-prometheus-remote-write-version")
            .unwrap(),
        "2.0.0"
    );
}

#[tokio::test]
async fn a_version_2_body_that_was_not_understood_is_not_taken_for_written() {
    let receiver = Receiver::start().await;
    let mut config = receiver.config();
    config.version = Version::V2;
    check_retryable(&write(config).await, "does not speak remote write 2.0");
}

#[tokio::test]
async fn every_status_becomes_what_it_means() {
    let receiver = Receiver::start().await;
    let store = store(receiver.config());
    for status in 200..600 {
        let status = StatusCode::from_u16(status).unwrap();
        receiver.answer((status, "out of order sample"));
        let result = store.write(&batch()).await;
        match status.as_u16() {
            200..=299 => assert_eq!(result, Ok(()), "{status}"),
            413 => assert!(
                matches!(
                    result,
                    Err(WriteError::Refused {
                        reason: "too_large",
                        ..
                    })
                ),
                "{status}: {result:?}"
            ),
            // 500 with these words is how some releases of Prometheus say it.
            400 | 409 | 422 | 500 => assert_eq!(
                result,
                Err(WriteError::Refused {
                    reason: "out_of_order",
                    message: format!("the store answered {status}: out of order sample"),
                })
            ),
            304 => check_retryable(&result, "304"),
            _ => check_retryable(&result, "out of order sample"),
        }
    }
}

#[tokio::test]
async fn the_wait_that_a_store_asks_for_is_handed_on() {
    let receiver = Receiver::start().await;
    receiver.answer((
        StatusCode::TOO_MANY_REQUESTS,
        [("retry-after", "17")],
        "slow down",
    ));
    assert_eq!(
        write(receiver.config()).await,
        Err(WriteError::Retryable {
            message: "the store answered 429 Too Many Requests: slow down".to_owned(),
            retry_after: Some(Duration::from_secs(17)),
        })
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let receiver = Receiver::start().await;
    receiver.answer((StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]));
    check_retryable(&write(receiver.config()).await, "/elsewhere");
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let receiver = Receiver::start().await;
    receiver.answer((StatusCode::BAD_REQUEST, "too old ".repeat(4 << 20)));
    match write(receiver.config()).await {
        Err(WriteError::Refused { reason, message }) => {
            assert_eq!(reason, "too_old");
            assert!(message.len() < 400, "{}", message.len());
        }
        other => panic!("{other:?}"),
    }
}

/// A server that reads the request's head, sends `answer`, and then keeps or closes the connection.
async fn raw(answer: &'static [u8], keeps: bool) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            assert!(connection.read(&mut head).await.unwrap() > 0);
            connection.write_all(answer).await.unwrap();
            if keeps {
                open.push(connection);
            }
        }
    });
    (address, serving)
}

#[tokio::test]
async fn a_store_that_does_not_answer_in_time_is_asked_again() {
    let (address, _serving) = raw(b"", true).await;
    let mut config = config(address);
    config.timeout = Period::millis(200);
    check_retryable(&write(config).await, "timed out");
}

#[tokio::test]
async fn a_store_that_answers_nonsense_is_asked_again() {
    let nonsense: [&[u8]; 5] = [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 20",
        b"HTTP/1.1 999999 Ok\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: banana\r\n\r\n",
    ];
    for answer in nonsense {
        let (address, _serving) = raw(answer, false).await;
        check_retryable(&write(config(address)).await, "the store did not answer");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_still_counts() {
    let (address, _serving) = raw(
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\nout of order",
        false,
    )
    .await;
    assert_eq!(
        write(config(address)).await,
        Err(WriteError::Refused {
            reason: "out_of_order",
            message: "the store answered 400 Bad Request: out of order".to_owned(),
        })
    );
}

#[tokio::test]
async fn a_store_that_is_not_there_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let result = write(config(address)).await;
    check_retryable(&result, "Connection refused");
}

#[tokio::test]
async fn a_url_is_never_in_a_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut config = config(address);
    config.url.push_str("?token=hunter2");
    match write(config).await {
        Err(error) => assert!(!error.to_string().contains("hunter2"), "{error}"),
        Ok(()) => panic!("nobody was there"),
    }
}

#[tokio::test]
async fn credentials_are_sent() {
    let receiver = Receiver::start().await;
    let mut config = receiver.config();
    config.bearer_token = Some(Secret::new("s3cret"));
    write(config).await.unwrap();
    assert_eq!(receiver.header("authorization").unwrap(), "Bearer s3cret");

    let mut config = receiver.config();
    config.basic_auth = Some(BasicAuth {
        username: "sluice".to_owned(),
        password: Some(Secret::new("pass:word")),
        password_file: None,
    });
    write(config).await.unwrap();
    assert_eq!(
        receiver.header("authorization").unwrap(),
        "Basic c2x1aWNlOnBhc3M6d29yZA=="
    );
}

#[tokio::test]
async fn a_token_that_is_replaced_while_we_run_is_used() {
    let receiver = Receiver::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    let mut config = receiver.config();
    config.bearer_token_file = Some(path.clone());
    let store = store(config);
    check_retryable(&store.write(&batch()).await, &path.display().to_string());
    for token in ["first", "second"] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        store.write(&batch()).await.unwrap();
        assert_eq!(
            receiver.header("authorization").unwrap(),
            format!("Bearer {token}")
        );
    }
    std::fs::write(&path, "to\nken").unwrap();
    match store.write(&batch()).await {
        Err(error) => assert!(!error.to_string().contains("ken"), "{error}"),
        Ok(()) => panic!("a header with a line break was sent"),
    }
}

#[tokio::test]
async fn a_password_file_and_further_headers_are_sent() {
    let receiver = Receiver::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    std::fs::write(&path, "word\n").unwrap();
    let mut config = receiver.config();
    config.basic_auth = Some(BasicAuth {
        username: "sluice".to_owned(),
        password: None,
        password_file: Some(path),
    });
    config
        .headers
        .insert("X-Scope-OrgID".to_owned(), "team-a".into());
    write(config).await.unwrap();
    assert_eq!(
        receiver.header("authorization").unwrap(),
        "Basic c2x1aWNlOndvcmQ="
    );
    assert_eq!(receiver.header("x-scope-orgid").unwrap(), "team-a");
}

#[test]
fn requests_are_counted_by_what_became_of_them() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    ::metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let receiver = Receiver::start().await;
            receiver.answer(StatusCode::SERVICE_UNAVAILABLE);
            receiver.answer(StatusCode::BAD_REQUEST);
            let store = store(receiver.config());
            for _ in 0..4 {
                store.write(&batch()).await.unwrap_or_default();
            }
        });
    });
    let mut counted: Vec<(String, String)> = recorder
        .snapshotter()
        .snapshot()
        .into_vec()
        .into_iter()
        .filter(|(key, ..)| key.key().name() == "sluice_store_requests_total")
        .map(|(key, _, _, value)| {
            let labels: Vec<&str> = key.key().labels().map(metrics_label).collect();
            (labels.join(" "), format!("{value:?}"))
        })
        .collect();
    counted.sort();
    let counted: Vec<_> = counted
        .iter()
        .map(|(labels, value)| (labels.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        counted,
        [
            ("main refused", "Counter(1)"),
            ("main retryable", "Counter(1)"),
            ("main written", "Counter(2)"),
        ]
    );
}

fn metrics_label(label: &::metrics::Label) -> &str {
    label.value()
}

#[tokio::test]
async fn there_are_as_many_lanes_as_shards_and_nothing_to_resume() {
    let receiver = Receiver::start().await;
    let mut config = receiver.config();
    config.shards = 7;
    let store = store(config);
    assert_eq!(store.lanes(), Lanes::BySeries(7.try_into().unwrap()));
    assert_eq!(store.batching().max_samples, 2000);
    store.resume(0, 17).await.unwrap();
    assert_eq!(receiver.requests().len(), 0);
}
