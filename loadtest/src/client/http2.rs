//! HTTP/2 on one connection, with prior knowledge.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{Answer, Request};

/// A connection with one stream at a time.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    request: Request,
    body: Vec<u8>,
}

impl Client {
    pub(super) async fn new(stream: TcpStream, request: &Request) -> anyhow::Result<Self> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            // As large as common clients have them, or a body waits for its own acknowledgements.
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(4 << 20)
            .handshake(TokioIo::new(stream))
            .await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a client has no shutdown to wait for"
        )]
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(Self {
            sender,
            request: request.clone(),
            body: Vec::new(),
        })
    }

    pub(super) fn body(&mut self) -> &mut Vec<u8> {
        self.body.clear();
        &mut self.body
    }

    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) async fn post(&mut self) -> anyhow::Result<Answer> {
        let uri = format!("http://{}{}", self.request.target, self.request.path);
        let mut request = http::Request::post(uri);
        for (name, value) in &self.request.headers {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::from(std::mem::take(&mut self.body)));
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(body)?).await?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(http::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer {
            status: status.as_u16(),
            retry_after,
            is_partial: status.is_success() && self.request.protocol.is_partial(&body),
        })
    }
}
