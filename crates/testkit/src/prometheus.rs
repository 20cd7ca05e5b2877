//! A real Prometheus, with its remote-write receiver on, and `promtool`.
//!
//! Debian's package, unpacked and not installed.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    Launch, Process, Series, free_port,
    http::{self, target},
    run_dir, series,
    victoria_metrics::{seconds, seconds_of},
};

#[cfg(test)]
mod tests;

const START_DEADLINE: Duration = Duration::from_secs(60);

/// Scrapes nothing, and takes samples that are up to an hour older than a series' newest.
const SETTINGS: &str = "global:\n  scrape_interval: 1m\n\
                        storage:\n  tsdb:\n    out_of_order_time_window: 1h\n";

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct Prometheus {
    port: u16,
    process: Process,
}

impl Prometheus {
    /// Starts one that scrapes nothing and takes remote write.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(SETTINGS)
    }

    /// Starts one with this `prometheus.yml`: to scrape something, or to send remote write.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start_with(settings: &str) -> Self {
        let (port, folder) = (free_port(), run_dir("prometheus"));
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, settings).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let process = Launch::new("prometheus", program("prometheus"))
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args([
                "--web.enable-remote-write-receiver",
                "--web.enable-admin-api",
            ])
            .arg("--enable-feature=native-histograms,exemplar-storage")
            .log_to(folder.join("prometheus.log"))
            .start();
        process.wait_until_ready(port, "/-/ready", START_DEADLINE);
        Self { port, process }
    }

    /// Where it takes remote write.
    #[must_use]
    pub fn write_url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/write", self.port)
    }

    /// Its port of 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process, to pause or kill it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// What a PromQL expression gives at a time.
    ///
    /// # Panics
    ///
    /// When it does not answer, or refuses the expression.
    #[must_use]
    pub fn query(&self, expression: &str, at_ms: i64) -> Vec<Series> {
        self.get(
            "/api/v1/query",
            &[("query", expression), ("time", &seconds(at_ms))],
        )
    }

    /// What a PromQL expression gives over a range of time.
    ///
    /// # Panics
    ///
    /// When it does not answer, or refuses the expression.
    #[must_use]
    pub fn query_range(
        &self,
        expression: &str,
        from_ms: i64,
        to_ms: i64,
        step: Duration,
    ) -> Vec<Series> {
        let (from, to, step) = (seconds(from_ms), seconds(to_ms), seconds_of(step));
        let query = [
            ("query", expression),
            ("start", &from),
            ("end", &to),
            ("step", &step),
        ];
        self.get("/api/v1/query_range", &query)
    }

    fn get(&self, path: &str, query: &[(&str, &str)]) -> Vec<Series> {
        let target = target(path, query);
        let answer = http::get(self.port, &target)
            .unwrap_or_else(|error| panic!("Prometheus: {target}: {error}"));
        series::from_query(&answer.body).unwrap_or_else(|why| panic!("{target}: {why}"))
    }
}

/// Runs `promtool` in `folder`; its output, or what it says is wrong.
///
/// # Errors
///
/// When it ends with a failure: all that it wrote.
///
/// # Panics
///
/// When it cannot be fetched.
pub fn promtool(folder: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program("promtool"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("promtool: {error}"));
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        Ok(text)
    } else {
        Err(text)
    }
}

fn program(name: &str) -> std::path::PathBuf {
    crate::fetched::fetched("prometheus")
        .join("usr/bin")
        .join(name)
}
