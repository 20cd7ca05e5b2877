//! What the steps of every scenario share: real parts, a load, and the account at the end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use testkit::kafka::unique;
use testkit::{Kafka, KafkaOptions};

use crate::arguments::Knobs;
use crate::load::{Load, Options, Sent};
use crate::look;
use crate::receiver::Receiver;
use crate::row::{RSS_LIMIT_BYTES, Row};
use crate::sluice::{Plan, Setting, Sluice};
use crate::tally::{Tally, Verdict};
use crate::watch::Watch;

/// How long the parts may take to get over what was done to them.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Kafka that scenarios share, started when the first one needs it.
#[derive(Debug, Default)]
pub(crate) struct Brokers {
    one: Option<Kafka>,
    three: Option<Kafka>,
}

/// Topics of a scenario.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    pub samples: String,
    pub dead: String,
    settings: Vec<Setting>,
    is_on_cluster: bool,
}

/// One round of one scenario.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    pub knobs: &'a Knobs,
    brokers: &'a mut Brokers,
    /// For logs and data; kept when the round fails.
    pub folder: PathBuf,
    pub row: Row,
    pub rss_limit_bytes: u64,
    rng: StdRng,
    watch: Watch,
    processes: u32,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        knobs: &'a Knobs,
        brokers: &'a mut Brokers,
        name: &str,
        folder: PathBuf,
        seed: u64,
    ) -> Self {
        Self {
            knobs,
            brokers,
            folder,
            row: Row::new(name),
            rss_limit_bytes: RSS_LIMIT_BYTES,
            rng: StdRng::seed_from_u64(seed),
            watch: Watch::default(),
            processes: 0,
        }
    }

    /// Ends the round: its row, judged.
    pub(crate) fn end(mut self) -> Row {
        self.row.peak_rss_bytes = self.watch.peak_rss_bytes();
        self.row.failures.extend(self.watch.failures());
        self.row.judge(self.rss_limit_bytes);
        self.row
    }

    /// The one broker, behind a proxy that is in order.
    pub(crate) fn kafka(&mut self) -> &Kafka {
        self.brokers.one.get_or_insert_with(|| {
            Kafka::start(&KafkaOptions {
                nodes: 1,
                proxied: true,
                properties: vec![("group.min.session.timeout.ms".to_owned(), "1000".to_owned())],
                ..KafkaOptions::default()
            })
        })
    }

    /// The cluster of three brokers, of which two must have a record.
    pub(crate) fn cluster(&mut self) -> &Kafka {
        self.brokers.three.get_or_insert_with(|| {
            Kafka::start(&KafkaOptions {
                nodes: 3,
                proxied: false,
                properties: vec![
                    ("min.insync.replicas".to_owned(), "2".to_owned()),
                    ("group.min.session.timeout.ms".to_owned(), "1000".to_owned()),
                    // What is lost is noticed within the scenario's seconds.
                    ("broker.session.timeout.ms".to_owned(), "3000".to_owned()),
                    ("broker.heartbeat.interval.ms".to_owned(), "500".to_owned()),
                    ("replica.lag.time.max.ms".to_owned(), "4000".to_owned()),
                    // Tests of leaders move them by hand.
                    (
                        "auto.leader.rebalance.enable".to_owned(),
                        "false".to_owned(),
                    ),
                ],
                ..KafkaOptions::default()
            })
        })
    }

    /// Names that no other scenario uses, on the one broker.
    pub(crate) fn topics(&mut self) -> Topics {
        let name = self.row.scenario.clone();
        let brokers = self.kafka().brokers();
        Topics::new(&name, &brokers, false)
    }

    /// The same on the cluster.
    pub(crate) fn cluster_topics(&mut self) -> Topics {
        let name = self.row.scenario.clone();
        let brokers = self.cluster().brokers();
        Topics::new(&name, &brokers, true)
    }

    /// How to start a process with these settings.
    pub(crate) fn plan(&mut self, command: &'static str, settings: &[Setting]) -> Plan {
        self.processes += 1;
        Plan {
            binary: self.knobs.binary.clone(),
            command,
            name: format!("{command}-{}", self.processes),
            folder: self.folder.clone(),
            settings: settings.to_vec(),
            watch: self.watch.clone(),
        }
    }

    /// A gateway on these topics, ready.
    pub(crate) fn gateway(&mut self, topics: &Topics, others: &[(&str, &str)]) -> Sluice {
        let settings = topics.with(others);
        Sluice::start(self.plan("gateway", &settings))
    }

    /// A consumer of these topics, with one store, ready.
    pub(crate) fn consumer(
        &mut self,
        topics: &Topics,
        store_url: &str,
        others: &[(&str, &str)],
    ) -> Sluice {
        let mut settings = topics.with(&[
            ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
            ("SLUICE_STORES__MAIN__URL", store_url),
            ("SLUICE_STORES__MAIN__TIMEOUT", "5s"),
            ("SLUICE_CONSUMER__SESSION_TIMEOUT", "2s"),
            ("SLUICE_CONSUMER__RETRY_MAX", "2s"),
        ]);
        settings.extend(owned(others));
        Sluice::start(self.plan("consumer", &settings))
    }

    /// A standalone with its data in this folder, ready.
    pub(crate) fn standalone(&mut self, data_dir: &Path, others: &[(&str, &str)]) -> Sluice {
        let data_dir = data_dir.display().to_string();
        let mut settings = owned(&[("SLUICE_DATA_DIR", &data_dir)]);
        settings.extend(owned(TIMEOUTS));
        settings.extend(owned(others));
        Sluice::start(self.plan("standalone", &settings))
    }

    /// The usual load.
    pub(crate) fn load(&self, ports: &[u16]) -> anyhow::Result<Load> {
        Load::start(Options::to(ports))
    }

    pub(crate) fn receiver(&self) -> anyhow::Result<Receiver> {
        Receiver::start(Tally::default())
    }

    /// Lets the parts run.
    pub(crate) fn wait(&self, time: Duration) {
        pause(time);
    }

    /// The same, for a random time.
    pub(crate) fn wait_between(&mut self, from_ms: u64, to_ms: u64) {
        let time_ms = self.rng.random_range(from_ms..to_ms);
        pause(Duration::from_millis(time_ms));
    }

    /// A number below this.
    pub(crate) fn random_below(&mut self, end: u64) -> u64 {
        self.rng.random_range(0..end)
    }

    /// What the topic of samples has of a load.
    pub(crate) fn in_topic(&mut self, topics: &Topics, sent: &[Sent]) -> anyhow::Result<Verdict> {
        let mut tally = Tally::default();
        look::topic(self.kafka_of(topics), &topics.samples, &mut tally)?;
        Ok(tally.verdict(sent))
    }

    /// The brokers that have these topics.
    pub(crate) fn kafka_of(&mut self, topics: &Topics) -> &Kafka {
        if topics.is_on_cluster {
            self.cluster()
        } else {
            self.kafka()
        }
    }

    /// What a place has once it has everything, or when patience ends.
    pub(crate) fn until_found(
        &self,
        sent: &[Sent],
        mut look: impl FnMut() -> anyhow::Result<Verdict>,
    ) -> anyhow::Result<Verdict> {
        let began = Instant::now();
        let acknowledged: u64 = sent.iter().map(Sent::acknowledged).sum();
        loop {
            let verdict = look()?;
            if verdict.found == acknowledged || began.elapsed() > PATIENCE {
                return Ok(verdict);
            }
            pause(Duration::from_millis(200));
        }
    }

    /// The same of a store of ours.
    pub(crate) fn until_received(
        &self,
        receiver: &Receiver,
        sent: &[Sent],
    ) -> anyhow::Result<Verdict> {
        self.until_found(sent, || Ok(receiver.tally().verdict(sent)))
    }

    /// Asks again until it holds; a failure of the row if it does not in time.
    pub(crate) fn eventually(
        &mut self,
        what: &str,
        patience: Duration,
        mut holds: impl FnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        while !holds()? {
            if began.elapsed() > patience {
                self.row
                    .failures
                    .push(format!("never within {patience:?}: {what}"));
                return Ok(());
            }
            pause(Duration::from_millis(50));
        }
        Ok(())
    }

    /// A failure of the row unless this holds.
    pub(crate) fn expect(&mut self, what: &str, holds: bool) {
        if !holds {
            self.row.failures.push(format!("expected: {what}"));
        }
    }

    pub(crate) fn note(&mut self, note: String) {
        self.row.notes.push(note);
    }
}

