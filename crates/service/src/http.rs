//! An HTTP server that slow, silent and countless clients cannot wear down, and that ends politely.
//!
//! HTTP/1.1 and HTTP/2 on one port, in the clear or over TLS. Not here: the deadlines of bodies and of handlers, which only the
//! handlers know; a connection whose handler runs is never cut before the drain deadline.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::log_limit::LogLimit;
use crate::metrics;
use crate::process;
use crate::tls::{Acceptor, ClientCertificate, Refused};
pub use alarm::Alarm;
pub use answers::{Answers, Client};
use connection::{Ended, serve_connection};
pub use hyper::body::Incoming;

mod activity;
mod alarm;
mod answers;
mod connection;
mod framing;
#[doc(hidden)]
pub mod fuzzing;
mod rarely;

/// What connections may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// How long a request's header may take, from its first byte to its last, and the first request of a connection
    /// from the connection's start.
    pub header_timeout: Duration,
    /// How long a connection may be open without a request, or a client may not read the answer.
    pub idle_timeout: Duration,
    /// How many may be open; more wait in the kernel's queue.
    pub max_connections: usize,
}

/// Who is at the other end of a connection; an extension of each of its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The address and the port.
    pub address: SocketAddr,
    /// The address alone, as a text.
    pub name: Arc<str>,
}

/// A listener, and the TLS that is spoken on it.
#[derive(Debug)]
pub struct Door {
    /// Where clients knock.
    pub listener: TcpListener,
    /// None for HTTP in the clear.
    pub tls: Option<Acceptor>,
}

impl From<TcpListener> for Door {
    fn from(listener: TcpListener) -> Self {
        Self {
            listener,
            tls: None,
        }
    }
}

impl Peer {
    /// The peer with this address.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        Self {
            address,
            name: address.ip().to_canonical().to_string().into(),
        }
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            max_connections: 20_000,
        }
    }
}

/// How long to leave the operating system alone when it cannot give us another connection.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// How long connections are still accepted when it is time to stop.
const LAST_ACCEPT: Duration = Duration::from_millis(20);

/// How long a handshake may still take when it is time to stop.
const LAST_HANDSHAKE: Duration = Duration::from_millis(500);

/// Serves until `stopping`, then finishes the running requests.
///
/// Returns how many connections had to be cut at the deadline.
pub async fn serve<A: Answers>(
    door: impl Into<Door>,
    answers: A,
    connections: Connections,
    stopping: CancellationToken,
    drain_deadline: Duration,
) -> usize {
    let Door { listener, tls } = door.into();
    let port = listener.local_addr().map_or(0, |address| address.port());
    let mut server = Server {
        port,
        permits: Arc::new(Semaphore::new(room(port, connections.max_connections))),
        running: JoinSet::new(),
        listener,
        tls,
        answers,
        connections,
        stopping,
    };
    while let Some(permit) = server.permit().await {
        match server.accept().await {
            Some(Ok((stream, address))) => server.start(stream, address, permit),
            Some(Err(error)) => server.accept_failed(&error).await,
            None => break,
        }
    }
    server.accept_those_that_knocked().await;
    server.drain(drain_deadline).await
}

/// How many connections there is room for.
fn room(port: u16, wanted: usize) -> usize {
    let files = process::open_files_limit();
    let room = process::connections_within(files, wanted);
    if room < wanted {
        tracing::warn!(
            port,
            wanted,
            room,
            files,
            "fewer connections than max_connections: the system lets this process open too few files"
        );
    }
    room.min(Semaphore::MAX_PERMITS)
}

struct Server<A> {
    listener: TcpListener,
    tls: Option<Acceptor>,
    port: u16,
    answers: A,
    connections: Connections,
    stopping: CancellationToken,
    permits: Arc<Semaphore>,
    running: JoinSet<Ended>,
}

