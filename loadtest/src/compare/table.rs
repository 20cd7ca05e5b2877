//! Results of `compare` as a Markdown table.

use std::fmt::Write as _;

use crate::outcome::{Kind, Outcome};

const HEAD: &str = "\
| scenario | who | samples per CPU-second | Sluice is | arrived/s | p50 ms | p99 ms | RSS idle, peak MiB | \
B/sample in Kafka | answers after Kafka | acknowledged, not in Kafka | |\n\
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- |\n";

/// The table of these results, which are of one run.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut text = HEAD.to_owned();
    for outcome in outcomes {
        let sluice = outcomes
            .iter()
            .find(|other| other.kind == Kind::Sluice && other.scenario == outcome.scenario);
        let ratio = sluice
            .filter(|_| outcome.kind == Kind::Peer)
            .and_then(|sluice| Some(per_cpu(sluice)? / per_cpu(outcome)?));
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {}, {} | {} | {} | {} | {} |",
            outcome.scenario,
            outcome.subject,
            or_unknown(per_cpu(outcome).map(thousands)),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}x")),
            thousands(outcome.samples as f64 / outcome.elapsed_s),
            millis(outcome, 0.5),
            millis(outcome, 0.99),
            or_unknown(outcome.rss_idle_bytes.map(mib)),
            or_unknown(outcome.rss_peak_bytes.map(mib)),
            or_unknown(
                outcome
                    .disk_bytes_per_sample
                    .map(|bytes| format!("{bytes:.1}"))
            ),
            match outcome.answers_after_kafka {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "?",
            },
            or_unknown(outcome.lost.map(|lost| lost.to_string())),
            outcome.note,
        )
        .expect("text takes everything");
    }
    text
}

fn per_cpu(outcome: &Outcome) -> Option<f64> {
    outcome
        .cpu_s
        .filter(|cpu_s| *cpu_s > 0.0)
        .map(|cpu_s| outcome.samples as f64 / cpu_s)
}

fn millis(outcome: &Outcome, quantile: f64) -> String {
    let found = outcome
        .latency_us
        .iter()
        .find(|(at, _)| (at - quantile).abs() < 1e-9);
    or_unknown(found.map(|(_, micros)| format!("{:.1}", *micros as f64 / 1000.0)))
}

fn mib(bytes: u64) -> String {
    (bytes >> 20).to_string()
}

fn thousands(rate: f64) -> String {
    format!("{:.0} k", rate / 1000.0)
}

fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::outcome::{Kind, Outcome};

    fn outcome(subject: &str, kind: Kind, samples: u64) -> Outcome {
        Outcome {
            scenario: "json-1000".to_owned(),
            subject: subject.to_owned(),
            kind,
            parameters: [].into(),
            samples,
            requests: 1,
            elapsed_s: 2.0,
            cpu_s: Some(1.0),
            rss_idle_bytes: Some(3 << 20),
            rss_peak_bytes: None,
            rss: Vec::new(),
            latency_us: vec![(0.5, 1500), (0.99, 20_000)],
            disk_bytes_per_sample: Some(46.04),
            answers: [].into(),
            answers_after_kafka: Some(kind == Kind::Sluice),
            lost: Some(0),
            note: "a note".to_owned(),
        }
    }

    #[test]
    fn ratios_are_to_sluice_in_the_same_scenario() {
        let outcomes = [
            outcome("gateway", Kind::Sluice, 800_000),
            outcome("flask", Kind::Peer, 20_000),
        ];
        let text = table(&outcomes);
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| json-1000 | gateway | 800 k |  | 400 k | 1.5 | 20.0 | 3, ? | 46.0 | yes | 0 | a note |",
                "| json-1000 | flask | 20 k | 40.0x | 10 k | 1.5 | 20.0 | 3, ? | 46.0 | **no** | 0 | a note |",
            ]
        );
    }
}
