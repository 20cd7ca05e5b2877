//! One subject under one scenario: load it, wait until Kafka is quiet, look at what is there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use testkit::Kafka;
use tokio::task::{LocalSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until};

use super::drive::{Maker, Seen, Target, send};
use super::honesty::{self, Answered};
use super::ledger::Numbers;
use super::subject::{Places, Running, Subject};
use super::topic::{Ends, PARTITIONS, Topic};
use super::usage::of_group;
use super::records;
use crate::bodies::{Bodies, number};
use crate::load::Load;
use crate::outcome::Outcome;

/// How long a started gateway is left alone before its idle memory is read.
const SETTLE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(250);
/// Kafka is quiet when nothing has arrived for this long: Telegraf writes once a second.
const QUIET: Duration = Duration::from_secs(3);
/// A backlog of answered samples may take this long to arrive.
const DRAIN: Duration = Duration::from_secs(180);
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// One run.
pub(crate) struct Run<'a> {
    pub kafka: &'a Kafka,
    pub places: &'a Places,
    pub scenario: &'a str,
    pub subject: Subject,
    pub program: &'a Path,
    pub path: &'static str,
}

/// A moment in a run.
struct Mark {
    at: Instant,
    cpu: Duration,
    ends: Ends,
}

/// What the topic holds in the end.
struct Found {
    numbers: Numbers,
    /// Samples that arrived after the mark, and in all.
    counted: u64,
    samples: u64,
    records: u64,
}

impl Run<'_> {
    pub(crate) async fn measure(&self, load: &Load) -> anyhow::Result<Outcome> {
        let name = format!("{}-{}", self.scenario, self.subject.name());
        let topic = Arc::new(Topic::create(self.kafka, &testkit::kafka::unique(&name))?);
        let running = self.subject.start(
            self.program,
            self.places,
            load.protocol,
            self.path,
            (&self.kafka.brokers(), topic.name()),
        );
        let target = Rc::new(Target {
            address: running.target.clone(),
            path: running.path,
            load: load.clone(),
        });
        let maker = Rc::new(RefCell::new(Maker::new(load)?));
        let seen = Rc::new(RefCell::new(Seen::new(load.batch.get() as u64)?));
        sleep(SETTLE).await;
        let idle = of_group(running.process.pid())?;

        let local = LocalSet::new();
        let loaded = self.load(&topic, &running, &target, &maker, &seen);
        let (from, to, rss) = local.run_until(loaded).await?;
        let used = of_group(running.process.pid())?;
        let found = self.find(Arc::clone(&topic), to.ends.clone(), from.ends.clone()).await?;
        let disk_bytes = topic.disk_bytes()?;
        let answered = honesty::ask(self.kafka, &topic, &target, &mut maker.borrow_mut()).await?;
        drop(running);

        let seen = seen.borrow();
        let lost = seen.acknowledged.missing_in(&found.numbers);
        Ok(Outcome {
            scenario: self.scenario.to_owned(),
            subject: self.subject.name(),
            kind: self.subject.kind(),
            parameters: parameters(load),
            samples: found.counted,
            requests: seen.latency_us.len(),
            elapsed_s: (to.at - from.at).as_secs_f64(),
            cpu_s: Some(to.cpu.saturating_sub(from.cpu).as_secs_f64()),
            rss_idle_bytes: Some(idle.resident_bytes),
            rss_peak_bytes: Some(used.peak_bytes),
            rss,
            latency_us: QUANTILES
                .map(|quantile| (quantile, seen.latency_us.value_at_quantile(quantile)))
                .into(),
            disk_bytes_per_sample: (found.samples > 0)
                .then(|| disk_bytes as f64 / found.samples as f64),
            answers: seen.answers.clone(),
            answers_after_kafka: Some(answered.is_after_kafka()),
            lost: Some(lost),
            note: note(&found, seen.acknowledged.samples(), answered),
        })
    }

    /// Sends until the time is over, and waits until Kafka is quiet. What lies between the two marks
    /// counts.
    async fn load(
        &self,
        topic: &Arc<Topic>,
        running: &Running,
        target: &Rc<Target>,
        maker: &Rc<RefCell<Maker>>,
        seen: &Rc<RefCell<Seen>>,
    ) -> anyhow::Result<(Mark, Mark, Vec<(f64, u64)>)> {
        let pid = running.process.pid();
        let start = Instant::now();
        let counts_from = start + target.load.warm_up;
        let until = counts_from + target.load.duration;
        let mut connections = tokio::task::JoinSet::new();
        for connection in 0..target.load.connections.get() as u64 {
            connections.spawn_local(send(
                Rc::clone(target),
                Rc::clone(maker),
                Rc::clone(seen),
                connection,
                (counts_from, until),
            ));
        }
        sleep_until(counts_from).await;
        let from = mark(topic, pid).await?;
        let mut rss = Vec::new();
        while Instant::now() < until {
            rss.push((start.elapsed().as_secs_f64(), of_group(pid)?.resident_bytes));
            sleep_until(until.min(Instant::now() + Duration::from_secs(1))).await;
        }
        while let Some(ended) = connections.join_next().await {
            ended??;
        }
        let mut last = mark(topic, pid).await?;
        let (mut grown, deadline) = (Instant::now(), Instant::now() + DRAIN);
        while grown.elapsed() < QUIET && Instant::now() < deadline {
            sleep(POLL).await;
            let now = mark(topic, pid).await?;
            rss.push((start.elapsed().as_secs_f64(), of_group(pid)?.resident_bytes));
            if now.ends != last.ends {
                (grown, last) = (now.at, now);
            }
        }
        Ok((from, last, rss))
    }

    async fn find(&self, topic: Arc<Topic>, to: Ends, from: Ends) -> anyhow::Result<Found> {
        let format = self.subject.format();
        spawn_blocking(move || {
            let mut found = Found {
                numbers: Numbers::default(),
                counted: 0,
                samples: 0,
                records: 0,
            };
            topic.read(&to, |partition, offset, value| {
                found.records += 1;
                let counts = from.get(&partition).is_none_or(|&end| offset >= end);
                records::values(format, value, &mut |value| {
                    // Whatever else a gateway adds is not of the bodies.
                    let Some(number) = number::place(value) else {
                        return;
                    };
                    if found.numbers.insert(number) {
                        found.samples += 1;
                        found.counted += u64::from(counts);
                    }
                });
            })?;
            Ok(found)
        })
        .await?
    }
}

async fn mark(topic: &Arc<Topic>, pid: i32) -> anyhow::Result<Mark> {
    let asked = Arc::clone(topic);
    let ends = spawn_blocking(move || asked.ends()).await??;
    Ok(Mark {
        at: Instant::now(),
        cpu: of_group(pid)?.cpu,
        ends,
    })
}

fn parameters(load: &Load) -> BTreeMap<String, String> {
    [
        ("protocol", load.protocol.name()),
        ("compression", load.compression().name()),
        ("batch", load.batch.to_string()),
        ("names", load.names.to_string()),
        ("series", Bodies::new(load).series().to_string()),
        ("labels", load.labels.to_string()),
        ("partitions", PARTITIONS.to_string()),
        ("connections", load.connections.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

fn note(found: &Found, acknowledged: u64, answered: Answered) -> String {
    format!(
        "{:.1} samples per record, {acknowledged} acknowledged, warm-up included; {}",
        found.samples as f64 / found.records.max(1) as f64,
        answered.describe()
    )
}
