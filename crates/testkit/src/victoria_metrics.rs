//! A real VictoriaMetrics: remote write in, PromQL and a raw export out.
//!
//! Debian's package, unpacked and not installed. Samples of the same series and timestamp are
//! collapsed (`-dedup.minScrapeInterval=1ms`), as the documentation asks of those who run one, and
//! nothing is too old for it.

use std::time::Duration;

use crate::{
    Launch, Process, Series, free_port,
    http::{self, target},
    run_dir, series,
};

#[cfg(test)]
mod tests;

const START_DEADLINE: Duration = Duration::from_secs(60);

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct VictoriaMetrics {
    port: u16,
    folder: std::path::PathBuf,
    process: Process,
}

impl VictoriaMetrics {
    /// Starts one with an empty folder.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start() -> Self {
        let (port, folder) = (free_port(), run_dir("victoria-metrics"));
        let process = launch(port, &folder);
        Self {
            port,
            folder,
            process,
        }
    }

    /// Where it takes remote write.
    #[must_use]
    pub fn write_url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/write", self.port)
    }

    /// Its port of 127.0.0.1, for writing, queries and its own `/metrics`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process, to pause or kill it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Stops it as its operator would and starts it again, on the same port with the same data.
    ///
    /// Killed, it loses what it has taken in its last seconds: it writes no log ahead, by design.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.process.terminate();
        self.process.wait_for_exit(START_DEADLINE);
        self.process = launch(self.port, &self.folder);
    }

    /// All samples of the series that match, such as `{__name__=~"cpu.*"}`, what came a moment ago
    /// included.
    ///
    /// # Panics
    ///
    /// When it does not answer, or refuses the selector.
    #[must_use]
    pub fn export(&self, selector: &str) -> Vec<Series> {
        self.flush();
        let query = [
            ("match[]", selector),
            ("start", "0"),
            ("end", "9000000000"),
            ("reduce_mem_usage", "0"),
        ];
        let answer = self.get(&target("/api/v1/export", &query));
        answer
            .lines()
            .map(|line| series::from_export(line).unwrap_or_else(|why| panic!("{why}")))
            .collect()
    }

    /// What a PromQL expression gives at a time.
    ///
    /// # Panics
    ///
    /// When it does not answer, or refuses the expression.
    #[must_use]
    pub fn query(&self, expression: &str, at_ms: i64) -> Vec<Series> {
        self.flush();
        let at = seconds(at_ms);
        let query = [
            ("query", expression),
            ("time", at.as_str()),
            ("nocache", "1"),
        ];
        let answer = self.get(&target("/api/v1/query", &query));
        series::from_query(answer.as_bytes()).unwrap_or_else(|why| panic!("{expression}: {why}"))
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
        self.flush();
        let (from, to, step) = (seconds(from_ms), seconds(to_ms), seconds_of(step));
        let query = [
            ("query", expression),
            ("start", from.as_str()),
            ("end", to.as_str()),
            ("step", step.as_str()),
            ("nocache", "1"),
        ];
        let answer = self.get(&target("/api/v1/query_range", &query));
        series::from_query(answer.as_bytes()).unwrap_or_else(|why| panic!("{expression}: {why}"))
    }

    /// Makes what it has taken visible to queries, which it does by itself within seconds.
    fn flush(&self) {
        self.get("/internal/force_flush");
    }

    fn get(&self, target: &str) -> String {
        let answer = http::get(self.port, target)
            .unwrap_or_else(|error| panic!("VictoriaMetrics: {target}: {error}"));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.text()
    }
}

/// Unix milliseconds as the decimal seconds that query APIs take.
pub(crate) fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

pub(crate) fn seconds_of(duration: Duration) -> String {
    format!("{}.{:03}", duration.as_secs(), duration.subsec_millis())
}

fn launch(port: u16, folder: &std::path::Path) -> Process {
    let program = crate::fetched::fetched("victoria-metrics").join("usr/bin/victoria-metrics");
    let process = Launch::new("victoria-metrics", program)
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!(
            "-storageDataPath={}",
            folder.join("data").display()
        ))
        .args(["-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"])
        .args(["-search.latencyOffset=0s", "-memory.allowedBytes=512MB"])
        .args([
            "-search.maxUniqueTimeseries=1000000",
            "-search.maxExportSeries=1000000",
        ])
        .log_to(folder.join("victoria-metrics.log"))
        .start();
    process.wait_until_ready(port, "/health", START_DEADLINE);
    process
}
