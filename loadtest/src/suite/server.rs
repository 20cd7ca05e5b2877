//! The processes under test: started for one scenario, each with a folder of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use testkit::{Backend, CpuShare, Haproxy, Launch, Process, free_port, run_dir};

use super::kafka::Topic;
use crate::measured::Measured;
use crate::scenario::{Scenario, variable};

/// Partitions of a topic when the scenario does not say.
pub(super) const PARTITIONS: &str = "8";

const START_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// A standalone, a gateway, or several behind a load balancer.
#[derive(Debug)]
pub(super) struct Server {
    balancer: Option<Haproxy>,
    processes: Vec<One>,
    pub(super) target: String,
    pub(super) statsd: String,
    /// Of the first.
    pub(super) data_dir: PathBuf,
}

/// A running process.
#[derive(Debug)]
struct One {
    process: Process,
    port: u16,
    admin_port: u16,
    statsd: String,
    data_dir: PathBuf,
    // Behind the process, which is in it.
    _share: Option<CpuShare>,
}

impl Server {
    /// Starts all and waits until they are ready.
    pub(super) fn start(
        binary: &Path,
        scenario: &Scenario,
        topic: Option<&Topic>,
    ) -> anyhow::Result<Self> {
        let binary = binary
            .canonicalize()
            .with_context(|| format!("{} is not built", binary.display()))?;
        let gateways = scenario.gateways;
        let processes: Vec<_> = (0..gateways.count.get())
            .map(|_| One::start(&binary, scenario, topic))
            .collect::<anyhow::Result<_>>()?;
        let first = processes.first().context("there is at least one")?;
        let backends = processes.iter().map(|one| Backend {
            port: one.port,
            check_port: one.admin_port,
        });
        let balancer = gateways
            .is_balanced
            .then(|| Haproxy::start(&backends.collect::<Vec<_>>()));
        let port = balancer.as_ref().map_or(first.port, Haproxy::port);
        Ok(Self {
            target: format!("127.0.0.1:{port}"),
            statsd: first.statsd.clone(),
            data_dir: first.data_dir.clone(),
            balancer,
            processes,
        })
    }

    /// What is measured; the load balancer is not.
    pub(super) fn pids(&self) -> Measured {
        self.processes.iter().map(|one| one.process.pid()).collect()
    }

    /// Ends them in good order.
    pub(super) fn stop(self) {
        drop(self.balancer);
        for one in self.processes {
            one.process.terminate();
            one.process.wait_for_exit(STOP_WITHIN);
        }
    }
}

impl One {
    fn start(binary: &Path, scenario: &Scenario, topic: Option<&Topic>) -> anyhow::Result<Self> {
        let command = scenario.serve.name();
        // A disk, and not what the system has for temporary files: that may be memory.
        let folder = run_dir(&format!("load-{command}"));
        let (port, admin_port) = (free_port(), free_port());
        let statsd = format!("127.0.0.1:{}", free_port());
        let data_dir = folder.join("data");
        let mut launch = Launch::new(command, binary)
            .arg(command)
            .current_dir(&folder)
            .log_to(folder.join("log.txt"))
            .env("SLUICE_DATA_DIR", &data_dir)
            .env("SLUICE_HTTP__LISTEN", format!("127.0.0.1:{port}"))
            .env("SLUICE_STATSD__LISTEN", &statsd)
            .env("SLUICE_ADMIN__LISTEN", format!("127.0.0.1:{admin_port}"));
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
        let share = scenario.gateways.cores.map(CpuShare::new).transpose();
        let share = share.context("cores: a control group, which only root may make")?;
        let process = launch.start();
        process.wait_until_ready(admin_port, "/readyz", START_WITHIN);
        if let Some(share) = &share {
            share.add(&process)?;
        }
        Ok(Self {
            process,
            port,
            admin_port,
            statsd,
            data_dir,
            _share: share,
        })
    }
}
