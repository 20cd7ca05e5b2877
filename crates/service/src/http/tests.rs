//! The accept loop, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Connections, Peer, serve};
use crate::telemetry::install_metrics;

const LONG: Duration = Duration::from_secs(30);

struct Server {
    address: SocketAddr,
    stopping: CancellationToken,
    arrived: CancellationToken,
    release: CancellationToken,
    cut: JoinSet<usize>,
}

async fn start(max_connections: usize, drain_deadline: Duration) -> Server {
    start_with(max_connections, drain_deadline, CancellationToken::new()).await
}

async fn start_with(
    max_connections: usize,
    drain_deadline: Duration,
    stopping: CancellationToken,
) -> Server {
    let arrived = CancellationToken::new();
    let release = CancellationToken::new();
    let (at_the_door, key) = (arrived.clone(), release.clone());
    let wait = move || async move {
        at_the_door.cancel();
        key.cancelled().await;
        "released"
    };
    let who = |Extension(peer): Extension<Peer>| async move { peer.address.to_string() };
    let router = Router::new()
        .route("/who", get(who))
        .route("/wait", get(wait))
        .route("/panic", get(broken));
    let limits = Connections {
        max_connections,
        ..Connections::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut cut = JoinSet::new();
    let served = serve(listener, router, limits, stopping.clone(), drain_deadline);
    cut.spawn(served);
    Server {
        address,
        stopping,
        arrived,
        release,
        cut,
    }
}

async fn broken() {
    panic!("told to")
}

impl Server {
    async fn send(&self, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        send(&mut client, path).await;
        client
    }

    async fn cut(mut self) -> usize {
        self.cut.join_next().await.unwrap().unwrap()
    }
}

async fn send(client: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
}

async fn answer(client: &mut TcpStream, ending: &str) {
    let mut answer = Vec::new();
    while !answer.ends_with(ending.as_bytes()) {
        let read = client.read_buf(&mut answer);
        let len = tokio::time::timeout(LONG, read).await.unwrap().unwrap();
        assert!(len > 0, "{:?}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn handlers_know_who_asks() {
    let server = start(10, LONG).await;
    let mut client = server.send("/who").await;
    let own = client.local_addr().unwrap().to_string();
    answer(&mut client, &own).await;
}

#[tokio::test]
async fn the_next_connection_waits_for_one_to_end() {
    let server = start(1, LONG).await;
    let mut first = server.send("/who").await;
    let first_is = first.local_addr().unwrap().to_string();
    answer(&mut first, &first_is).await;

    let mut second = server.send("/who").await;
    let second_is = second.local_addr().unwrap().to_string();
    for _ in 0..3 {
        send(&mut first, "/who").await;
        answer(&mut first, &first_is).await;
    }
    assert_eq!(
        second.try_read(&mut [0; 1]).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
    drop(first);
    answer(&mut second, &second_is).await;
}

#[tokio::test]
async fn a_full_server_stops_too() {
    let server = start(1, LONG).await;
    let _client = server.send("/wait").await;
    server.arrived.cancelled().await;
    server.stopping.cancel();
    server.release.cancel();
    assert_eq!(server.cut().await, 0);
}

#[tokio::test]
async fn running_requests_are_finished_and_new_connections_refused() {
    let server = start(10, LONG).await;
    let mut client = server.send("/wait").await;
    server.arrived.cancelled().await;
    server.stopping.cancel();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.release.cancel();
    answer(&mut client, "released").await;
    assert_eq!(server.cut().await, 0);
}

#[tokio::test]
async fn requests_that_do_not_end_are_cut_and_counted() {
    let server = start(10, Duration::from_millis(20)).await;
    let _client = server.send("/wait").await;
    server.arrived.cancelled().await;
    server.stopping.cancel();
    assert_eq!(server.cut().await, 1);
}

#[tokio::test]
async fn who_knocked_before_the_end_is_answered() {
    let stopping = CancellationToken::new();
    stopping.cancel();
    let server = start_with(10, LONG, stopping).await;
    // The server's task has not run yet: nothing was awaited since it was spawned.
    let std_client = std::net::TcpStream::connect(server.address).unwrap();
    std_client.set_nonblocking(true).unwrap();
    let mut client = TcpStream::from_std(std_client).unwrap();
    let own = client.local_addr().unwrap().to_string();
    send(&mut client, "/who").await;
    answer(&mut client, &own).await;
    assert_eq!(server.cut().await, 0);
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_connection_alone() {
    let server = start(10, LONG).await;
    let mut other = server.send("/who").await;
    let own = other.local_addr().unwrap().to_string();
    answer(&mut other, &own).await;
    let mut client = server.send("/panic").await;
    assert_eq!(client.read(&mut [0; 1]).await.unwrap_or(0), 0);
    send(&mut other, "/who").await;
    answer(&mut other, &own).await;
}

#[tokio::test]
async fn connections_are_counted_from_start_to_end() {
    let metrics = install_metrics(&[]);
    let server = start(10, LONG).await;
    let port = server.address.port();
    let has = |name: &str, labels: &str, count: usize| {
        let line = format!("sluice_http_connections_{name}{{port=\"{port}\"{labels}}} {count}");
        let text = metrics.render();
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    };

    let client = server.send("/wait").await;
    server.arrived.cancelled().await;
    has("open", "", 1);
    server.stopping.cancel();
    server.release.cancel();
    assert_eq!(server.cut().await, 0);
    drop(client);
    has("open", "", 0);
    has("accepted_total", "", 1);
    has("closed_total", ",reason=\"done\"", 1);
}
