//! One connection with one request in flight.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A keep-alive connection.
pub(crate) struct Client {
    target: String,
    encoding: Option<&'static str>,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub(crate) async fn connect(
        target: &str,
        encoding: Option<&'static str>,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target)
            .await
            .with_context(|| format!("nothing listens at {target}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a client has no shutdown to wait for"
        )]
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(Self {
            target: target.to_owned(),
            encoding,
            sender,
        })
    }

    /// Posts a body and answers the status and how long the gateway asks to be left alone.
    pub(crate) async fn post(&mut self, body: Bytes) -> anyhow::Result<(u16, Option<Duration>)> {
        let mut request = http::Request::post("/metrics")
            .header(http::header::HOST, &self.target)
            .header(http::header::CONTENT_TYPE, "application/json");
        if let Some(encoding) = self.encoding {
            request = request.header(http::header::CONTENT_ENCODING, encoding);
        }
        self.sender.ready().await?;
        let response = self
            .sender
            .send_request(request.body(Full::new(body))?)
            .await?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(http::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        response.into_body().collect().await?;
        Ok((status, retry_after))
    }
}
