//! The binary under test, started the way a user starts it: a command, environment, nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use testkit::kafka::{Kafka, unique};
use testkit::{Launch, Process, free_port};

/// How long a process may take to become ready, or a sample to travel, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const DATA_DIR: &str = "SLUICE_DATA_DIR";

/// Topics and a group of a story's own, on the Kafka that all stories share.
pub(crate) struct Topics {
    brokers: String,
    partitions: String,
    /// The topic of the samples, and the prefix of the consumer groups.
    pub(crate) samples: String,
    pub(crate) dead: String,
}

impl Topics {
    /// With so many partitions for samples. `sluice` creates them.
    pub(crate) fn new(story: &str, partitions: u32) -> Self {
        Self::on(Kafka::shared(), story, partitions)
    }

    /// The same on a Kafka of the story's own.
    pub(crate) fn on(kafka: &Kafka, story: &str, partitions: u32) -> Self {
        let samples = unique(story);
        Self {
            brokers: kafka.brokers(),
            partitions: partitions.to_string(),
            dead: format!("{samples}-dead"),
            samples,
        }
    }

    /// The settings of every process of the story.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        self.with(&[])
    }

    /// The same with others beside them.
    pub(crate) fn with<'a>(&'a self, others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut settings = vec![
            ("SLUICE_KAFKA__BROKERS", self.brokers.as_str()),
            ("SLUICE_KAFKA__TOPIC", self.samples.as_str()),
            ("SLUICE_KAFKA__PARTITIONS", self.partitions.as_str()),
            ("SLUICE_KAFKA__REPLICATION", "1"),
            ("SLUICE_CONSUMER__DEAD_LETTER_TOPIC", self.dead.as_str()),
            ("SLUICE_CONSUMER__GROUP_PREFIX", self.samples.as_str()),
        ];
        settings.extend_from_slice(others);
        settings
    }
}

/// A running `sluice`.
pub(crate) struct Sluice {
    pub(crate) process: Process,
    http_port: u16,
    admin_port: u16,
    settings: Vec<(String, String)>,
    command: &'static str,
}

impl Sluice {
    /// `sluice standalone` with its data in this folder.
    pub(crate) fn standalone(data_dir: &Path) -> Self {
        let data_dir = data_dir.display().to_string();
        Self::start("standalone", &[(DATA_DIR, &data_dir)])
    }

    /// `sluice <command>` with these settings and ports of its own, ready for traffic.
    pub(crate) fn start(command: &'static str, settings: &[(&str, &str)]) -> Self {
        let mut settings = owned(settings);
        if !settings.iter().any(|(key, _)| key == DATA_DIR) {
            // One process per folder.
            let folder = testkit::run_dir(command).join("data");
            settings.push((DATA_DIR.to_owned(), folder.display().to_string()));
        }
        Self::launch(command, settings, free_port(), free_port())
    }

    /// The same command, settings and ports again, after this one has ended.
    pub(crate) fn again(self) -> Self {
        assert!(
            self.process.exited().is_some(),
            "the process has not ended yet"
        );
        Self::launch(self.command, self.settings, self.http_port, self.admin_port)
    }

    fn launch(
        command: &'static str,
        settings: Vec<(String, String)>,
        http_port: u16,
        admin_port: u16,
    ) -> Self {
        let sluice = Self::spawn(command, settings, http_port, admin_port);
        sluice
            .process
            .wait_until_ready(admin_port, "/readyz", PATIENCE);
        sluice
    }

    /// Like [`Self::start`], for a process that will not be ready.
    pub(crate) fn start_unready(command: &'static str, settings: &[(&str, &str)]) -> Self {
        Self::spawn(command, owned(settings), free_port(), free_port())
    }

    fn spawn(
        command: &'static str,
        settings: Vec<(String, String)>,
        http_port: u16,
        admin_port: u16,
    ) -> Self {
        let mut launch = Launch::new(command, binary())
            .arg(command)
            .env("SLUICE_ADMIN__LISTEN", format!("127.0.0.1:{admin_port}"))
            .env("SLUICE_HTTP__LISTEN", format!("127.0.0.1:{http_port}"));
        for (key, value) in &settings {
            launch = launch.env(key, value);
        }
        Self {
            process: launch.start(),
            http_port,
            admin_port,
            settings,
            command,
        }
    }

    /// The port of the public listener.
    pub(crate) fn http_port(&self) -> u16 {
        self.http_port
    }

    /// The port of the admin listener.
    pub(crate) fn admin_port(&self) -> u16 {
        self.admin_port
    }

    /// What `/readyz` says: the status and the text.
    pub(crate) fn readiness(&self) -> anyhow::Result<(u16, String)> {
        let answer = testkit::http::get(self.admin_port, "/readyz")?;
        Ok((answer.status, answer.text()))
    }

    /// A URL of the public listener.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http_port)
    }

    /// The sum of a metric's series whose labels contain this text.
    pub(crate) fn metric(&self, name: &str, labels: &str) -> anyhow::Result<f64> {
        let text = testkit::http::get(self.admin_port, "/metrics")?.text();
        let mut sum = 0.0;
        for line in text
            .lines()
            .filter(|line| line.starts_with(name) && line.contains(labels))
        {
            let rest = line.strip_prefix(name).unwrap_or_default();
            if rest.starts_with(['{', ' ']) {
                sum += line
                    .rsplit(' ')
                    .next()
                    .context("a metric has a value")?
                    .parse::<f64>()?;
            }
        }
        Ok(sum)
    }

    /// A JSON answer of the admin listener.
    pub(crate) fn admin(&self, path: &str) -> anyhow::Result<Value> {
        let answer = testkit::http::get(self.admin_port, path)?;
        let text = answer.text();
        anyhow::ensure!(answer.status == 200, "{path}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// A JSON answer of the public listener.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(
            &testkit::http::get(self.http_port, path)?.body,
        )?)
    }
}

fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let settings = settings.iter();
    settings
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// A client with deadlines.
pub(crate) fn reqwest_client() -> anyhow::Result<reqwest::Client> {
    let timeouts = service::http_client::Timeouts {
        connect: Duration::from_secs(5),
        request: PATIENCE,
    };
    Ok(service::http_client::client(timeouts)?)
}

/// The release binary: what users run, and fast enough for a million samples. Built once per test run, unless
/// `TEST_SLUICE_BINARY` names another, such as a debug build while a test is written.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("TEST_SLUICE_BINARY") {
            return PathBuf::from(path);
        }
        let root = testkit::repository();
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--release",
                "--locked",
                "--package",
                "sluice",
                "--features",
                "kafka-security",
            ])
            .current_dir(&root)
            .status()
            .expect("cargo runs: it is running this test");
        assert!(status.success(), "the binary does not build");
        let target = std::env::current_exe().expect("a running test has a path");
        let target = target
            .ancestors()
            .nth(3)
            .expect("tests are in target/<profile>/deps");
        target.join("release").join("sluice")
    })
}
