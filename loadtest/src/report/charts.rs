//! Which plots the lines allow, and which they do not.

use super::chart::{Axis, Bars, Chart, Measured, Scale, Series};
use super::figures::{Figure, quantile_ms};
use super::lines::Lines;
use super::subjects::ranked;
use super::sweeps;
use crate::outcome::{Kind, Outcome};

/// The colour of limits, after those of subjects.
const GREY: usize = 8;
/// The scenario that the plots of single runs show.
const SHOWN: &str = "json-1000";

/// A plot, or why there is none.
#[derive(Debug)]
pub(super) enum Plot {
    Chart(Chart),
    Bars(Bars),
    Missing { title: String, why: String },
}

/// All of them, in the order of the page.
pub(super) fn all(lines: &Lines) -> Vec<Plot> {
    let mut plots = rates(lines);
    plots.push(throughput(lines));
    plots.push(latency(lines));
    plots.push(memory(lines));
    for (key, name) in [
        ("names", "metric names"),
        ("series", "series"),
        ("batch", "samples per request"),
        ("partitions", "partitions"),
        ("connections", "connections"),
    ] {
        plots.push(cost(lines, key, name));
    }
    plots
}

/// A bar chart for each scenario in which more than one subject was measured.
fn rates(lines: &Lines) -> Vec<Plot> {
    let mut names: Vec<_> = lines.0.iter().map(|line| line.scenario.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let charts = names.into_iter().filter_map(|name| {
        let of = lines.0.iter().filter(|line| line.scenario == name);
        let of: Vec<_> = of.filter(|line| is_a_maximum(line)).collect();
        let is_compared = of.iter().any(|line| line.kind != Kind::Limit) && of.len() > 1;
        is_compared.then(|| {
            Plot::Bars(Bars {
                title: format!("Samples per CPU-second, {name}"),
                about: "A logarithmic scale. Limits do a part of the work only.".to_owned(),
                bars: ranked(&of)
                    .into_iter()
                    .filter_map(|(_, line)| bar(line))
                    .collect(),
            })
        })
    });
    let charts: Vec<_> = charts.collect();
    if charts.is_empty() {
        return vec![missing(
            "Samples per CPU-second",
            "no scenario has more than one subject",
        )];
    }
    charts
}

fn bar(line: &Outcome) -> Option<Measured> {
    Some(Measured {
        name: line.subject.clone(),
        colour: match line.kind {
            Kind::Sluice => 0,
            Kind::Peer => 1,
            Kind::Limit => GREY,
        },
        value: Figure::SamplesPerCpu.of(line)?,
    })
}

/// Lines of one thing as fast as it goes: neither at a rate nor a point of a sweep.
fn is_a_maximum(line: &Outcome) -> bool {
    let has = |key: &str| line.parameters.contains_key(key);
    let half = line
        .parameters
        .get("rate")
        .is_some_and(|rate| rate != "maximum");
    !half && !has("sweep") && Figure::SamplesPerCpu.of(line).is_some()
}

/// Who was loaded in the scenario that is shown, each with a colour.
fn loaded(lines: &Lines) -> Vec<(usize, &Outcome)> {
    let of = lines
        .0
        .iter()
        .filter(|line| line.scenario == SHOWN && line.kind != Kind::Limit && is_a_maximum(line));
    let mut seen: Vec<&Outcome> = Vec::new();
    for line in of {
        // The last run of each.
        seen.retain(|other| other.subject != line.subject);
        seen.push(line);
    }
    seen.sort_by_key(|line| (line.kind, line.subject.clone()));
    seen.into_iter().enumerate().collect()
}

fn throughput(lines: &Lines) -> Plot {
    let title = format!("Throughput against CPU, {SHOWN}");
    let series = loaded(lines).into_iter().filter_map(|(colour, line)| {
        let cores = line.cpu_s? / line.elapsed_s;
        let rate = Figure::SamplesPerS.of(line)?;
        Some(Series {
            name: line.subject.clone(),
            colour,
            points: vec![(cores, rate)],
        })
    });
    chart(Chart {
        title,
        about: "Up is faster, left is cheaper. What shares the machine moves both.".to_owned(),
        x: Axis::new("cores used", Scale::Linear),
        y: Axis::new("samples/s acknowledged", Scale::Log),
        series: series.collect(),
        joined: false,
    })
}

fn latency(lines: &Lines) -> Plot {
    let quantiles = [0.5, 0.9, 0.99, 0.999, 1.0];
    let half = lines.0.iter().filter(|line| {
        let rate = line
            .parameters
            .get("rate")
            .is_some_and(|rate| rate == "half");
        line.scenario == "latency-half" || (line.kind == Kind::Limit && rate)
    });
    let mut of: Vec<(String, &Outcome)> = half
        .map(|line| (format!("{} at half its maximum", line.subject), line))
        .collect();
    let most = loaded(lines).into_iter();
    of.extend(most.map(|(_, line)| (format!("{} at its maximum", line.subject), line)));
    let series = of.into_iter().filter_map(|(name, line)| {
        let points = (0_u32..)
            .zip(quantiles)
            .filter_map(|(step, quantile)| Some((f64::from(step), quantile_ms(line, quantile)?)));
        let points: Vec<_> = points.collect();
        (!points.is_empty()).then_some((name, points))
    });
    let series = series.enumerate().map(|(colour, (name, points))| Series {
        name,
        colour: colour % GREY,
        points,
    });
    chart(Chart {
        title: format!("Latency of an acknowledgement, {SHOWN}"),
        about: "At its maximum, a server's latency is that of the queue before it.".to_owned(),
        x: Axis::new(
            "quantile",
            Scale::Steps(
                ["p50", "p90", "p99", "p99.9", "max"]
                    .map(str::to_owned)
                    .into(),
            ),
        ),
        y: Axis::new("ms", Scale::Log),
        series: series.collect(),
        joined: true,
    })
}

fn memory(lines: &Lines) -> Plot {
    let series = loaded(lines)
        .into_iter()
        .filter(|(_, line)| !line.rss.is_empty());
    let series = series.map(|(colour, line)| {
        let points = line
            .rss
            .iter()
            .map(|(at, bytes)| (*at, *bytes as f64 / f64::from(1 << 20)));
        Series {
            name: line.subject.clone(),
            colour,
            points: points.collect(),
        }
    });
    chart(Chart {
        title: format!("Memory over time, {SHOWN}"),
        about: "Resident memory of the process under load.".to_owned(),
        x: Axis::new("seconds", Scale::Linear),
        y: Axis::new("MiB", Scale::Log),
        series: series.collect(),
        joined: true,
    })
}

fn cost(lines: &Lines, key: &str, name: &str) -> Plot {
    let mut series = sweeps::cost(lines, key);
    for series in &mut series {
        let spread = sweeps::spread(series);
        series.name = format!("{}: {spread:.2}", series.name);
    }
    let (scale, about) = if key == "batch" {
        (
            Scale::Log,
            "A request has a cost of its own, which small ones share among few samples.",
        )
    } else {
        (
            Scale::Linear,
            "Flat is good. The legend has the highest by the lowest point: at most 1.2 is wanted.",
        )
    };
    chart(Chart {
        title: format!("CPU per sample against {name}"),
        about: about.to_owned(),
        x: Axis::new(name, Scale::Log),
        y: Axis::new("ns per sample", scale),
        series,
        joined: true,
    })
}

fn chart(chart: Chart) -> Plot {
    if chart.series.is_empty() {
        missing(&chart.title, "no lines of results for it")
    } else {
        Plot::Chart(chart)
    }
}

fn missing(title: &str, why: &str) -> Plot {
    Plot::Missing {
        title: title.to_owned(),
        why: why.to_owned(),
    }
}
