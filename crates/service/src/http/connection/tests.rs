//! Clients that dawdle are cut, clients that work are not. The clock is paused: it jumps when everybody waits.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Ended, serve_connection};
use crate::http::{Answers, Client, Connections};

const HEADER: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(75);
const SECOND: Duration = Duration::from_secs(1);
const PIPE_BYTES: usize = 4096;
const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

struct Server {
    served: JoinSet<Ended>,
    stopping: CancellationToken,
    started: Instant,
}

fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "ok" }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/big", get(|| async { vec![b'x'; 1 << 20] }))
        .route(
            "/slow",
            get(|| async {
                sleep(4 * IDLE).await;
                "at last"
            }),
        )
}

fn start() -> (DuplexStream, Server) {
    let (client, io) = tokio::io::duplex(PIPE_BYTES);
    let stopping = CancellationToken::new();
    let mut served = JoinSet::new();
    let limits = Connections::default();
    served.spawn(serve_connection(
        io,
        router(),
        None,
        limits,
        stopping.clone(),
    ));
    let started = Instant::now();
    (
        client,
        Server {
            served,
            stopping,
            started,
        },
    )
}

impl Server {
    /// How the connection ended, and when.
    async fn ended(&mut self) -> (Ended, Duration) {
        let ended = self.served.join_next().await.unwrap().unwrap();
        (ended, self.started.elapsed())
    }
}

async fn answer(client: &mut DuplexStream, request: &str, expected: &str) -> String {
    client.write_all(request.as_bytes()).await.unwrap();
    read_until(client, expected).await
}

async fn read_until(client: &mut DuplexStream, expected: &str) -> String {
    let mut answer = String::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(expected) {
        let len = client.read(&mut buffer).await.unwrap();
        assert!(len > 0, "closed after {answer:?}");
        answer.push_str(std::str::from_utf8(&buffer[..len]).unwrap());
    }
    answer
}

async fn get_root(client: &mut DuplexStream) {
    answer(client, GET, "\r\n\r\nok").await;
}

/// Answers each request after a while, and looks at how late it is when it is asked.
#[derive(Clone)]
struct Patient {
    patience: Duration,
}

