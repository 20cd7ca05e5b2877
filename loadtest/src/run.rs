//! One measured run: connections that send, and the kernel's account of the gateway beside them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use hdrhistogram::Histogram;
use testkit::usage;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::body::Template;
use crate::client::Client;
use crate::report::Row;
use crate::{Compression, Load};

/// How many compressed bodies a connection sends in turn: they cannot be patched.
const COMPRESSED_BODIES: usize = 16;

/// What one connection saw in the time that counts.
struct Seen {
    latency_us: Histogram<u64>,
    statuses: BTreeMap<u16, u64>,
}

/// Loads `target` and measures the process `pid`.
pub(crate) async fn measure(
    name: &str,
    target: &str,
    pid: Option<i32>,
    load: &Load,
) -> anyhow::Result<Row> {
    let idle_bytes = pid.map(usage::resident_bytes).transpose()?;
    let start = Instant::now();
    let counts_from = start + load.warm_up;
    let until = counts_from + load.duration;
    let next_value = Arc::new(AtomicU64::new(0));
    let mut connections = JoinSet::new();
    for number in 0..load.connections.get() {
        let sender = Sender::new(number, target, load, Arc::clone(&next_value)).await?;
        connections.spawn(sender.run(start, counts_from, until));
    }
    sleep_until(counts_from).await;
    let cpu_before = pid.map(usage::cpu_time).transpose()?;
    let mut latency_us = Histogram::new(3)?;
    let mut statuses = BTreeMap::new();
    sleep_until(until).await;
    let cpu_after = pid.map(usage::cpu_time).transpose()?;
    while let Some(seen) = connections.join_next().await {
        let seen = seen??;
        latency_us.add(&seen.latency_us)?;
        for (status, count) in seen.statuses {
            *statuses.entry(status).or_insert(0) += count;
        }
    }
    let acknowledged = statuses.get(&200).copied().unwrap_or(0) * load.batch.get() as u64;
    Ok(Row {
        name: name.to_owned(),
        acknowledged,
        elapsed: load.duration,
        cpu: cpu_before
            .zip(cpu_after)
            .map(|(before, after)| after.saturating_sub(before)),
        idle_bytes,
        peak_bytes: pid.map(usage::peak_resident_bytes).transpose()?,
        latency_us,
        statuses,
    })
}

struct Sender {
    client: Client,
    number: usize,
    connections: usize,
    batch: usize,
    period: Option<Duration>,
    bodies: Bodies,
    next_value: Arc<AtomicU64>,
}

enum Bodies {
    Patched(Template, u64),
    Prepared(Vec<Bytes>, usize),
}

impl Sender {
    async fn new(
        number: usize,
        target: &str,
        load: &Load,
        next_value: Arc<AtomicU64>,
    ) -> anyhow::Result<Self> {
        let batch = load.batch.get();
        let mut template = Template::new(number, batch, load.names.get());
        let (bodies, encoding) = match load.compression {
            Compression::Identity => (Bodies::Patched(template, 0), None),
            Compression::Gzip => {
                let mut prepared = Vec::with_capacity(COMPRESSED_BODIES);
                for at in 0..COMPRESSED_BODIES as u64 {
                    let first = next_value.fetch_add(batch as u64, Ordering::Relaxed);
                    prepared
                        .push(codec::deflate::gzip(template.patch(unix_ms()? + at, first)).into());
                }
                (Bodies::Prepared(prepared, 0), Some("gzip"))
            }
        };
        let connections = load.connections.get();
        Ok(Self {
            client: Client::connect(target, encoding).await?,
            number,
            connections,
            batch,
            // Each connection sends its share of the rate.
            period: load
                .rate
                .map(|rate| Duration::from_secs_f64(connections as f64 / f64::from(rate.get()))),
            bodies,
            next_value,
        })
    }

    async fn run(
        mut self,
        start: Instant,
        counts_from: Instant,
        until: Instant,
    ) -> anyhow::Result<Seen> {
        let mut seen = Seen {
            latency_us: Histogram::new(3)?,
            statuses: BTreeMap::new(),
        };
        // Connections with a fixed rate take turns instead of sending all at once.
        let offset = self.period.map_or(Duration::ZERO, |period| {
            period.mul_f64(self.number as f64 / self.connections as f64)
        });
        let mut due = start + offset;
        loop {
            if let Some(period) = self.period {
                sleep_until(due).await;
                due += period;
            }
            let sent = self.period.map_or_else(Instant::now, |period| due - period);
            if sent >= until {
                return Ok(seen);
            }
            let body = self.body()?;
            let (status, retry_after) = self.client.post(body).await.context("a request failed")?;
            let answered = Instant::now();
            if answered >= counts_from && answered < until {
                seen.latency_us
                    .record(u64::try_from((answered - sent).as_micros())?)?;
                *seen.statuses.entry(status).or_insert(0) += 1;
            }
            if let Some(pause) = retry_after {
                sleep(pause).await;
            }
        }
    }

    fn body(&mut self) -> anyhow::Result<Bytes> {
        match &mut self.bodies {
            Bodies::Patched(template, last_ms) => {
                let first = self
                    .next_value
                    .fetch_add(self.batch as u64, Ordering::Relaxed);
                // A series has one sample per millisecond at most.
                *last_ms = unix_ms()?.max(*last_ms + 1);
                Ok(Bytes::copy_from_slice(template.patch(*last_ms, first)))
            }
            Bodies::Prepared(bodies, next) => {
                *next = (*next + 1) % bodies.len();
                bodies.get(*next).cloned().context("no prepared body")
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a load generator's samples are of now"
)]
fn unix_ms() -> anyhow::Result<u64> {
    Ok(u64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis(),
    )?)
}
