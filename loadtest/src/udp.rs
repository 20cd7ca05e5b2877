//! StatsD over UDP: what a packet costs the gateway, and from which rate on the kernel drops some.
//!
//! Starts a standalone, sends packets at one rate after the other, and accounts for each: received, as `/metrics` says,
//! or dropped, as `/proc/net/udp` says. A packet costs less the more of them wait to be read. So first, whatever the
//! machine can send, the process is held up while as many come as its socket holds, and then reads them as fast as it
//! can: packets per CPU-second of that are what one core is good for.

mod packets;
mod sender;

use std::fmt::{self, Write as _};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use testkit::{Launch, Process, eventually_blocking, free_port, http, usage};

use crate::outcome::{Kind, Outcome};
use packets::Packets;

const START: Duration = Duration::from_secs(60);

/// How long the gateway may take to read what waits when the sender has ended.
const CATCH_UP: Duration = Duration::from_secs(20);

/// Start standalone, and send StatsD packets at growing rates until the kernel drops some.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The binary to start.
    #[arg(long, default_value = "target/dist/sluice")]
    binary: PathBuf,
    /// Packets per second, one run each.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "50000,100000,200000,300000,400000,600000,800000,1000000"
    )]
    rates: Vec<u32>,
    /// Lines of a packet; 0 fills packets up to 1432 bytes.
    #[arg(long, default_value = "1")]
    lines: usize,
    /// Series that take turns.
    #[arg(long, default_value = "1000")]
    series: usize,
    /// Tags of a line, from 1 to 3.
    #[arg(long, default_value = "3")]
    tags: usize,
    /// Packets that wait each time when the gateway reads as fast as it can. A socket of 4 MiB holds some 10,000 small
    /// ones.
    #[arg(long, default_value = "4000")]
    backlog: usize,
    /// UDP sockets of the gateway.
    #[arg(long, default_value = "1")]
    sockets: usize,
    /// Seconds of each run.
    #[arg(long, default_value = "5", value_parser = seconds)]
    duration: Duration,
    /// Go on after the first run with drops.
    #[arg(long)]
    beyond: bool,
    /// The file that gets a line of JSON for each run.
    #[arg(long)]
    output: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::from_secs);
    seconds.map_err(|_| format!("{text:?} is not a number of seconds"))
}

/// What the gateway and the kernel have counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    packets: u64,
    lines: u64,
    drops: u64,
}

/// Measures, and answers a table.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<String> {
    let folder = testkit::run_dir("statsd");
    let (admin, udp) = (free_port(), free_port());
    let binary = &arguments.binary;
    let binary = binary
        .canonicalize()
        .with_context(|| format!("{} is not built", binary.display()))?;
    let process = Launch::new("statsd", binary)
        .arg("standalone")
        .env("SLUICE_DATA_DIR", folder)
        .env("SLUICE_HTTP__LISTEN", format!("127.0.0.1:{}", free_port()))
        .env("SLUICE_ADMIN__LISTEN", format!("127.0.0.1:{admin}"))
        .env("SLUICE_STATSD__LISTEN", format!("127.0.0.1:{udp}"))
        .env("SLUICE_STATSD__SOCKETS", arguments.sockets.to_string())
        .start();
    process.wait_until_ready(admin, "/readyz", START);

    let lines = if arguments.lines == 0 {
        usize::MAX
    } else {
        arguments.lines
    };
    let mut packets = Packets::new(arguments.series, lines, arguments.tags);
    let mut table = format!(
        "{:.1} lines and {} bytes per packet, {} series, {} sockets\n\n\
         | Packets/s | sent | dropped | CPU s | µs per packet | packets per CPU-second | lines per CPU-second |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        packets.lines_per_packet(),
        packets.bytes_per_packet(),
        arguments.series,
        arguments.sockets
    );
    // Makes every series known.
    sender::send(address(udp), &mut packets, 20_000, Duration::from_secs(1))?;
    let rates = arguments.rates.iter().copied().map(Pace::Rate);
    for pace in std::iter::once(Pace::Backlog).chain(rates) {
        let outcome = one(arguments, &process, (admin, udp), &mut packets, pace)?;
        let cpu_s = outcome.cpu_s.unwrap_or_default();
        let received = outcome.requests as f64;
        writeln!(
            table,
            "| {pace} | {:.0} | {} | {cpu_s:.2} | {:.2} | {:.0} | {:.0} |",
            (outcome.requests + outcome.lost.unwrap_or(0)) as f64 / outcome.elapsed_s,
            outcome.lost.unwrap_or(0),
            cpu_s / received * 1e6,
            received / cpu_s,
            outcome.samples as f64 / cpu_s,
        )?;
        if let Some(file) = &arguments.output {
            let mut file = OpenOptions::new().create(true).append(true).open(file)?;
            writeln!(file, "{}", serde_json::to_string(&outcome)?)?;
        }
        if outcome.lost != Some(0) && !arguments.beyond {
            break;
        }
    }
    Ok(table)
}

