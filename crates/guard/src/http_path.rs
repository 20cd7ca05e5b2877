//! Requests on connections that stay open: all but what is the kernel's.
//!
//! The bytes go through a pipe in memory. Many clients send at the same moment and wait for their answers, so that
//! records are shared as they are by [`crate::gateway_path`]: what is more here is the connection's.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use axum::serve::Listener;
use bytes::{Bytes, BytesMut};
use gateway::{Config, Gateway};
use model::ManualClock;
use service::http::fuzzing::converse;
use service::tasks::Tasks;
use service::telemetry::install_metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Runtime;

use crate::bodies::NOW_MS;
use crate::gateway_path::{Shape, Size, runtime};
use crate::null::Nowhere;
use crate::paths::{Round, VARIANTS};

/// Room for a request, or an answer, on its way.
const PIPE_BYTES: usize = 64 << 10;

/// Where every client seems to be.
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// What the gateway answers to one sample.
const ANSWER: &str = r#"{"status":"success","metrics_received":1}"#;

pub(crate) struct HttpPath {
    runtime: Runtime,
    /// Ends the gateway's tasks when it goes; none where there is only a handler.
    _gateway: Option<(Gateway<Nowhere>, Tasks)>,
    clients: Vec<Client>,
    /// By variant, one for each client.
    requests: Vec<Vec<Bytes>>,
}

impl HttpPath {
    /// Through the gateway.
    pub(crate) fn gateway(shape: Shape, size: Size) -> Self {
        // Counting is part of the cost.
        let _metrics = install_metrics(&[gateway::CATALOGUE]);
        let runtime = runtime();
        let tasks = Tasks::new();
        let (front, gateway) = {
            let _entered = runtime.enter();
            let clock = Arc::new(ManualClock::new(NOW_MS));
            let buffer = Arc::new(Nowhere::default());
            gateway::router(&Config::default(), buffer, clock, &tasks, Router::new())
        };
        let connect = |_| {
            let (client, server) = duplex(PIPE_BYTES);
            let served = converse(server, Some(CLIENT), front.clone());
            runtime.spawn(served);
            Client::new(client)
        };
        Self {
            clients: (0..size.requests).map(connect).collect(),
            requests: requests(shape, size),
            runtime,
            _gateway: Some((gateway, tasks)),
        }
    }

    /// Through a handler that reads the body and answers, as axum serves it: the least that it could be.
    pub(crate) fn bare(shape: Shape, size: Size) -> Self {
        let runtime = runtime();
        let (clients, servers): (Vec<_>, Vec<_>) = (0..size.requests)
            .map(|_| duplex(PIPE_BYTES))
            .map(|(client, server)| (Client::new(client), server))
            .unzip();
        let handler = async |body: Bytes| {
            assert!(!body.is_empty(), "a body");
            ([("content-type", "application/json")], ANSWER)
        };
        let router = Router::new().route(shape.uri, post(handler));
        runtime.spawn(async move { axum::serve(Servers(servers), router).await });
        Self {
            clients,
            requests: requests(shape, size),
            runtime,
            _gateway: None,
        }
    }
}

/// Requests as they are on the wire.
fn requests(shape: Shape, size: Size) -> Vec<Vec<Bytes>> {
    let request = |number, variant| {
        let body = (shape.body)(size.samples, number, variant);
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: gateway.example:8080\r\nuser-agent: agent/1.0\r\naccept: */*\r\n\
             content-length: {}\r\n",
            shape.uri,
            body.len()
        );
        for (name, value) in shape.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let mut request = BytesMut::from(head.as_bytes());
        request.extend_from_slice(&body);
        request.freeze()
    };
    (0..VARIANTS)
        .map(|variant| {
            let requests = (0..size.requests).map(|number| request(number, variant));
            requests.collect()
        })
        .collect()
}

impl Round for HttpPath {
    fn round(&mut self, number: usize) {
        let requests = self.requests.get(number % VARIANTS);
        let requests = requests.map(Vec::as_slice).unwrap_or_default();
        let clients = &mut self.clients;
        self.runtime.block_on(async {
            for (client, request) in clients.iter_mut().zip(requests) {
                client.ask(request).await;
            }
            for client in clients {
                client.hear().await;
            }
        });
    }
}

/// The other end of a connection.
struct Client {
    pipe: DuplexStream,
    heard: BytesMut,
}

impl Client {
    fn new(pipe: DuplexStream) -> Self {
        Self {
            pipe,
            heard: BytesMut::new(),
        }
    }

    async fn ask(&mut self, request: &[u8]) {
        self.pipe.write_all(request).await.expect("a connection");
    }

    /// Reads an answer: a head, and an object without others in it.
    async fn hear(&mut self) {
        self.heard.clear();
        while !self.heard.ends_with(b"}") {
            let read = self.pipe.read_buf(&mut self.heard).await;
            assert_ne!(read.expect("an answer"), 0, "the connection has ended");
        }
        assert!(
            self.heard.starts_with(b"HTTP/1.1 200 OK\r\n"),
            "{}",
            String::from_utf8_lossy(&self.heard)
        );
    }
}

/// Connections that are there from the beginning.
struct Servers(Vec<DuplexStream>);

impl Listener for Servers {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        match self.0.pop() {
            Some(server) => (server, CLIENT),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(CLIENT)
    }
}
