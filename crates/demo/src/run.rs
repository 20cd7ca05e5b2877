//! Everybody sends, until told to stop.

use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

use futures::future::join_all;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method};
use service::clock::now_ms;
use service::http_client::{ClientError, Timeouts, client};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, sleep_until};

use crate::push::{Push, Sender, Via};
use crate::report::{Outcome, Report};
use crate::{Options, fleet};

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    request: Duration::from_secs(30),
};

/// How long a gateway may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two lines that say how it goes.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nobody answers at the URL.
    #[error("no Sluice answers at {url}: {why}; `sluice standalone` starts one")]
    Nobody {
        /// Where.
        url: String,
        /// What the last attempt said.
        why: String,
    },
    /// The StatsD address cannot be used.
    #[error("--statsd {address}: {why}")]
    Statsd {
        /// Where.
        address: String,
        /// What the system said.
        why: std::io::Error,
    },
}

/// Sends until `stop` is there. Tells how it goes now and then, by `tell`.
///
/// # Errors
/// When nobody answers at first. What fails later is in the report.
pub async fn run(
    options: &Options,
    stop: impl Future<Output = ()>,
    tell: impl Fn(&Report),
) -> Result<Report, DemoError> {
    let client = client(TIMEOUTS)?;
    let mut stop = std::pin::pin!(stop);
    tokio::select! {
        found = await_gateway(&client, &options.url) => found?,
        () = &mut stop => return Ok(Report::default()),
    }
    let socket = match &options.statsd {
        Some(address) => Some(connect(address).await?),
        None => None,
    };
    let report = RefCell::new(Report::default());
    let line = Line {
        client: &client,
        url: options.url.trim_end_matches('/'),
        socket: socket.as_ref(),
        report: &report,
    };
    let everybody = join_all(
        fleet(options, now_ms())
            .into_iter()
            .map(|sender| line.drive(sender)),
    );
    let telling = async {
        loop {
            sleep(TELL_EVERY).await;
            tell(&report.borrow());
        }
    };
    tokio::select! {
        _ = everybody => {}
        () = telling => {}
        () = stop => {}
    }
    Ok(report.into_inner())
}

async fn await_gateway(client: &Client, url: &str) -> Result<(), DemoError> {
    let health = format!("{}/health", url.trim_end_matches('/'));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let why = match client.get(&health).send().await {
            // Something else may have that port, and must not get a fleet's samples.
            Ok(answer) => match answer.text().await {
                Ok(body) if is_healthy(&body) => return Ok(()),
                Ok(_) => "something answers at /health, but no Sluice".to_owned(),
                Err(error) => root_cause(&error),
            },
            Err(error) => root_cause(&error),
        };
        if Instant::now() >= deadline {
            let url = url.to_owned();
            return Err(DemoError::Nobody { url, why });
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn connect(address: &str) -> Result<UdpSocket, DemoError> {
    let connected = async {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        socket.connect(address).await?;
        Ok(socket)
    };
    connected.await.map_err(|why| DemoError::Statsd {
        address: address.to_owned(),
        why,
    })
}

/// What leads to the gateway.
#[derive(Clone, Copy)]
struct Line<'a> {
    client: &'a Client,
    url: &'a str,
    socket: Option<&'a UdpSocket>,
    report: &'a RefCell<Report>,
}

impl Line<'_> {
    /// One sender's pushes. One that is late, because an answer was, goes on from there: it does not catch up.
    async fn drive(self, mut sender: Sender) {
        let mut due = Instant::now() + sender.delay();
        loop {
            sleep_until(due).await;
            for push in sender.push(now_ms()) {
                let samples = push.samples;
                let outcome = self.send(push).await;
                self.report.borrow_mut().add(sender.kind, samples, outcome);
            }
            due = (due + sender.every).max(Instant::now());
        }
    }

    async fn send(self, push: Push) -> Outcome {
        let sent = match push.via {
            Via::Packet(packet) => {
                let Some(socket) = self.socket else {
                    return Outcome::Sent;
                };
                return match socket.send(packet.as_bytes()).await {
                    Ok(_) => Outcome::Sent,
                    Err(error) => Outcome::Failed(error.to_string()),
                };
            }
            Via::Http {
                replaces,
                path,
                content_type,
                body,
            } => {
                let method = if replaces { Method::PUT } else { Method::POST };
                let mut request = self.client.request(method, format!("{}{path}", self.url));
                if let Some(tenant) = push.tenant {
                    request = request.header("X-Scope-OrgID", tenant);
                }
                request
                    .header("Sluice-Source", push.source)
                    .header(CONTENT_TYPE, content_type)
                    .body(body)
                    .send()
                    .await
            }
        };
        match sent {
            Ok(answer) => {
                let status = answer.status().as_u16();
                let body = answer.text().await.unwrap_or_default();
                Outcome::Answered {
                    status,
                    refused: refused(&body),
                }
            }
            Err(error) => Outcome::Failed(root_cause(&error)),
        }
    }
}

fn is_healthy(body: &str) -> bool {
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    answer.get("status").and_then(serde_json::Value::as_str) == Some("healthy")
}

/// What a JSON answer says; the others refuse nothing of what is sent here.
fn refused(body: &str) -> u64 {
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    answer
        .get("metrics_rejected")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(0)
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
