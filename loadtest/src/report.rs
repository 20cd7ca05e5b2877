//! A run as a row of a Markdown table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;

/// One measured run.
pub(crate) struct Row {
    pub(crate) name: String,
    /// Samples in requests that were answered with 200 in the time that counts.
    pub(crate) acknowledged: u64,
    pub(crate) elapsed: Duration,
    /// User and system time of the gateway in that time.
    pub(crate) cpu: Option<Duration>,
    pub(crate) idle_bytes: Option<u64>,
    pub(crate) peak_bytes: Option<u64>,
    pub(crate) latency_us: Histogram<u64>,
    pub(crate) statuses: BTreeMap<u16, u64>,
}

/// The table of these runs.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| run | samples per CPU-second | samples/s | p50 ms | p99 ms | idle MiB | peak MiB | answers |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    for row in rows {
        let statuses: Vec<String> = row
            .statuses
            .iter()
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        let per_cpu = row
            .cpu
            .map(|cpu| thousands(row.acknowledged as f64 / cpu.as_secs_f64()));
        let mib = |bytes: Option<u64>| {
            bytes.map_or_else(|| "?".to_owned(), |bytes| (bytes >> 20).to_string())
        };
        writeln!(
            text,
            "| {} | {} | {} | {:.1} | {:.1} | {} | {} | {} |",
            row.name,
            per_cpu.as_deref().unwrap_or("?"),
            thousands(row.acknowledged as f64 / row.elapsed.as_secs_f64()),
            row.latency_us.value_at_quantile(0.5) as f64 / 1000.0,
            row.latency_us.value_at_quantile(0.99) as f64 / 1000.0,
            mib(row.idle_bytes),
            mib(row.peak_bytes),
            statuses.join(", "),
        )
        .expect("text takes everything");
    }
    text
}

fn thousands(rate: f64) -> String {
    format!("{:.0} k", rate / 1000.0)
}
