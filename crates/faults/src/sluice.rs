//! A running `sluice`, started as a user starts it, and made to end in every way.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context;
use testkit::{Launch, Process, free_port};

use crate::watch::Watch;

/// How long it may take to become ready on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(90);
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// A setting as an environment variable, and its value.
pub(crate) type Setting = (String, String);

/// How a process is started, each time anew.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub binary: PathBuf,
    pub command: &'static str,
    /// Its log file's name, too.
    pub name: String,
    pub folder: PathBuf,
    pub settings: Vec<Setting>,
    pub watch: Watch,
}

/// One that is running, or was.
#[derive(Debug)]
pub(crate) struct Sluice {
    plan: Plan,
    http_port: u16,
    admin_port: u16,
    process: Option<Process>,
}

impl Sluice {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(plan: Plan) -> Self {
        let mut sluice = Self::prepare(plan);
        sluice.begin();
        sluice.wait_until_ready();
        sluice
    }

    /// Chooses its ports.
    pub(crate) fn prepare(plan: Plan) -> Self {
        Self {
            plan,
            http_port: free_port(),
            admin_port: free_port(),
            process: None,
        }
    }

    /// Starts it, again if it has ended, on the same ports.
    pub(crate) fn begin(&mut self) {
        let plan = &self.plan;
        let log = self.log_path();
        plan.watch.log(&log);
        let mut launch = Launch::new(&plan.name, &plan.binary)
            .arg(plan.command)
            .current_dir(&plan.folder)
            .log_to(log)
            .env("SLUICE_STATSD__LISTEN", "off")
            .env(
                "SLUICE_HTTP__LISTEN",
                format!("127.0.0.1:{}", self.http_port),
            )
            .env(
                "SLUICE_ADMIN__LISTEN",
                format!("127.0.0.1:{}", self.admin_port),
            );
        for (key, value) in &plan.settings {
            launch = launch.env(key, value);
        }
        self.process = Some(launch.start());
    }

    pub(crate) fn wait_until_ready(&self) {
        if let Some(process) = &self.process {
            process.wait_until_ready(self.admin_port, "/readyz", READY_WITHIN);
        }
    }

    pub(crate) fn again(&mut self) {
        self.begin();
        self.wait_until_ready();
    }

    fn log_path(&self) -> PathBuf {
        self.plan.folder.join(format!("{}.log", self.plan.name))
    }

    pub(crate) fn port(&self) -> u16 {
        self.http_port
    }

    pub(crate) fn admin_port(&self) -> u16 {
        self.admin_port
    }

    pub(crate) fn process(&self) -> anyhow::Result<&Process> {
        self.process.as_ref().context("it was never started")
    }

    pub(crate) fn name(&self) -> &str {
        &self.plan.name
    }

    /// Whether it was started and not yet ended.
    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            self.plan.watch.look(&self.plan.name, &process);
            process.kill();
        }
    }

    /// SIGTERM, and waits for its end.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        let process = self.process.take()?;
        self.plan.watch.look(&self.plan.name, &process);
        process.terminate();
        Some(process.wait_for_exit(STOP_WITHIN))
    }

    /// It has ended by itself, as it should.
    pub(crate) fn forget(&mut self) {
        self.process = None;
    }

    /// All that it has written, over all its starts.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The sum of a metric's series, by its name without `sluice_`.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        Ok(self.series(name)?.iter().sum())
    }

    /// The values of a metric's series, by its name without `sluice_`.
    pub(crate) fn series(&self, name: &str) -> anyhow::Result<Vec<f64>> {
        let text = testkit::http::get(self.admin_port, "/metrics")?.text();
        let mut values = Vec::new();
        for line in text.lines() {
            let metric = line.strip_prefix("sluice_").unwrap_or_default();
            let rest = metric.strip_prefix(name).unwrap_or_default();
            if rest.starts_with(['{', ' ']) {
                let value = line.rsplit(' ').next().unwrap_or_default();
                values.push(value.parse::<f64>()?);
            }
        }
        Ok(values)
    }

    /// What `/readyz` answers: its status and words.
    pub(crate) fn readiness(&self) -> anyhow::Result<(u16, String)> {
        let answer = testkit::http::get(self.admin_port, "/readyz")?;
        Ok((answer.status, answer.text()))
    }

    /// The folder of its embedded log, spool and archive.
    pub(crate) fn data_dir(&self) -> PathBuf {
        let found = self.plan.settings.iter();
        let mut found = found.filter(|(key, _)| key == "SLUICE_DATA_DIR");
        let data_dir = found.next_back().map(|(_, value)| Path::new(value));
        data_dir.map_or_else(|| self.plan.folder.join("data"), Path::to_owned)
    }
}

impl Drop for Sluice {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            self.plan.watch.look(&self.plan.name, process);
        }
    }
}