/// When packets are sent.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// So many a second.
    Rate(u32),
    /// While the gateway is held up.
    Backlog,
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => write!(f, "{rate}"),
            Self::Backlog => f.write_str("backlog"),
        }
    }
}

/// Fills the socket and lets it be emptied, until the time is over; answers how many packets that were.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing else is to be done meanwhile"
)]
fn backlogs(
    arguments: &Arguments,
    process: &Process,
    udp: u16,
    packets: &mut Packets,
) -> anyhow::Result<u64> {
    let started = Instant::now();
    let mut sent = 0;
    while started.elapsed() < arguments.duration {
        process.pause();
        sent += sender::send_all(address(udp), packets, arguments.backlog)?;
        process.resume();
        while waiting(&std::fs::read_to_string("/proc/net/udp")?, udp) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(sent)
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// One rate.
fn one(
    arguments: &Arguments,
    process: &Process,
    (admin, udp): (u16, u16),
    packets: &mut Packets,
    pace: Pace,
) -> anyhow::Result<Outcome> {
    let before = counted(admin, udp)?;
    let cpu_before = usage::cpu_time(process.pid())?;
    let started = Instant::now();
    let sent = match pace {
        Pace::Rate(rate) => sender::send(address(udp), packets, rate, arguments.duration)?,
        Pace::Backlog => backlogs(arguments, process, udp, packets)?,
    };
    let elapsed = started.elapsed();
    // Each packet was read or dropped; some wait to be read.
    let after = eventually_blocking(CATCH_UP, || {
        let now = counted(admin, udp).map_err(|error| error.to_string())?;
        let seen = now.packets - before.packets + now.drops - before.drops;
        if seen == sent {
            Ok(now)
        } else {
            Err(format!("{seen} of {sent} packets are accounted for"))
        }
    });
    let cpu = usage::cpu_time(process.pid())?.saturating_sub(cpu_before);
    let received = after.packets - before.packets;
    ensure!(received > 0, "no packet arrived");
    let scenario = match arguments.lines {
        0 => "statsd-full".to_owned(),
        lines => format!("statsd-{lines}"),
    };
    Ok(Outcome {
        scenario,
        subject: "standalone".to_owned(),
        kind: Kind::Sluice,
        parameters: [
            ("protocol", "statsd".to_owned()),
            ("rate", pace.to_string()),
            ("series", arguments.series.to_string()),
            ("sockets", arguments.sockets.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        samples: after.lines - before.lines,
        requests: received,
        elapsed_s: elapsed.as_secs_f64(),
        cpu_s: Some(cpu.as_secs_f64()),
        rss_idle_bytes: None,
        rss_peak_bytes: Some(usage::peak_resident_bytes(process.pid())?),
        rss: Vec::new(),
        latency_us: Vec::new(),
        disk_bytes_per_sample: None,
        answers: Default::default(),
        answers_after_kafka: None,
        lost: Some(after.drops - before.drops),
        note: "requests are packets; lost are those that the kernel dropped".to_owned(),
    })
}

fn counted(admin: u16, udp: u16) -> anyhow::Result<Counted> {
    let text = http::get(admin, "/metrics")?.text();
    let value = |series: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    };
    let table = std::fs::read_to_string("/proc/net/udp")?;
    Ok(Counted {
        packets: value("sluice_statsd_packets_total{transport=\"udp\"}"),
        lines: value("sluice_statsd_lines_total{outcome=\"taken\"}"),
        drops: drops(&table, udp),
    })
}

/// The lines of a local port, which the second column ends with.
fn of_port(table: &str, port: u16) -> impl Iterator<Item = &str> {
    let port = format!(":{port:04X}");
    let is_ours = move |line: &&str| {
        let local = line.split_whitespace().nth(1);
        local.is_some_and(|local| local.ends_with(&port))
    };
    table.lines().filter(is_ours)
}

/// The last column.
fn drops(table: &str, port: u16) -> u64 {
    let drops = |line: &str| line.split_whitespace().next_back()?.parse::<u64>().ok();
    of_port(table, port).filter_map(drops).sum()
}

/// Whether there is something to read: the second half of the fifth column, in hexadecimal digits.
fn waiting(table: &str, port: u16) -> bool {
    let is_empty = |line: &str| {
        line.split_whitespace()
            .nth(4)?
            .split_once(':')?
            .1
            .parse()
            .ok()
    };
    of_port(table, port).any(|line| is_empty(line) != Some(0))
}

#[cfg(test)]
mod tests;
