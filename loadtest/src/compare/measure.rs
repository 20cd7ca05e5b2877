//! One subject under one scenario: load it, wait until Kafka is quiet, look at what is there.

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use testkit::Kafka;
use tokio::task::{JoinSet, LocalSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::honesty::{self, Answered};
use super::ledger::Places;
use super::records;
use super::subject::{self, Running, Subject};
use super::topic::{Ends, PARTITIONS, Topic};
use super::usage::of_group;
use crate::bodies::number;
use crate::client::{Client, Request};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::outcome::{Kind, Outcome};
use crate::protocol::Protocol;
use crate::run::parameters;
use crate::sender::{Seen, Shared, send};
use crate::source::Source;

/// How long a started gateway is left alone before its idle memory is read.
const SETTLE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(250);
/// Kafka is quiet when nothing has arrived for this long: Telegraf writes once a second.
const QUIET: Duration = Duration::from_secs(3);
/// A backlog of answered samples may take this long to arrive.
const DRAIN: Duration = Duration::from_secs(180);
/// Answers may come this long after the last request.
const ANSWERS: Duration = Duration::from_secs(60);
/// Bytes of a record that are shown.
const SHOWN: usize = 200;
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// One run.
pub(crate) struct Run<'a> {
    pub kafka: &'a Kafka,
    pub places: &'a subject::Places,
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
    places: Places,
    /// Samples that arrived after the mark, and in all.
    counted: u64,
    samples: u64,
    records: u64,
}

/// What was measured while it was loaded.
struct Loaded {
    from: Mark,
    to: Mark,
    rss: Vec<(f64, u64)>,
    seen: Seen,
    ledger: Ledger,
}

impl Run<'_> {
    pub(crate) async fn measure(&self, load: &Load) -> anyhow::Result<Outcome> {
        let load = Load {
            path: Some(self.path.to_owned()),
            // Places are few and near 0.
            first_value: Some(0),
            ..load.clone()
        };
        let name = format!("{}-{}", self.scenario, self.subject.name());
        let topic = Arc::new(Topic::create(self.kafka, &testkit::kafka::unique(&name))?);
        let brokers = self.kafka.brokers();
        let running = self.subject.start(
            self.program,
            self.places,
            load.protocol,
            (&brokers, topic.name()),
        );
        sleep(SETTLE).await;
        let idle = of_group(running.process.pid())?;
        let request = self.request(&running, &load);
        let local = LocalSet::new();
        let loaded = self.load(&topic, &running, &load, request.clone());
        let loaded = local.run_until(loaded).await?;
        let used = of_group(running.process.pid())?;
        let found = self.find(&topic, &loaded).await?;
        let disk_bytes = self.kafka.log_bytes(&format!("{}-", topic.name()));
        // One sample, so that no refusal comes in the middle of a request.
        let one = Load {
            batch: NonZeroUsize::MIN,
            ..load.clone()
        };
        let source = Source::new(&one).await?;
        let answered = honesty::ask(self.kafka, &topic, &request, &source).await?;
        drop(running);

        let Loaded {
            from,
            to,
            rss,
            seen,
            ledger,
        } = loaded;
        let mut parameters = parameters(&load);
        parameters.insert("partitions".to_owned(), PARTITIONS.to_string());
        Ok(Outcome {
            scenario: self.scenario.to_owned(),
            subject: self.subject.name(),
            kind: self.subject.kind(),
            parameters,
            samples: found.counted,
            requests: seen.requests,
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
            answers: seen.answers,
            answers_after_kafka: Some(answered.is_after_kafka()),
            lost: Some(found.places.missing(&ledger.acknowledged)),
            note: note(&found, ledger.acknowledged.count(), answered),
        })
    }

    fn request(&self, running: &Running, load: &Load) -> Request {
        let mut request = Request::new(&running.target, load);
        if self.subject.kind() == Kind::Peer {
            // Their answers' bodies are their own: what they did not take is missing in Kafka.
            request.protocol = Protocol::Influx;
        }
        request
    }

    /// Sends until the time is over, and waits until Kafka is quiet. What lies between the two marks
    /// counts.
    async fn load(
        &self,
        topic: &Arc<Topic>,
        running: &Running,
        load: &Load,
        request: Request,
    ) -> anyhow::Result<Loaded> {
        let pid = running.process.pid();
        let source = Source::new(load).await?;
        let mut clients = Vec::new();
        for _ in 0..load.connections.get() {
            clients.push(Client::connect(&request).await?);
        }
        let start = Instant::now();
        let counts_from = start + load.warm_up;
        let until = counts_from + load.duration;
        let shared = Rc::new(Shared {
            load: load.clone(),
            request,
            source,
            start,
            until,
            sent: Cell::new(0),
            ledger: RefCell::new(Ledger::default()),
            seen: RefCell::new(Seen::new()?),
        });
        let mut connections = JoinSet::new();
        for (number, client) in (0..).zip(clients) {
            connections.spawn_local(send(Rc::clone(&shared), number, client));
        }
        sleep_until(counts_from).await;
        *shared.seen.borrow_mut() = Seen::new()?;
        let from = mark(topic, pid).await?;
        let mut rss = Vec::new();
        let mut look = || -> anyhow::Result<()> {
            rss.push((start.elapsed().as_secs_f64(), of_group(pid)?.resident_bytes));
            Ok(())
        };
        while Instant::now() < until {
            look()?;
            sleep_until(until.min(Instant::now() + Duration::from_secs(1))).await;
        }
        while let Some(ended) = timeout_at(until + ANSWERS, connections.join_next())
            .await
            .context("requests are not answered")?
        {
            ended??;
        }
        let mut to = mark(topic, pid).await?;
        let deadline = to.at + DRAIN;
        while to.at.elapsed() < QUIET && Instant::now() < deadline {
            sleep(POLL).await;
            look()?;
            let now = mark(topic, pid).await?;
            if now.ends != to.ends {
                to = now;
            }
        }
        let shared = Rc::into_inner(shared).context("every connection has ended")?;
        Ok(Loaded {
            from,
            to,
            rss,
            seen: shared.seen.into_inner(),
            ledger: shared.ledger.into_inner(),
        })
    }

    async fn find(&self, topic: &Arc<Topic>, loaded: &Loaded) -> anyhow::Result<Found> {
        let (topic, format) = (Arc::clone(topic), self.subject.format());
        let (from, to) = (loaded.from.ends.clone(), loaded.to.ends.clone());
        spawn_blocking(move || {
            let mut found = Found {
                places: Places::default(),
                counted: 0,
                samples: 0,
                records: 0,
            };
            topic.read(&to, |partition, offset, value| {
                if found.records == 0 {
                    show(value);
                }
                found.records += 1;
                let counts = from.get(&partition).is_none_or(|&end| offset >= end);
                records::values(format, value, &mut |value| {
                    // Whatever else a gateway adds is not of the bodies.
                    let Some(place) = number::place(value) else {
                        return;
                    };
                    if found.places.insert(place) {
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

/// The start of a record, so that a person can see what is compared.
fn show(record: &[u8]) {
    let start = record.get(..SHOWN).unwrap_or(record);
    eprintln!("    a record: {}", start.escape_ascii());
}

fn note(found: &Found, acknowledged: u64, answered: Answered) -> String {
    format!(
        "{:.1} samples per record, {acknowledged} acknowledged, warm-up included; {}",
        found.samples as f64 / found.records.max(1) as f64,
        answered.describe()
    )
}
