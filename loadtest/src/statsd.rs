//! StatsD over UDP: no answers, so what counts is what the kernel did not drop.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use tokio::net::UdpSocket;
use tokio::task::{LocalSet, yield_now};
use tokio::time::{Instant, sleep_until};

use crate::bodies::Bodies;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::outcome::Outcome;
use crate::quiet::{self, Sampler};
use crate::run::{Subject, parameters};
use crate::source::now_ms;

/// Packets between two looks at the clock.
const BURST: u32 = 32;

/// Sends packets of `batch` lines, at `rate` packets a second or as fast as it can.
pub(crate) async fn measure(
    subject: &Subject<'_>,
    load: &Load,
) -> anyhow::Result<(Outcome, Ledger)> {
    LocalSet::new().run_until(send(subject, load)).await
}

async fn send(subject: &Subject<'_>, load: &Load) -> anyhow::Result<(Outcome, Ledger)> {
    let target = subject.statsd.unwrap_or(subject.target);
    let (_, port) = target.rsplit_once(':').context("a target has a port")?;
    let port: u16 = port.parse()?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(target).await?;
    let rss_idle_bytes = subject.processes.resident()?;
    let sampler = Sampler::start(&subject.processes);
    let mut packets = Packets {
        bodies: Bodies::new(load),
        socket,
        place: 0,
        turn: 0,
        rate: load.rate,
    };
    packets.until(Instant::now() + load.warm_up).await?;
    let before = quiet::Used::now(&subject.processes)?;
    let (sent_before, dropped_before) = (packets.turn, dropped(port)?);
    let counts_from = Instant::now();
    packets.until(counts_from + load.duration).await?;
    let elapsed = counts_from.elapsed();
    quiet::wait(&subject.processes, subject.stored_bytes).await?;
    let used = quiet::Used::now(&subject.processes)?.since(&before);
    let sent = packets.turn - sent_before;
    let dropped = dropped(port)?.saturating_sub(dropped_before);
    let taken = sent.saturating_sub(dropped);
    if dropped > 0 {
        eprintln!("WARNING: the kernel dropped {dropped} of {sent} packets");
    }
    let outcome = Outcome {
        scenario: subject.scenario.to_owned(),
        subject: subject.name.to_owned(),
        kind: subject.kind,
        parameters: parameters(load),
        samples: taken * load.batch.get() as u64,
        requests: taken,
        elapsed_s: elapsed.as_secs_f64(),
        cpu_s: used.process.map(|cpu| cpu.as_secs_f64()),
        rss_idle_bytes,
        rss_peak_bytes: subject.processes.peak()?,
        rss: sampler.stop(),
        latency_us: Vec::new(),
        disk_bytes_per_sample: None,
        answers: BTreeMap::from([("taken".to_owned(), taken), ("dropped".to_owned(), dropped)]),
        answers_after_kafka: Some(false),
        lost: None,
        note: format!(
            "requests are packets, taken is sent less what the kernel dropped; generator {:.1} CPU-s",
            used.generator.as_secs_f64()
        ),
    };
    Ok((outcome, Ledger::default()))
}

struct Packets {
    bodies: Bodies,
    socket: UdpSocket,
    place: u64,
    turn: u64,
    rate: Option<f64>,
}

impl Packets {
    async fn until(&mut self, end: Instant) -> anyhow::Result<()> {
        let (start, first) = (Instant::now(), self.turn);
        while Instant::now() < end {
            if let Some(rate) = self.rate {
                let due = (self.turn - first) as f64 / rate;
                sleep_until(start + Duration::from_secs_f64(due)).await;
            }
            for _ in 0..BURST {
                let packet = self.bodies.make(0, self.turn, now_ms(), self.place);
                let packet = packet.trim_ascii_end();
                self.socket.send(packet).await?;
                self.turn += 1;
                self.place += self.bodies.batch();
            }
            yield_now().await;
        }
        Ok(())
    }
}

/// Packets that the kernel has dropped at this port so far, as `/proc/net/udp` counts them.
fn dropped(port: u16) -> anyhow::Result<u64> {
    let tables = ["/proc/net/udp", "/proc/net/udp6"];
    let texts = tables.map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let suffix = format!(":{port:04X}");
    let drops = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields
                .get(1)?
                .ends_with(&suffix)
                .then(|| fields.last()?.parse::<u64>().ok())?
        });
    Ok(drops.sum())
}
