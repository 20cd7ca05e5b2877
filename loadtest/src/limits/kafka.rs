//! A librdkafka producer that is given finished records, with the gateway's settings: what Kafka itself costs.

mod producer;

use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use hdrhistogram::Histogram;
use testkit::{Kafka, KafkaOptions};

use self::producer::{Producer, Window};
use super::bodies::Bodies;
use super::pipeline::Records;
use super::{Arguments, line, quantiles, stopwatch};
use crate::outcome::Outcome;
use crate::protocol::Protocol;

/// The stage of this limit.
const STAGE: &str = "produce";
/// Samples of the bodies that records are made of.
const BATCH: usize = 1000;
/// Sets of records that take turns.
const WINDOWS: usize = 16;
/// Windows whose records wait for Kafka at the same time, at the maximum rate.
const IN_FLIGHT: usize = 4;
/// How long Kafka may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The records of one window: a key and a value for each metric name.
type Pairs = Vec<(String, Bytes)>;

/// Measures the maximum rate, and the latency at half of it.
pub(super) async fn measure(
    arguments: &Arguments,
    seconds: Duration,
) -> anyhow::Result<Vec<Outcome>> {
    let bodies = Bodies::new(Protocol::Json, BATCH)?;
    let windows = windows(arguments.window_samples.div_ceil(BATCH).max(1), &bodies);
    let samples = windows.first().map_or(0, |(samples, _)| *samples);
    let own = arguments
        .brokers
        .is_none()
        .then(|| Kafka::start(&KafkaOptions::default()));
    let brokers = match (&arguments.brokers, &own) {
        (Some(brokers), _) => brokers.clone(),
        (None, Some(kafka)) => kafka.brokers(),
        (None, None) => anyhow::bail!("no broker"),
    };
    let mut producer = Producer::new(&brokers).await?;
    let mut windows = windows.iter().map(|(_, pairs)| pairs).cycle();
    let mut outcomes = Vec::new();
    // Connections, metadata and the first batches.
    closed_loop(&mut producer, &mut windows, seconds / 4)?;
    let most = closed_loop(&mut producer, &mut windows, seconds)?;
    let per_second = most.windows as f64 / most.elapsed_s;
    let period = Duration::from_secs_f64(2.0 / per_second);
    let half = open_loop(&mut producer, &mut windows, period, seconds)?;
    for (rate, run, note) in [
        ("maximum", most, format!("{IN_FLIGHT} windows in flight")),
        ("half", half, "latency until the last record of a window is acknowledged, from when the window was due".to_owned()),
    ] {
        let mut outcome = line(&bodies, bodies.scenario(), "librdkafka, acks=all", STAGE);
        outcome.parameters.insert("rate".to_owned(), rate.to_owned());
        outcome.requests = run.records;
        outcome.samples = run.windows * samples as u64;
        outcome.elapsed_s = run.elapsed_s;
        outcome.cpu_s = Some(run.cpu_s);
        outcome.latency_us = quantiles(&run.latency_us);
        outcome.answers_after_kafka = Some(true);
        outcome.note = format!("{samples} samples per window, a record per name; {note}; requests are records");
        outcomes.push(outcome);
    }
    producer.finish(PATIENCE)?;
    Ok(outcomes)
}

/// Records as a gateway makes them of `bodies_each` bodies that wait together.
fn windows(bodies_each: usize, bodies: &Bodies) -> Vec<(usize, Pairs)> {
    let mut given = bodies.plain.iter().cycle();
    (0..WINDOWS)
        .map(|_| {
            let mut records = Records::default();
            let samples = given
                .by_ref()
                .take(bodies_each)
                .map(|body| records.add(body))
                .sum();
            (samples, records.finish())
        })
        .collect()
}

/// What a run came to.
struct Run {
    windows: u64,
    records: u64,
    elapsed_s: f64,
    cpu_s: f64,
    latency_us: Histogram<u64>,
}

/// As fast as it goes, with a bound on what is in flight.
fn closed_loop<'a>(
    producer: &mut Producer,
    windows: &mut impl Iterator<Item = &'a Pairs>,
    seconds: Duration,
) -> anyhow::Result<Run> {
    let mut run = Started::now()?;
    while run.at.elapsed() < seconds {
        while producer.open() >= IN_FLIGHT {
            run.take(producer.next(PATIENCE)?)?;
        }
        run.send(producer, windows, Instant::now())?;
    }
    run.finish(producer)
}

/// A window each `period`, whether or not those before it were acknowledged.
fn open_loop<'a>(
    producer: &mut Producer,
    windows: &mut impl Iterator<Item = &'a Pairs>,
    period: Duration,
    seconds: Duration,
) -> anyhow::Result<Run> {
    let mut run = Started::now()?;
    let mut due = run.at;
    while due < run.at + seconds {
        while let Some(rest) = due
            .checked_duration_since(Instant::now())
            .filter(|rest| !rest.is_zero())
        {
            if let Some(window) = producer.next_within(rest)? {
                run.take(window)?;
            }
        }
        run.send(producer, windows, due)?;
        due += period;
    }
    run.finish(producer)
}

/// A run that goes on.
struct Started {
    at: Instant,
    cpu: Duration,
    run: Run,
}

impl Started {
    fn now() -> anyhow::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            cpu: stopwatch::process_cpu(),
            run: Run {
                windows: 0,
                records: 0,
                elapsed_s: 0.0,
                cpu_s: 0.0,
                latency_us: Histogram::new(3)?,
            },
        })
    }

    fn send<'a>(
        &mut self,
        producer: &mut Producer,
        windows: &mut impl Iterator<Item = &'a Pairs>,
        due: Instant,
    ) -> anyhow::Result<()> {
        let pairs = windows.next().context("no records")?;
        self.run.records += pairs.len() as u64;
        producer.send(pairs, due)
    }

    fn take(&mut self, window: Window) -> anyhow::Result<()> {
        self.run.windows += 1;
        let latency_us = u64::try_from(window.acknowledged.duration_since(window.due).as_micros())?;
        Ok(self.run.latency_us.record(latency_us)?)
    }

    fn finish(mut self, producer: &mut Producer) -> anyhow::Result<Run> {
        while producer.open() > 0 {
            self.take(producer.next(PATIENCE)?)?;
        }
        self.run.elapsed_s = self.at.elapsed().as_secs_f64();
        self.run.cpu_s = stopwatch::process_cpu()
            .saturating_sub(self.cpu)
            .as_secs_f64();
        Ok(self.run)
    }
}
