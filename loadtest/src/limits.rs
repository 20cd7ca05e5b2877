//! The bars that nothing can pass, on this machine and now.
//!
//! Each limit does a part of the gateway's work and nothing else, with the fastest library for it: a gateway that
//! decodes cannot be faster than decoding. Ratios to these say more than rates, because a busy neighbour slows both.
//! What a limit costs is the CPU time of its own thread, or of its own process where it has one.
//!
//! Both sides of a ratio must be built alike. The libraries need inlining across crates: sonic-rs decodes 1.6 times as
//! much with link-time optimisation as without, so build with the profile `dist`, as what is shipped is built.

mod bodies;
mod decode;
mod disk;
mod http;
mod inflate;
mod json;
mod kafka;
mod pipeline;
mod stopwatch;
#[cfg(test)]
mod tests;
mod text;
mod views;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};

use self::bodies::Bodies;
use crate::outcome::{Kind, Outcome};
use crate::output;
use crate::protocol::Protocol;

/// What the product allocates with, or decoding would be compared across allocators.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure what nothing can be faster than: decoding alone, a bare handler, a raw producer, the disk.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Lines of JSON are appended to this file.
    #[arg(long, required_unless_present = "serve_bare")]
    output: Option<PathBuf>,
    /// Only these; all of them otherwise.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Limit>,
    /// Seconds of CPU time, or of wall-clock time where the limit waits, for each line.
    #[arg(long, default_value = "2")]
    seconds: f64,
    /// Where the disk is measured; must be on the disk that a data directory would be on.
    #[arg(long, default_value = ".")]
    data_dir: PathBuf,
    /// Brokers to produce to; without it one is started.
    #[arg(long)]
    brokers: Option<String>,
    /// Samples that share the records of one coalescing window, for the raw producer.
    #[arg(long, default_value = "8000")]
    window_samples: usize,
    /// Answers every request on this port of 127.0.0.1 until killed: the bare handler's own process.
    #[arg(long, hide = true)]
    serve_bare: Option<u16>,
}

/// A kind of limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Limit {
    /// Bytes to structs, with the fastest library of each format; remote write with snappy, too.
    Decode,
    /// gzip bodies, whole buffer to whole buffer, alone and with decoding.
    Inflate,
    /// Decoding, grouping by metric name, encoding of records: the straightforward way.
    Pipeline,
    /// An HTTP server that reads the body and answers.
    Http,
    /// A librdkafka producer that is given finished records.
    Kafka,
    /// Writing and syncing a file.
    Disk,
}

/// Measures and appends what was found, line by line.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Some(port) = arguments.serve_bare {
        return http::serve(port);
    }
    let path = arguments.output.as_deref().context("--output is missing")?;
    if cfg!(debug_assertions) {
        eprintln!("WARNING: this program was built for debugging; its limits are no limits");
    }
    let seconds = Duration::try_from_secs_f64(arguments.seconds)?;
    let wanted = |limit| arguments.only.is_empty() || arguments.only.contains(&limit);
    let write = |outcomes: Vec<Outcome>| -> anyhow::Result<()> {
        for outcome in outcomes {
            eprintln!("{}", summary(&outcome));
            output::append(path, &[outcome])?;
        }
        Ok(())
    };
    for &(protocol, batch) in &[
        (Protocol::Json, 1000),
        (Protocol::Json, 10),
        (Protocol::Json, 1),
        (Protocol::RemoteWrite1, 1000),
        (Protocol::RemoteWrite2, 1000),
        (Protocol::Otlp, 1000),
        (Protocol::Influx, 1000),
        (Protocol::Text, 1000),
    ] {
        let bodies = Bodies::new(protocol, batch)?;
        if wanted(Limit::Decode) {
            write(decode::measure(&bodies, seconds)?)?;
        }
        if protocol == Protocol::Json && batch == 1000 {
            if wanted(Limit::Inflate) {
                write(inflate::measure(&bodies, seconds)?)?;
            }
            if wanted(Limit::Pipeline) {
                write(pipeline::measure(&bodies, seconds))?;
            }
        }
        if protocol == Protocol::Json && wanted(Limit::Http) {
            write(vec![http::measure(&bodies, seconds).await?])?;
        }
    }
    if wanted(Limit::Kafka) {
        write(kafka::measure(&arguments, seconds).await?)?;
    }
    if wanted(Limit::Disk) {
        write(vec![disk::measure(&arguments.data_dir, seconds)?])?;
    }
    Ok(())
}

/// A limit's line, without figures.
fn line(bodies: &Bodies, scenario: String, subject: &str, stage: &str) -> Outcome {
    let parameters = [
        ("protocol", bodies.load.protocol.name()),
        ("batch", bodies.batch().to_string()),
        ("names", bodies.names().to_string()),
        ("stage", stage.to_owned()),
    ];
    Outcome {
        parameters: parameters
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        ..empty(scenario, subject)
    }
}

fn empty(scenario: String, subject: &str) -> Outcome {
    Outcome {
        scenario,
        subject: subject.to_owned(),
        kind: Kind::Limit,
        parameters: BTreeMap::new(),
        samples: 0,
        requests: 0,
        elapsed_s: 0.0,
        cpu_s: None,
        rss_idle_bytes: None,
        rss_peak_bytes: None,
        rss: Vec::new(),
        latency_us: Vec::new(),
        disk_bytes_per_sample: None,
        answers: BTreeMap::new(),
        answers_after_kafka: None,
        lost: None,
        note: String::new(),
    }
}

fn summary(outcome: &Outcome) -> String {
    let cpu_s = outcome.cpu_s.unwrap_or(f64::NAN);
    let latency: Vec<String> = outcome
        .latency_us
        .iter()
        .map(|(quantile, us)| format!("p{} {:.2} ms", quantile * 100.0, *us as f64 / 1000.0))
        .collect();
    format!(
        "{:22} {:44} {:>8.3} M samples, {:>9.0} requests per CPU-second {}",
        outcome.scenario,
        outcome.subject,
        outcome.samples as f64 / cpu_s / 1e6,
        outcome.requests as f64 / cpu_s,
        latency.join(", "),
    )
}

/// Latency as lines have it.
fn quantiles(latency_us: &hdrhistogram::Histogram<u64>) -> Vec<(f64, u64)> {
    [0.5, 0.9, 0.99, 0.999, 1.0]
        .map(|quantile| (quantile, latency_us.value_at_quantile(quantile)))
        .into()
}
