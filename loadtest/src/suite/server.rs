//! The process under test: started for one scenario, with a folder of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use testkit::{Launch, Process, free_port, run_dir};

use super::kafka::Topic;
use crate::scenario::{Scenario, variable};

/// Partitions of a topic when the scenario does not say.
pub(super) const PARTITIONS: &str = "8";

const START_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// A running gateway or standalone.
#[derive(Debug)]
pub(super) struct Server {
    process: Process,
    pub(super) target: String,
    pub(super) statsd: String,
    pub(super) data_dir: PathBuf,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(super) fn start(
        binary: &Path,
        scenario: &Scenario,
        topic: Option<&Topic>,
    ) -> anyhow::Result<Self> {
        let binary = binary
            .canonicalize()
            .with_context(|| format!("{} is not built", binary.display()))?;
        let command = scenario.serve.name();
        // A disk, and not what the system has for temporary files: that may be memory.
        let data_dir = run_dir(&format!("load-{command}"));
        let (target, admin) = (format!("127.0.0.1:{}", free_port()), free_port());
        let statsd = format!("127.0.0.1:{}", free_port());
        let mut launch = Launch::new(command, binary)
            .arg(command)
            .current_dir(&data_dir)
            .log_to(data_dir.join("log.txt"))
            .env("SLUICE_DATA_DIR", data_dir.join("data"))
            .env("SLUICE_HTTP__LISTEN", &target)
            .env("SLUICE_STATSD__LISTEN", &statsd)
            .env("SLUICE_ADMIN__LISTEN", format!("127.0.0.1:{admin}"));
        if let Some(topic) = topic {
            launch = launch
                .env("SLUICE_KAFKA__BROKERS", &topic.brokers)
                .env("SLUICE_KAFKA__TOPIC", &topic.name)
                .env("SLUICE_KAFKA__PARTITIONS", PARTITIONS)
                .env("SLUICE_KAFKA__REPLICATION", "1");
        }
        for (key, value) in &scenario.settings {
            launch = launch.env(variable(key), value);
        }
        let process = launch.start();
        process.wait_until_ready(admin, "/readyz", START_WITHIN);
        Ok(Self {
            process,
            target,
            statsd,
            data_dir: data_dir.join("data"),
        })
    }

    pub(super) fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Ends it in good order.
    pub(super) fn stop(self) {
        self.process.terminate();
        self.process.wait_for_exit(STOP_WITHIN);
    }
}
