//! StatsD in, buffer out: lines over UDP, TCP and Unix sockets are added up and stored every some seconds.
//!
//! Nobody is answered, so everything that is not stored is counted: what the kernel dropped, what could not be read,
//! what there was no memory for. What the buffer does not confirm is said again by the next flush.

mod aggregate;
mod drops;
mod flush;
mod intake;
mod known;
mod listen;
mod pieces;
mod receive;
mod rules;
mod series;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use service::tasks::{CancellationToken, Tasks};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::config::StatsdConfig;
use crate::ingest::{Origin, Pipeline};
use aggregate::Aggregator;
use drops::KernelDrops;
use flush::Flusher;
use intake::Intake;
use listen::SocketFile;
pub use listen::StatsdError;
pub use pieces::packets_of;
use receive::Shared;
use rules::Rules;

/// What part of `statsd.max_memory` the lines that are known may take beside it.
const KNOWN_SHARE: usize = 4;

/// The running receivers.
pub struct Statsd {
    /// Where UDP packets are received, if they are.
    pub udp: Option<SocketAddr>,
    /// Where TCP connections are accepted, if they are.
    pub tcp: Option<SocketAddr>,
    stopping: CancellationToken,
    /// Ends when every receiver has ended.
    receivers: mpsc::Receiver<()>,
    flushing: oneshot::Receiver<()>,
    flusher: Arc<Flusher>,
    files: Vec<SocketFile>,
}

impl std::fmt::Debug for Statsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statsd")
            .field("udp", &self.udp)
            .field("tcp", &self.tcp)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Statsd {
    /// Opens the sockets first, so that nothing runs when one of them cannot be had.
    pub(crate) async fn start(
        config: &StatsdConfig,
        hostname: String,
        pipeline: &Arc<Pipeline>,
        tasks: &Tasks,
    ) -> Result<Self, StatsdError> {
        let udp_sockets = listen::udp(config)?;
        let tcp_listener = match config.tcp_listen {
            Some(address) => Some(listen::tcp(address).await?),
            None => None,
        };
        let datagram = config.unix_datagram.as_deref();
        let datagram = datagram.map(|path| listen::unix_datagram(path, config.receive_buffer));
        let datagram = datagram.transpose()?;
        let stream = config.unix_stream.as_deref().map(listen::unix_stream);
        let stream = stream.transpose()?;

        let gateway = config.gateway.clone().unwrap_or(hostname);
        let format = pipeline.coalescer.shape().format;
        let rules = Rules::of(config, &pipeline.limits, format, gateway);
        let aggregator = Arc::new(Aggregator::new(rules, config.max_memory.bytes()));
        // Who connects is one of many; what comes by datagram is everybody's.
        let known_bytes = config.max_memory.bytes() / KNOWN_SHARE / (udp_sockets.len() + 1);
        let intake = |transport| {
            Intake::new(&aggregator, &pipeline.clock, transport, known_bytes).remembering(pipeline)
        };
        let stopping = tasks.stopping().child_token();
        let (alive, receivers) = mpsc::channel(1);
        let shared = Shared {
            tasks: tasks.clone(),
            stopping: stopping.clone(),
            _alive: alive,
            connections: Arc::new(Semaphore::new(config.max_connections)),
        };
        let mut drops = KernelDrops::default();
        udp_sockets.iter().for_each(|socket| drops.watch(socket));
        let udp = udp_sockets.first().and_then(|it| it.local_addr().ok());
        let tcp = tcp_listener.as_ref().and_then(|it| it.local_addr().ok());
        for socket in udp_sockets {
            let receiver = receive::datagrams(socket, intake("udp"), shared.clone());
            tasks.spawn("statsd udp", receiver);
        }
        if let Some(listener) = tcp_listener {
            let receiver = receive::connections(listener, intake("tcp"), shared.clone());
            tasks.spawn("statsd tcp", receiver);
        }
        let mut files = Vec::new();
        if let Some((socket, file)) = datagram {
            files.push(file);
            let receiver = receive::datagrams(socket, intake("unix_datagram"), shared.clone());
            tasks.spawn("statsd unix datagrams", receiver);
        }
        if let Some((listener, file)) = stream {
            files.push(file);
            let receiver = receive::connections(listener, intake("unix_stream"), shared.clone());
            tasks.spawn("statsd unix stream", receiver);
        }
        drop(shared);

        let flusher = Arc::new(Flusher {
            pipeline: Arc::clone(pipeline),
            aggregator,
            origin: Origin {
                tenant: config.tenant.as_deref().map(Arc::from),
                source: None,
            },
            drops,
        });
        let (flushed, flushing) = oneshot::channel();
        let (running, until) = (Arc::clone(&flusher), stopping.clone());
        let interval = config.flush_interval.0;
        tasks.spawn("statsd flush", async move {
            running.run(interval, until).await;
            drop(flushed);
        });
        Ok(Self {
            udp,
            tcp,
            stopping,
            receivers,
            flushing,
            flusher,
            files,
        })
    }

    /// Where lines are received, for people.
    pub fn places(&self) -> impl Iterator<Item = String> {
        let udp = self.udp.map(|address| format!("udp {address}"));
        let tcp = self.tcp.map(|address| format!("tcp {address}"));
        let files = self.files.iter().map(ToString::to_string);
        udp.into_iter().chain(tcp).chain(files)
    }

    /// Reads what the sockets still hold, closes them, and stores what all of it came to. Answers whether that was done
    /// within the deadline and the buffer has confirmed it.
    pub async fn stop(mut self, deadline: Duration) -> bool {
        let deadline = Instant::now() + deadline;
        self.stopping.cancel();
        let last = async {
            self.receivers.recv().await;
            // Its last flush may still run, and two at a time would only be more work.
            (&mut self.flushing).await.unwrap_or_default();
            self.flusher.flush().await
        };
        let is_stored = timeout_at(deadline, last).await.unwrap_or(false);
        if !is_stored {
            tracing::warn!("the last flush of StatsD was not confirmed");
        }
        is_stored
    }

    #[cfg(test)]
    pub(crate) async fn flush(&self) -> bool {
        self.flusher.flush().await
    }
}

#[cfg(test)]
mod tests;
