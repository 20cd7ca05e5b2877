//! A door for `crates/hostile` and `crates/guard` alone: one connection without a socket.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::connection::serve_connection;
use super::{Answers, Connections};

/// Answers whatever a client says until either side has had enough; says why it ended.
pub async fn converse<I>(io: I, client: Option<SocketAddr>, answers: impl Answers) -> &'static str
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stopping = CancellationToken::new();
    let ended = serve_connection(io, answers, client, Connections::default(), stopping).await;
    ended.as_str()
}
