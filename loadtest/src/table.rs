//! Outcomes as a small table for the terminal.

use std::fmt::Write as _;

use crate::outcome::Outcome;

/// The table of these outcomes, in their order.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| scenario | subject | samples per CPU-second | samples/s | requests per CPU-second | p50 ms | p99 ms | idle MiB | peak MiB | B/sample | answers |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    for outcome in outcomes {
        writeln!(text, "{}", row(outcome)).unwrap_or_default();
    }
    text
}

fn row(outcome: &Outcome) -> String {
    let unknown = || "?".to_owned();
    let per = |count: u64, seconds: Option<f64>| match seconds {
        Some(seconds) if seconds > 0.0 => short(count as f64 / seconds),
        _ => unknown(),
    };
    let mib = |bytes: Option<u64>| bytes.map_or_else(unknown, |bytes| (bytes >> 20).to_string());
    let latency = |wanted: f64| {
        let found = outcome
            .latency_us
            .iter()
            .find(|(quantile, _)| (quantile - wanted).abs() < 1e-9);
        found.map_or_else(unknown, |(_, us)| format!("{:.1}", *us as f64 / 1000.0))
    };
    let answers = outcome.answers.iter();
    let answers: Vec<String> = answers
        .map(|(status, count)| format!("{status}: {count}"))
        .collect();
    let mut answers = answers.join(", ");
    if let Some(lost) = outcome.lost {
        write!(answers, "; lost: {lost}").unwrap_or_default();
    }
    let what = match outcome.parameters.get("sweep") {
        Some(sweep) => format!("{} {sweep}", outcome.scenario),
        None => outcome.scenario.clone(),
    };
    let cells = [
        what,
        outcome.subject.clone(),
        per(outcome.samples, outcome.cpu_s),
        per(outcome.samples, Some(outcome.elapsed_s)),
        per(outcome.requests, outcome.cpu_s),
        latency(0.5),
        latency(0.99),
        mib(outcome.rss_idle_bytes),
        mib(outcome.rss_peak_bytes),
        outcome
            .disk_bytes_per_sample
            .map_or_else(unknown, |bytes| format!("{bytes:.1}")),
        answers,
    ];
    format!("| {} |", cells.join(" | "))
}

fn short(number: f64) -> String {
    if number >= 1e6 {
        format!("{:.2} M", number / 1e6)
    } else if number >= 1e4 {
        format!("{:.0} k", number / 1e3)
    } else {
        format!("{number:.0}")
    }
}
