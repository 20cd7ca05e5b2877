//! Everybody who was measured, by scenario, the cheapest first.

use std::collections::BTreeMap;

use super::figures::{Figure, short};
use super::lines::Lines;
use crate::outcome::{Kind, Outcome};

/// What the columns are.
pub(super) const COLUMNS: [&str; 11] = [
    "rank",
    "subject",
    "samples per CPU-second",
    "samples/s",
    "requests per CPU-second",
    "p50 ms",
    "p99 ms",
    "peak MiB",
    "B/sample in Kafka",
    "answers",
    "lost",
];

/// Everybody in one scenario.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
}

/// Somebody.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    /// As [`COLUMNS`] has them.
    pub(super) cells: [String; 11],
    pub(super) note: String,
}

/// All scenarios by name.
pub(super) fn all(lines: &Lines) -> Vec<Scenario> {
    let mut scenarios: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for line in &lines.0 {
        scenarios.entry(&line.scenario).or_default().push(line);
    }
    let scenarios = scenarios.into_iter().map(|(name, lines)| Scenario {
        name: name.to_owned(),
        rows: ranked(&lines)
            .into_iter()
            .map(|(rank, line)| row(rank, line))
            .collect(),
    });
    scenarios.collect()
}

/// Lines by samples per CPU-second, with the rank of those that are no limits. A point of a sweep has none: its
/// neighbours were sent something else.
pub(super) fn ranked<'a>(lines: &[&'a Outcome]) -> Vec<(Option<usize>, &'a Outcome)> {
    let mut sorted = lines.to_vec();
    let rate = |line: &Outcome| Figure::SamplesPerCpu.of(line).unwrap_or(0.0);
    sorted.sort_by(|one, other| {
        let points = point(one).total_cmp(&point(other));
        points.then(rate(other).total_cmp(&rate(one)))
    });
    let mut next = 0;
    sorted
        .into_iter()
        .map(|line| {
            let is_ranked = line.kind != Kind::Limit
                && !line.parameters.contains_key("sweep")
                && rate(line) > 0.0;
            next += usize::from(is_ranked);
            (is_ranked.then_some(next), line)
        })
        .collect()
}

/// Where a line is in its sweep.
fn point(line: &Outcome) -> f64 {
    let swept = line.parameters.get("sweep");
    let value = swept.and_then(|key| line.parameters.get(key)?.parse().ok());
    value.unwrap_or(0.0)
}

fn row(rank: Option<usize>, line: &Outcome) -> Row {
    let cell = |figure: Figure| figure.of(line).map_or_else(String::new, short);
    let point = line.parameters.get("sweep");
    let point = point.and_then(|key| Some(format!(" {key}={}", line.parameters.get(key)?)));
    // Limits say what their rate is; who is loaded, how many requests were sent per second.
    let rate = line.parameters.get("rate");
    let rate = rate.map(|rate| {
        format!(
            " at {rate}{}",
            if rate.parse::<f64>().is_ok() {
                "/s"
            } else {
                " rate"
            }
        )
    });
    let answers = match (line.kind, line.answers_after_kafka) {
        (_, Some(true)) => "after Kafka",
        (Kind::Peer, Some(false)) => "before Kafka",
        (Kind::Sluice | Kind::Limit, Some(false)) | (_, None) => "",
    };
    Row {
        kind: line.kind,
        cells: [
            rank.map_or_else(String::new, |rank| rank.to_string()),
            [
                line.subject.as_str(),
                point.as_deref().unwrap_or_default(),
                rate.as_deref().unwrap_or_default(),
            ]
            .concat(),
            cell(Figure::SamplesPerCpu),
            cell(Figure::SamplesPerS),
            cell(Figure::RequestsPerCpu),
            cell(Figure::P50Ms),
            cell(Figure::P99Ms),
            cell(Figure::PeakMib),
            cell(Figure::DiskBytes),
            answers.to_owned(),
            line.lost.map_or_else(String::new, |lost| lost.to_string()),
        ],
        note: line.note.clone(),
    }
}
