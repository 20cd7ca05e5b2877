//! One keep-alive connection, opened again when it is gone.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::body::Protocol;

/// What a server said.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub durability: Option<String>,
    pub retry_after: Option<Duration>,
    pub body: Bytes,
}

/// The connection of a sender to one address.
#[derive(Debug)]
pub(super) struct Connection {
    port: u16,
    open: Option<SendRequest<Full<Bytes>>>,
    /// What moves the bytes of the open connection.
    driver: JoinSet<()>,
}

impl Connection {
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            open: None,
            driver: JoinSet::new(),
        }
    }

    /// Posts a body. What went wrong on the way closes the connection.
    pub(super) async fn post(&mut self, protocol: Protocol, body: Bytes) -> anyhow::Result<Answer> {
        let sender = match self.open.take().filter(|open| !open.is_closed()) {
            Some(open) => open,
            None => self.connect().await?,
        };
        let (sender, answer) = exchange(sender, self.port, protocol, body).await?;
        self.open = Some(sender);
        Ok(answer)
    }

    /// Forgets the connection, whose answer nobody waits for any longer.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.driver.abort_all();
    }

    async fn connect(&mut self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        self.close();
        let stream = TcpStream::connect(("127.0.0.1", self.port))
            .await
            .context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        self.driver
            .spawn(async move { connection.await.unwrap_or_default() });
        Ok(sender)
    }
}

async fn exchange(
    mut sender: SendRequest<Full<Bytes>>,
    port: u16,
    protocol: Protocol,
    body: Bytes,
) -> anyhow::Result<(SendRequest<Full<Bytes>>, Answer)> {
    let mut request = hyper::Request::post(protocol.path())
        .header("host", format!("127.0.0.1:{port}"))
        .header("user-agent", "sluice-faults");
    for (name, value) in protocol.headers() {
        request = request.header(*name, *value);
    }
    sender.ready().await?;
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let durability = header("sluice-durability");
    let retry_after = header("retry-after").and_then(|value| value.parse().ok());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    let answer = Answer {
        status,
        durability,
        retry_after: retry_after.map(Duration::from_secs),
        body,
    };
    Ok((sender, answer))
}
