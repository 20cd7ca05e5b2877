//! An HTTP server that reads the body and answers as the gateway would, and does nothing in between.
//!
//! It has a process of its own, so that the kernel counts it as it counts the gateway.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use testkit::{Launch, free_port};

use super::bodies::Bodies;
use crate::load::Load;
use crate::outcome::{Kind, Outcome};
use crate::run::{Subject, measure as measure_load};

/// The stage of this limit.
const STAGE: &str = "http";
/// As large as the gateway's usual limit.
const MOST_BYTES: usize = 16 << 20;
const START: Duration = Duration::from_secs(10);

/// Answers until killed, with as many threads as the gateway has.
pub(super) fn serve(port: u16) -> anyhow::Result<()> {
    let server = std::thread::spawn(move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let router = Router::new()
                .route("/metrics", post(take))
                .route("/readyz", get(async || "ready"))
                .layer(DefaultBodyLimit::max(MOST_BYTES));
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listener = tokio::net::TcpListener::bind(address).await?;
            Ok(axum::serve(listener, router).await?)
        })
    });
    server.join().ok().context("the server panicked")?
}

async fn take(body: Bytes) -> impl IntoResponse {
    debug_assert!(!body.is_empty(), "only bodies are posted");
    (
        [(CONTENT_TYPE, "application/json")],
        r#"{"status":"success","metrics_received":1000}"#,
    )
}

/// Starts one, and loads it as a gateway is loaded.
pub(super) async fn measure(bodies: &Bodies, seconds: Duration) -> anyhow::Result<Outcome> {
    let port = free_port();
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let process = Launch::new("bare-handler", program)
        .args(["limits", "--serve-bare", &port.to_string()])
        .start();
    process.wait_until_ready(port, "/readyz", START);
    let subject = Subject {
        scenario: &bodies.scenario(),
        name: "bare axum handler",
        kind: Kind::Limit,
        target: &format!("127.0.0.1:{port}"),
        processes: [process.pid()].into_iter().collect(),
        statsd: None,
        stored_bytes: None,
    };
    let load = Load {
        duration: seconds,
        warm_up: seconds / 4,
        ..bodies.load.clone()
    };
    let (mut outcome, _) = measure_load(&subject, &load).await?;
    outcome
        .parameters
        .insert("stage".to_owned(), STAGE.to_owned());
    Ok(outcome)
}
