//! `sluice demo`: what a small made-up fleet sends.
#![expect(clippy::print_stdout, reason = "a command's output")]

use std::time::Duration;

use clap::Args;
use service::units::Period;
use tokio::time::sleep;

use crate::replay::Outcome;
use crate::signals::Signals;
use crate::tools::block_on;

const AFTER_HELP: &str = "\
Senders are hosts' agents (JSON), services (OTLP), sensors (InfluxDB lines), probes (OpenMetrics), batch jobs
(Pushgateway), web workers (StatsD), and an old script that does nearly everything wrong. Their tenants are platform,
shop, plant and legacy. It ends with SIGINT or SIGTERM, or after --for, and then says what was sent and answered.

Exit codes: 0 it sent and was answered, 2 it was not, 64 an option is wrong, 1 there is no Sluice, or anything else.";

/// The options of `sluice demo`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// The public listener to send to.
    #[arg(long, default_value = "http://localhost:8080")]
    pub url: String,
    /// Where StatsD's packets go, or off.
    #[arg(long, default_value = "localhost:8125")]
    pub statsd: String,
    /// How many hosts have an agent, from 0 to 10000.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub hosts: u32,
    /// How often each sender sends.
    #[arg(long, default_value = "2s", value_parser = interval)]
    pub interval: Duration,
    /// How long to send; without it, until it is stopped.
    #[arg(long = "for", value_name = "DURATION")]
    pub duration: Option<Period>,
    /// What the values are made from: the same number makes the same fleet.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Faster than this it would be a load test, for which there is a better one.
const FASTEST: Duration = Duration::from_millis(10);

fn interval(text: &str) -> Result<Duration, String> {
    let Period(interval) = text.parse()?;
    if interval < FASTEST {
        return Err(format!("{interval:?} is shorter than {FASTEST:?}"));
    }
    Ok(interval)
}

/// Sends.
///
/// # Errors
/// When nobody is there to send to.
pub fn demo(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let options = demo::Options {
        url: arguments.url.clone(),
        statsd: (arguments.statsd != "off").then(|| arguments.statsd.clone()),
        hosts: usize::try_from(arguments.hosts)?,
        interval: arguments.interval,
        seed: arguments.seed,
    };
    block_on(async {
        let mut signals = Signals::new()?;
        let stop = async {
            match arguments.duration {
                Some(Period(duration)) => tokio::select! {
                    _ = signals.next() => {}
                    () = sleep(duration) => {}
                },
                None => drop(signals.next().await),
            }
        };
        println!("a small fleet sends to {}; Ctrl-C ends it", options.url);
        let report = demo::run(&options, stop, |report| println!("\n{report}")).await?;
        println!("\n{report}");
        Ok(if report.has_answers() {
            Outcome::Complete
        } else {
            Outcome::Incomplete
        })
    })
}