impl<A: Answers> Server<A> {
    /// Room for one more connection; none when it is time to stop.
    async fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Some(permit);
        }
        static FULL: LogLimit = LogLimit::new();
        metrics::connection_waited(self.port);
        if let Some(suppressed) = FULL.pass() {
            let limit = self.connections.max_connections;
            tracing::warn!(
                port = self.port,
                limit,
                suppressed,
                "as many connections as allowed are open, more wait"
            );
        }
        tokio::select! {
            permit = Arc::clone(&self.permits).acquire_owned() => permit.ok(),
            () = self.stopping.cancelled() => None,
        }
    }

    async fn accept(&mut self) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => return Some(accepted),
                () = self.stopping.cancelled() => return None,
                Some(ended) = self.running.join_next() => count_end(self.port, ended),
            }
        }
    }

    async fn accept_failed(&self, error: &io::Error) {
        // This one client has gone already; the next one is waiting.
        if matches!(
            error.kind(),
            ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionRefused
        ) {
            return;
        }
        static FAILED: LogLimit = LogLimit::new();
        metrics::accept_failed(self.port);
        if let Some(suppressed) = FAILED.pass() {
            tracing::error!(port = self.port, %error, suppressed, "cannot accept a connection; is the limit of open files too low?");
        }
        tokio::select! {
            () = tokio::time::sleep(ACCEPT_BACKOFF) => {}
            () = self.stopping.cancelled() => {}
        }
    }

    fn start(&mut self, stream: TcpStream, address: SocketAddr, permit: OwnedSemaphorePermit) {
        // An answer of two writes must not wait for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let open = metrics::ConnectionOpen::new(self.port);
        let (answers, connections) = (self.answers.clone(), self.connections);
        let stopping = self.stopping.clone();
        let Some(tls) = self.tls.clone() else {
            let served = serve_connection(stream, answers, Some(address), connections, stopping);
            self.running.spawn(async move {
                let ended = served.await;
                drop((open, permit));
                ended
            });
            return;
        };
        self.running.spawn(async move {
            let ended = match shake(&tls, stream, connections, &stopping).await {
                Ok((stream, certificate)) => {
                    let client = Client {
                        peer: Some(Peer::of(address)),
                        certificate,
                        ..Client::default()
                    };
                    serve_connection(stream, answers, client, connections, stopping).await
                }
                Err(ended) => ended,
            };
            drop((open, permit));
            ended
        });
    }

    /// The kernel has accepted these for us; dropping the listener would reset them.
    async fn accept_those_that_knocked(&mut self) {
        let until = Instant::now() + LAST_ACCEPT;
        while let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            match timeout_at(until, self.listener.accept()).await {
                Ok(Ok((stream, address))) => self.start(stream, address, permit),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    async fn drain(self, deadline: Duration) -> usize {
        let Self {
            listener,
            port,
            mut running,
            ..
        } = self;
        drop(listener);
        let drained = tokio::time::timeout(deadline, async {
            while let Some(ended) = running.join_next().await {
                count_end(port, ended);
            }
        });
        if drained.await.is_ok() {
            return 0;
        }
        while let Some(ended) = running.try_join_next() {
            count_end(port, ended);
        }
        let late = running.len();
        for _ in 0..late {
            metrics::connection_closed(port, Ended::Shutdown.as_str());
        }
        if late > 0 {
            tracing::warn!(
                port,
                connections = late,
                "connections cut: their requests did not end in time"
            );
        }
        running.shutdown().await;
        late
    }
}

type Shaken = (Box<TlsStream<TcpStream>>, Option<Arc<ClientCertificate>>);

/// Does a connection's handshake. One that has not done its part when the process stops is not waited for long.
async fn shake(
    tls: &Acceptor,
    stream: TcpStream,
    connections: Connections,
    stopping: &CancellationToken,
) -> Result<Shaken, Ended> {
    let handshake = Box::pin(tls.handshake(stream, connections.header_timeout));
    let too_late = async {
        stopping.cancelled().await;
        tokio::time::sleep(LAST_HANDSHAKE).await;
    };
    tokio::select! {
        shaken = handshake => match shaken {
            Ok((stream, certificate)) => Ok((Box::new(stream), certificate)),
            Err(Refused::Slow) => Err(Ended::SlowHeader),
            Err(Refused::Failed) => Err(Ended::Handshake),
        },
        () = too_late => Err(Ended::Done),
    }
}

fn count_end(port: u16, ended: Result<Ended, JoinError>) {
    // A panic has been logged by the hook; it ended this connection alone.
    let reason = ended.map_or("panic", Ended::as_str);
    metrics::connection_closed(port, reason);
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
