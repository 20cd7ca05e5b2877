//! A load of numbered samples from senders that behave as real ones do.
//!
//! A sender keeps its connection, sends one batch at a time and in order, and sends a batch that got
//! no 2xx again until it is acknowledged or a bound is reached. It runs on a thread of its own, so
//! that a scenario is a plain list of steps.

mod body;
mod connection;
mod sender;
mod sent;

use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(crate) use body::Number;
pub(crate) use sent::{Sent, Turn};

/// How much is sent, and where.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Ports of 127.0.0.1. A sender goes on to the next one when one fails.
    pub ports: Vec<u16>,
    /// Half of them send JSON, half of them remote write.
    pub senders: u64,
    /// Of each sender; each has a sample in each batch.
    pub series: u64,
    /// Between two batches of a sender.
    pub period: Duration,
    /// Past this a request counts as hung: the server's own deadline and some more.
    pub timeout: Duration,
    /// How long a batch is tried.
    pub give_up: Duration,
}

impl Options {
    /// 2,000 samples a second over eight connections.
    pub(crate) fn to(ports: &[u16]) -> Self {
        Self {
            ports: ports.to_vec(),
            senders: 8,
            series: 25,
            period: Duration::from_millis(100),
            timeout: Duration::from_secs(15),
            give_up: Duration::from_secs(90),
        }
    }

    /// About so many samples a second.
    pub(crate) fn at_rate(mut self, samples_per_second: u64) -> Self {
        // Batches as agents send them; the rest is made by their frequency.
        self.series = (samples_per_second / 80).clamp(1, 500);
        let per_second = samples_per_second.max(1) as f64 / self.series as f64;
        self.period = Duration::from_secs_f64(self.senders as f64 / per_second);
        self
    }
}

/// A running load.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    thread: JoinHandle<anyhow::Result<Vec<Sent>>>,
    pub start_ms: i64,
}

impl Load {
    /// Begins to send.
    pub(crate) fn start(options: Options) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let start_ms = service::clock::now_ms();
        let thread = std::thread::Builder::new()
            .name("load".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(send(options, start_ms, stopped))
            })?;
        Ok(Self {
            stop,
            thread,
            start_ms,
        })
    }

    /// Begins no further batch, waits for those that are on their way, and gives the account.
    pub(crate) fn finish(self) -> anyhow::Result<Vec<Sent>> {
        self.stop.send_replace(true);
        let sent = self.thread.join();
        sent.map_err(|_| anyhow::anyhow!("a sender panicked"))?
    }
}

async fn send(
    options: Options,
    start_ms: i64,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Vec<Sent>> {
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for sender in 0..options.senders {
        let (options, stop) = (options.clone(), stop.clone());
        senders.spawn(sender::run(sender, options, start, start_ms, stop));
    }
    let mut sent = Vec::new();
    while let Some(ended) = senders.join_next().await {
        sent.push(ended.context("a sender panicked")?);
    }
    sent.sort_by_key(|sent| sent.sender);
    Ok(sent)
}