/// Answers come, or are refused, within seconds: scenarios are short.
const TIMEOUTS: &[(&str, &str)] = &[("SLUICE_HTTP__REQUEST_TIMEOUT", "6s")];

impl Topics {
    fn new(scenario: &str, brokers: &str, is_on_cluster: bool) -> Self {
        let replication = if is_on_cluster { "3" } else { "1" };
        let samples = unique(scenario);
        let dead = format!("{samples}-dead");
        let mut settings = owned(&[
            ("SLUICE_BUFFER__KIND", "kafka"),
            ("SLUICE_KAFKA__BROKERS", brokers),
            ("SLUICE_KAFKA__TOPIC", &samples),
            ("SLUICE_KAFKA__PARTITIONS", "6"),
            ("SLUICE_KAFKA__REPLICATION", replication),
            ("SLUICE_KAFKA__DELIVERY_TIMEOUT", "5s"),
            // Unless the scenario is about it: then what Kafka does not take is told to senders.
            ("SLUICE_SPOOL__ENABLED", "false"),
            ("SLUICE_CONSUMER__DEAD_LETTER_TOPIC", &dead),
            ("SLUICE_CONSUMER__GROUP_PREFIX", &samples),
        ]);
        settings.extend(owned(TIMEOUTS));
        Self {
            samples,
            dead,
            settings,
            is_on_cluster,
        }
    }

    /// The settings of every process, and others.
    pub(crate) fn with(&self, others: &[(&str, &str)]) -> Vec<Setting> {
        let mut settings = self.settings.clone();
        settings.extend(owned(others));
        settings
    }
}

pub(crate) fn owned(settings: &[(&str, &str)]) -> Vec<Setting> {
    let settings = settings.iter();
    settings
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "steps run on a thread that has nothing else to do"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
