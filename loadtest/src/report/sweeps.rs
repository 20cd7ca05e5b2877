//! Lines that differ in one parameter, and what a sample costs along it.

use std::collections::BTreeMap;

use super::chart::Series;
use super::figures::Figure;
use super::lines::Lines;
use crate::outcome::{Kind, Outcome};

/// What lines say of themselves beside their parameters, and parameters that follow from others.
const NOT_TOLD_APART: [&str; 2] = ["sweep", "rate"];

/// CPU time per sample over a parameter, for each set of lines that differ in nothing else, in nanoseconds.
pub(super) fn cost(lines: &Lines, key: &str) -> Vec<Series> {
    let mut sets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for line in lines.0.iter().filter(|line| line.kind == Kind::Sluice) {
        let value = line
            .parameters
            .get(key)
            .and_then(|value| value.parse().ok());
        let cost = Figure::SamplesPerCpu.of(line).map(|rate| 1e9 / rate);
        if let (Some(value), Some(cost)) = (value, cost) {
            sets.entry(rest(line, key)).or_default().push((value, cost));
        }
    }
    let mut series = Vec::new();
    for (name, mut points) in sets {
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        points = averaged(&points);
        if points.len() > 1 {
            series.push(Series {
                name,
                colour: series.len(),
                points,
            });
        }
    }
    series
}

/// How far apart the costs along a series are: the largest by the smallest.
pub(super) fn spread(series: &Series) -> f64 {
    let costs = series.points.iter().map(|(_, cost)| *cost);
    let (least, most) = costs.fold((f64::MAX, 0_f64), |(least, most), cost| {
        (least.min(cost), most.max(cost))
    });
    most / least
}

/// Who, and all parameters but one that matter.
fn rest(line: &Outcome, key: &str) -> String {
    let swept = line
        .parameters
        .get("sweep")
        .is_some_and(|swept| swept == key);
    // A sweep says itself what belongs together; its scenario's other parameters need not be read.
    if swept {
        return format!("{} ({})", line.subject, line.scenario);
    }
    let others = line
        .parameters
        .iter()
        .filter(|(name, _)| name.as_str() != key && !NOT_TOLD_APART.contains(&name.as_str()));
    let others: Vec<_> = others
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    format!("{} ({})", line.subject, others.join(", "))
}

/// One point per value: several runs of the same are their mean.
fn averaged(sorted: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let runs = sorted.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq());
    runs.filter_map(|run| {
        let sum: f64 = run.iter().map(|(_, cost)| cost).sum();
        Some((run.first()?.0, sum / run.len() as f64))
    })
    .collect()
}
