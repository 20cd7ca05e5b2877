//! Clients that mean harm, on real sockets, beside one that does not and is served all the while.

mod http1;
mod http2;
mod smuggling;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Connections, serve};

/// Far beyond anything that is meant to happen.
const LONG: Duration = Duration::from_secs(30);

/// How patient the server is here.
const SHORT: Duration = Duration::from_millis(300);

struct Victim {
    address: SocketAddr,
    /// Method, path and the body's length of each request that reached a handler and was not the good client's.
    served: Arc<Mutex<Vec<String>>>,
    _server: JoinSet<usize>,
}

impl Victim {
    async fn start(connections: Connections) -> Self {
        let served = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&served);
        let router = Router::new().fallback(async move |request: Request<Body>| {
            let what = format!("{} {}", request.method(), request.uri().path());
            if what == "GET /good" {
                return "ok".into_bytes_of(2);
            }
            let is_big = what.ends_with("/big");
            let body = request.into_body().collect().await;
            let length = body.map_or_else(
                |_| "broken".to_owned(),
                |body| body.to_bytes().len().to_string(),
            );
            seen.lock().unwrap().push(format!("{what} {length}"));
            "ok".into_bytes_of(if is_big { 1 << 20 } else { 2 })
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        let stopping = CancellationToken::new();
        server.spawn(serve(listener, router, connections, stopping, LONG));
        Self {
            address,
            served,
            _server: server,
        }
    }

    async fn impatient() -> Self {
        Self::start(Connections {
            header_timeout: SHORT,
            idle_timeout: SHORT,
            ..Connections::default()
        })
        .await
    }

    fn served(&self) -> Vec<String> {
        self.served.lock().unwrap().clone()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Says something, and what the server answers until it closes the connection or has answered all.
    async fn talk(&self, said: &[u8]) -> String {
        let mut client = self.connect().await;
        // The server may close before it has heard everything.
        drop(client.write_all(said).await);
        drop(client.shutdown().await);
        read_to_end(&mut client).await
    }

    /// Runs an attack while a good client goes on asking; every one of its requests is answered.
    async fn beside<T>(&self, attack: impl Future<Output = T>) -> T {
        let done = CancellationToken::new();
        let address = self.address;
        let is_over = done.clone();
        let mut good = JoinSet::new();
        good.spawn(async move {
            let mut answered = 0_usize;
            while answered == 0 || !is_over.is_cancelled() {
                let mut client = TcpStream::connect(address).await.unwrap();
                let request = b"GET /good HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
                client.write_all(request).await.unwrap();
                let answer = read_to_end(&mut client).await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
                answered += 1;
                tokio::task::yield_now().await;
            }
            answered
        });
        let result = timeout(LONG, attack).await.expect("the attack ends");
        done.cancel();
        let answered = good.join_next().await.unwrap().unwrap();
        assert!(answered > 0);
        result
    }
}

trait IntoBytes {
    fn into_bytes_of(self, length: usize) -> Vec<u8>;
}

impl IntoBytes for &str {
    fn into_bytes_of(self, length: usize) -> Vec<u8> {
        self.bytes().cycle().take(length).collect()
    }
}

/// What comes until the connection is closed or reset.
async fn read_to_end(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read) = timeout(LONG, client.read(&mut buffer))
        .await
        .expect("an end")
    {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Writes for as long as the server takes it; answers how many bytes that were, at most `most`.
async fn write_on(client: &mut TcpStream, piece: &[u8], most: usize) -> usize {
    let mut written = 0;
    while written < most {
        match timeout(LONG, client.write(piece)).await {
            Ok(Ok(count)) => written += count,
            Ok(Err(_)) => break,
            Err(_) => panic!("the server neither reads nor closes after {written} bytes"),
        }
    }
    written
}
