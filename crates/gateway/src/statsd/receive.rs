//! Reading from the sockets until it is time to stop, and then what they still hold.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use service::log_limit::LogLimit;
use service::tasks::{CancellationToken, Tasks};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout};

use super::intake::Intake;
use super::pieces::Pieces;

/// No UDP packet is larger. Of a longer Unix datagram the kernel gives no more than the buffer holds.
const LARGEST_PACKET: usize = 64 << 10;

/// What is read of a stream at a time.
const STREAM_BUFFER: usize = 16 << 10;

/// Packets between two looks at whether others have something to do.
const BURST: usize = 64;

/// What a socket says nothing for when stopping has been read.
const GRACE: Duration = Duration::from_millis(20);

/// How long it is read at most when stopping: senders go on, and the last flush is waiting.
const LAST: Duration = Duration::from_secs(1);

/// A connection that says nothing for so long is taken for gone.
const IDLE: Duration = Duration::from_secs(3600);

/// A socket that says when there is something, and then gives it.
pub(super) trait Source: Send + Sync + 'static {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize>;
}

macro_rules! source {
    ($type:ty, $read:ident) => {
        impl Source for $type {
            fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
                self.readable()
            }

            fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.$read(buffer)
            }
        }
    };
}

source!(UdpSocket, try_recv);
source!(UnixDatagram, try_recv);
source!(TcpStream, try_read);
source!(UnixStream, try_read);

/// What every receiver of a process has.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub tasks: Tasks,
    pub stopping: CancellationToken,
    /// Dropped by the last receiver that ends.
    pub _alive: mpsc::Sender<()>,
    pub connections: Arc<Semaphore>,
}

/// A socket that gives connections.
pub(super) trait Listener: Send + Sync + 'static {
    type Stream: Source;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

/// Reads datagrams.
pub(super) async fn datagrams<S: Source>(socket: S, mut intake: Intake, shared: Shared) {
    let mut buffer = vec![0; LARGEST_PACKET + 1];
    let stopping = &shared.stopping;
    while let Some(ready) = stopping.run_until_cancelled(socket.readable()).await {
        let read = ready.and_then(|()| burst(&socket, &mut buffer, &mut intake));
        intake.tell();
        match read {
            Ok(()) => tokio::task::yield_now().await,
            Err(error) => pause(&error, &stopping.clone()).await,
        }
    }
    // What came before the end is taken, too.
    let until = Instant::now() + LAST;
    while Instant::now() < until {
        let Ok(Ok(())) = timeout(GRACE, socket.readable()).await else {
            break;
        };
        if burst(&socket, &mut buffer, &mut intake).is_err() {
            break;
        }
    }
    // Counted before `shared` says that this one has ended.
    drop(intake);
}

/// Reads some packets, until there is none.
fn burst<S: Source>(socket: &S, buffer: &mut [u8], intake: &mut Intake) -> io::Result<()> {
    for _ in 0..BURST {
        match socket.try_read(buffer) {
            Ok(length) => packet(buffer.get(..length).unwrap_or_default(), intake),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes a packet: of one that was cut off, its whole lines.
fn packet(packet: &[u8], intake: &mut Intake) {
    if packet.len() <= LARGEST_PACKET {
        return intake.packet(packet);
    }
    let end = packet.iter().rposition(|byte| *byte == b'\n');
    let (lines, rest) = packet.split_at(end.map_or(0, |end| end + 1));
    intake.packet(lines);
    intake.reject("packet_too_long", rest);
}

/// Waits a little after a failure, which may be there to stay.
async fn pause(error: &io::Error, stopping: &CancellationToken) {
    static FAILED: LogLimit = LogLimit::new();
    if let Some(suppressed) = FAILED.pass() {
        tracing::warn!(%error, suppressed, "a StatsD socket fails");
    }
    let a_while = tokio::time::sleep(Duration::from_millis(100));
    stopping.run_until_cancelled(a_while).await;
}

/// Accepts connections, and reads each in a task of its own.
pub(super) async fn connections<L: Listener>(listener: L, intake: Intake, shared: Shared) {
    let stopping = shared.stopping.clone();
    let next = async || {
        let permit = Arc::clone(&shared.connections).acquire_owned().await;
        (permit, listener.accept().await)
    };
    while let Some((permit, accepted)) = stopping.run_until_cancelled(next()).await {
        match accepted {
            Ok(stream) => {
                let (intake, kept) = (intake.another(), shared.clone());
                shared.tasks.spawn("statsd connection", async move {
                    connection(stream, intake, kept).await;
                    drop(permit);
                });
            }
            Err(error) => pause(&error, &stopping).await,
        }
    }
}

/// Reads a connection to its end.
async fn connection<S: Source>(stream: S, mut intake: Intake, shared: Shared) {
    let mut buffer = vec![0; STREAM_BUFFER];
    let mut pieces = Pieces::default();
    let mut until = None;
    loop {
        let ready = match until {
            None => {
                let ready = timeout(IDLE, stream.readable());
                shared.stopping.run_until_cancelled(ready).await
            }
            Some(until) if Instant::now() < until => Some(timeout(GRACE, stream.readable()).await),
            Some(_) => break,
        };
        match ready {
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(_)) | Err(_)) => break,
            // What came before the end is taken, too.
            None => {
                until = Some(Instant::now() + LAST);
                continue;
            }
        }
        match stream.try_read(&mut buffer) {
            Ok(0) => {
                pieces.end(&mut intake);
                break;
            }
            Ok(length) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                if !pieces.feed(bytes, &mut intake) {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        intake.tell();
        tokio::task::yield_now().await;
    }
    pieces.break_off(&mut intake);
    drop(intake);
}