impl Answers for Patient {
    type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn answer(&self, _: Request<Incoming>, client: &Client) -> Self::Answering {
        let due = Instant::now() + self.patience;
        let alarm = client.alarm.clone();
        let is_set = alarm.is_some_and(|alarm| alarm.set(due));
        Box::pin(poll_fn(move |_| {
            let late = Instant::now().checked_duration_since(due);
            let text = late.map(|late| format!("{is_set} {late:?}."));
            text.map_or(Poll::Pending, |text| {
                Poll::Ready(Ok(Response::new(text.into())))
            })
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn an_alarm_wakes_a_request_in_time_and_each_one_anew() {
    // Nearer than every deadline of the connection, between them, and beyond them.
    for patience in [SECOND / 2, 5 * SECOND, 2 * IDLE] {
        let (mut client, io) = tokio::io::duplex(PIPE_BYTES);
        let limits = Connections::default();
        let stopping = CancellationToken::new();
        let served = serve_connection(io, Patient { patience }, None, limits, stopping);
        let mut running = JoinSet::new();
        running.spawn(served);
        for pause in [Duration::ZERO, SECOND, 30 * SECOND, Duration::ZERO] {
            sleep(pause).await;
            client.write_all(GET.as_bytes()).await.unwrap();
            let started = Instant::now();
            let answer = read_until(&mut client, ".").await;
            assert!(answer.contains("true "), "{answer}");
            let late = started.elapsed().saturating_sub(patience);
            assert!(
                late <= Duration::from_millis(2),
                "{late:?} after {patience:?}"
            );
        }
        drop(client);
        let ended = running.join_next().await.unwrap();
        assert_eq!(ended.unwrap(), Ended::Done);
    }
}

/// Answers with how many requests of the connection were before.
#[derive(Clone)]
struct Counting;

impl Answers for Counting {
    type Answering = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn answer(&self, _: Request<Incoming>, client: &Client) -> Self::Answering {
        let note = client.note.as_ref().expect("every connection has one");
        let before = note.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Response::new(format!("{before}.").into())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_note_is_there_for_the_connections_next_request() {
    let mut running = JoinSet::new();
    for _ in 0..2 {
        let (mut client, io) = tokio::io::duplex(PIPE_BYTES);
        let (limits, stopping) = (Connections::default(), CancellationToken::new());
        running.spawn(serve_connection(io, Counting, None, limits, stopping));
        for before in 0..3 {
            // Also where its buffers were given back meanwhile.
            sleep(5 * SECOND * before).await;
            answer(&mut client, GET, &format!("\r\n\r\n{before}.")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_cut() {
    let (_client, mut server) = start();
    assert_eq!(server.ended().await, (Ended::SlowHeader, HEADER));
}

#[tokio::test(start_paused = true)]
async fn a_header_that_trickles_is_cut() {
    let (mut client, mut server) = start();
    let trickle = async {
        for byte in "GET / HTTP/1.1\r\nx: aaaaaaaaaaaaaaaaaaaaaaaa".bytes() {
            if client.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(SECOND).await;
        }
    };
    let (ended, ()) = tokio::join!(server.ended(), trickle);
    assert_eq!(ended, (Ended::SlowHeader, HEADER));
}

#[tokio::test(start_paused = true)]
async fn a_later_header_has_the_same_time_from_its_first_byte() {
    let (mut client, mut server) = start();
    get_root(&mut client).await;
    sleep(IDLE / 2).await;
    client.write_all(b"GET / HT").await.unwrap();
    assert_eq!(server.ended().await, (Ended::SlowHeader, IDLE / 2 + HEADER));
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_requests_is_closed() {
    let (mut client, mut server) = start();
    sleep(SECOND).await;
    get_root(&mut client).await;
    assert_eq!(server.ended().await, (Ended::Idle, SECOND + IDLE));
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_a_request_now_and_then_stays() {
    let (mut client, mut server) = start();
    for _ in 0..5 {
        get_root(&mut client).await;
        sleep(IDLE - SECOND).await;
    }
    drop(client);
    assert_eq!(server.ended().await.0, Ended::Done);
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_not_the_connections_business() {
    let (mut client, _server) = start();
    let request = "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
    answer(&mut client, request, "\r\n\r\nat last").await;
    get_root(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_not_the_connections_business() {
    let (mut client, _server) = start();
    let header = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n";
    client.write_all(header.as_bytes()).await.unwrap();
    for byte in [b"a", b"b"] {
        client.write_all(byte).await.unwrap();
        sleep(2 * IDLE).await;
    }
    answer(&mut client, "c", "\r\n\r\nabc").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answer_is_cut() {
    let (mut client, mut server) = start();
    let request = "GET /big HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(server.ended().await, (Ended::Idle, IDLE + super::GOODBYE));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_gets_all_of_it() {
    let (mut client, _server) = start();
    let request = "GET /big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut total, mut buffer) = (0, vec![0; PIPE_BYTES]);
    loop {
        let len = client.read(&mut buffer).await.unwrap();
        if len == 0 {
            break;
        }
        total += len;
        sleep(SECOND).await;
    }
    assert!(total > 1 << 20, "{total} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_header_that_is_too_long_is_refused() {
    for header in [
        "x: ".to_owned() + &"a".repeat(100_000),
        "x: y\r\n".repeat(200),
    ] {
        let (client, mut server) = start();
        let (mut reader, mut writer) = tokio::io::split(client);
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n");
        let send = async move { writer.write_all(request.as_bytes()).await.is_ok() };
        let mut answer = String::new();
        let (_, _, ended) = tokio::join!(send, reader.read_to_string(&mut answer), server.ended());
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert_eq!(ended.0, Ended::Error);
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_end_an_idle_connection_is_closed_at_once() {
    let (mut client, mut server) = start();
    get_root(&mut client).await;
    sleep(SECOND).await;
    server.stopping.cancel();
    assert_eq!(server.ended().await, (Ended::Done, SECOND));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_a_running_request_is_finished_and_the_client_told() {
    let (mut client, mut server) = start();
    let request = "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    sleep(SECOND).await;
    server.stopping.cancel();
    let answer = read_until(&mut client, "\r\n\r\nat last").await;
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(server.ended().await, (Ended::Done, 4 * IDLE));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_a_first_request_on_its_way_is_answered() {
    let (mut client, mut server) = start();
    server.stopping.cancel();
    sleep(super::FIRST_REQUEST / 2).await;
    get_root(&mut client).await;
    assert_eq!(server.ended().await.0, Ended::Done);

    let (_client, mut server) = start();
    server.stopping.cancel();
    assert_eq!(server.ended().await, (Ended::Done, super::FIRST_REQUEST));
}

type Http2 = hyper::client::conn::http2::SendRequest<Empty<Bytes>>;

async fn http2(client: DuplexStream) -> (Http2, JoinSet<()>) {
    let io = TokioIo::new(client);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(async move { connection.await.unwrap() });
    (sender, driver)
}

async fn http2_get(client: &mut Http2, path: &str) -> Bytes {
    let request = Request::get(format!("http://x{path}"))
        .body(Empty::new())
        .unwrap();
    let response = client.send_request(request).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test(start_paused = true)]
async fn http2_is_served_and_closed_when_idle_though_pings_are_answered() {
    let (client, mut server) = start();
    let (mut client, mut driver) = http2(client).await;
    assert_eq!(http2_get(&mut client, "/").await, "ok");
    assert_eq!(http2_get(&mut client, "/slow").await, "at last");
    assert_eq!(server.ended().await, (Ended::Idle, 5 * IDLE));
    driver.join_next().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn at_the_end_http2_requests_are_finished() {
    let (client, mut server) = start();
    let (mut client, mut driver) = http2(client).await;
    let stop = async {
        sleep(SECOND).await;
        server.stopping.cancel();
    };
    let (answer, ()) = tokio::join!(http2_get(&mut client, "/slow"), stop);
    assert_eq!(answer, "at last");
    assert_eq!(server.ended().await, (Ended::Done, 4 * IDLE));
    driver.join_next().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_quiet_is_served_as_before() {
    let (mut client, mut server) = start();
    for _ in 0..3 {
        let text = answer(&mut client, GET, "\r\n\r\nok").await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        sleep(IDLE - SECOND).await;
    }
    // From when it last said something on, it is idle like any other.
    let (ended, at) = server.ended().await;
    assert_eq!((ended, at), (Ended::Idle, 3 * IDLE - 2 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn what_a_quiet_client_has_begun_to_send_is_not_lost() {
    let (mut client, _server) = start();
    let (head, rest) = GET.split_at(10);
    answer(&mut client, &format!("{GET}{head}"), "\r\n\r\nok").await;
    sleep(10 * SECOND).await;
    let text = answer(&mut client, rest, "\r\n\r\nok").await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_ends_when_the_process_stops() {
    let (mut client, mut server) = start();
    answer(&mut client, GET, "\r\n\r\nok").await;
    sleep(10 * SECOND).await;
    server.stopping.cancel();
    assert_eq!(server.ended().await, (Ended::Done, 10 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_that_begins_a_header_must_end_it() {
    let (mut client, mut server) = start();
    answer(&mut client, GET, "\r\n\r\nok").await;
    sleep(10 * SECOND).await;
    client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let (ended, at) = server.ended().await;
    assert_eq!((ended, at), (Ended::SlowHeader, 10 * SECOND + HEADER));
}
