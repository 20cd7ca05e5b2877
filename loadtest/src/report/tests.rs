//! Ratios, ranks, gaps and drawings of results that are made up here.

use std::collections::BTreeMap;

use super::chart::{Axis, Chart, Scale, Series};
use super::figures::short;
use super::lines::Lines;
use super::standing::{Reached, Standing};
use super::{charts, markdown, page, standing, subjects, sweeps};
use crate::outcome::{Kind, Outcome};

fn line(kind: Kind, scenario: &str, subject: &str, rate: f64) -> Outcome {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates of tests are whole and small"
    )]
    let samples = (rate * 2.0) as u64;
    Outcome {
        scenario: scenario.to_owned(),
        subject: subject.to_owned(),
        kind,
        parameters: BTreeMap::new(),
        samples,
        requests: samples / 1000,
        elapsed_s: 1.0,
        cpu_s: Some(2.0),
        rss_idle_bytes: Some(10 << 20),
        rss_peak_bytes: Some(50 << 20),
        rss: vec![(0.0, 10 << 20), (1.0, 50 << 20)],
        latency_us: vec![(0.5, 1000), (0.99, 9000)],
        disk_bytes_per_sample: None,
        answers: BTreeMap::new(),
        answers_after_kafka: Some(kind != Kind::Peer),
        lost: None,
        note: String::new(),
    }
}

fn with(mut line: Outcome, parameters: &[(&str, &str)]) -> Outcome {
    let parameters = parameters.iter();
    line.parameters
        .extend(parameters.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    line
}

fn decoded(scenario: &str, subject: &str, rate: f64) -> Outcome {
    with(
        line(Kind::Limit, scenario, subject, rate),
        &[("stage", "decode")],
    )
}

fn gateway(rate: f64) -> Outcome {
    line(Kind::Sluice, "json-1000-32", "gateway", rate)
}

fn row(lines: Vec<Outcome>, figure: &str) -> Standing {
    let mut rows = standing::all(&Lines(lines)).into_iter();
    rows.find(|row| row.figure.starts_with(figure)).unwrap()
}

const JSON: &str = "JSON, batches of 1000";

#[test]
fn a_ratio_is_to_the_fastest_library_of_the_right_stage() {
    let lines = vec![
        gateway(2e6),
        decoded("json-1000", "serde_json decode", 3e6),
        decoded("json-1000", "sonic-rs decode", 4e6),
        decoded("json-10", "sonic-rs decode", 9e6),
        with(
            line(Kind::Limit, "json-1000", "bare handler", 2e7),
            &[("stage", "http")],
        ),
    ];
    let row = row(lines, JSON);
    assert_eq!(row.seen.as_deref(), Some("50 %"));
    assert_eq!(row.reached, Reached::Bar);
    assert_eq!(
        row.from,
        "2 M samples per CPU-second (gateway) of 4 M samples per CPU-second (sonic-rs decode)"
    );
}

#[test]
fn a_figure_at_its_aim_reaches_it_and_one_below_its_bar_nothing() {
    for (rate, expected) in [
        (2.8e6, Reached::Aim),
        (1.6e6, Reached::Bar),
        (1.5e6, Reached::Neither),
    ] {
        let lines = vec![gateway(rate), decoded("json-1000", "sonic-rs decode", 4e6)];
        assert_eq!(row(lines, JSON).reached, expected, "{rate}");
    }
}

#[test]
fn the_middle_of_several_runs_counts_but_the_most_memory() {
    let mut runs = vec![gateway(1e6), gateway(3e6), gateway(2e6)];
    runs[1].rss_peak_bytes = Some(90 << 20);
    let lines = [
        runs.clone(),
        vec![decoded("json-1000", "sonic-rs decode", 4e6)],
    ]
    .concat();
    let json = row(lines, JSON);
    assert_eq!(json.seen.as_deref(), Some("50 %"));
    assert!(json.from.contains("the middle of 3 runs"), "{}", json.from);
    let memory = row(runs, "memory of the gateway, maximum load");
    assert_eq!(memory.seen.as_deref(), Some("90 MiB"));
    assert!(
        memory.from.contains("the largest of 3 runs"),
        "{}",
        memory.from
    );
}

#[test]
fn the_best_alternative_is_the_cheapest_of_all() {
    let lines = vec![
        line(Kind::Sluice, "json-1000", "gateway", 2e6),
        line(Kind::Peer, "json-1000", "flask", 2e4),
        line(Kind::Peer, "json-1000", "telegraf", 8e4),
    ];
    let row = row(lines, "JSON against the best alternative");
    assert_eq!(row.seen.as_deref(), Some("25x"));
    assert_eq!(row.reached, Reached::Bar);
}

#[test]
fn the_window_is_added_to_what_a_latency_is_compared_with() {
    let half = |kind, scenario, subject, us| {
        let mut line = with(line(kind, scenario, subject, 1e6), &[("rate", "half")]);
        line.latency_us = vec![(0.99, us)];
        line
    };
    let lines = vec![
        half(Kind::Sluice, "latency-half", "gateway", 15_000),
        half(Kind::Limit, "json-1000", "librdkafka", 5_000),
    ];
    let row = row(lines, "p99 at half");
    assert_eq!(row.seen.as_deref(), Some("1.5x"));
    assert_eq!(row.reached, Reached::Bar);
}

#[test]
fn packets_count_only_when_the_kernel_dropped_none() {
    let packets = |dropped| {
        let mut line = line(Kind::Sluice, "statsd", "gateway", 1e6);
        line.requests = 800_000;
        line.answers.insert("dropped".to_owned(), dropped);
        line
    };
    let name = "StatsD packets";
    assert_eq!(row(vec![packets(0)], name).seen.as_deref(), Some("400 k/s"));
    let dropped = row(vec![packets(3)], name);
    assert_eq!((dropped.seen, dropped.reached), (None, Reached::Unknown));
}

#[test]
fn what_no_line_says_is_missing_and_not_invented() {
    let rows = standing::all(&Lines::default());
    assert!(
        rows.iter()
            .all(|row| row.seen.is_none() && row.reached == Reached::Unknown)
    );
    let lines = vec![gateway(2e6)];
    let alone = row(lines, JSON);
    assert_eq!(alone.seen, None);
    assert_eq!(
        alone.from,
        "no line of a limit for json-1000 with stage decode"
    );
    let text = markdown::write(&rows, &[]);
    assert_eq!(text.matches("| – | missing |").count(), rows.len());
    let plots = charts::all(&Lines::default());
    let page = page::write(&rows, &[], &plots);
    assert_eq!(page.matches("Missing: ").count(), plots.len());
    assert!(!page.contains("<svg"));
}

#[test]
fn a_run_that_acknowledged_nothing_has_no_rate() {
    let lines = vec![gateway(0.0), decoded("json-1000", "sonic-rs decode", 4e6)];
    assert_eq!(row(lines, JSON).reached, Reached::Unknown);
}

#[test]
fn limits_and_points_of_sweeps_have_no_rank() {
    let lines = [
        decoded("json-1000", "sonic-rs decode", 4e6),
        line(Kind::Peer, "json-1000", "telegraf", 8e4),
        gateway(2e6),
        with(gateway(1e6), &[("sweep", "batch"), ("batch", "10")]),
    ];
    let ranked = subjects::ranked(&lines.iter().collect::<Vec<_>>());
    let ranks: Vec<_> = ranked
        .iter()
        .map(|(rank, line)| (*rank, line.subject.as_str()))
        .collect();
    assert_eq!(
        ranks,
        [
            (None, "sonic-rs decode"),
            (Some(1), "gateway"),
            (Some(2), "telegraf"),
            (None, "gateway")
        ]
    );
}

#[test]
fn a_sweep_is_one_series_by_value_with_the_mean_of_equal_points() {
    let point = |names: &str, rate| {
        with(
            line(Kind::Sluice, "names", "gateway", rate),
            &[("sweep", "names"), ("names", names)],
        )
    };
    let lines = Lines(vec![point("100", 1e6), point("1", 2e6), point("100", 5e5)]);
    let series = sweeps::cost(&lines, "names");
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].points, [(1.0, 500.0), (100.0, 1500.0)]);
    assert!((sweeps::spread(&series[0]) - 3.0).abs() < 1e-9);
}

#[test]
fn lines_that_differ_in_more_than_one_parameter_are_not_joined() {
    let point =
        |names: &str, batch: &str| with(gateway(1e6), &[("names", names), ("batch", batch)]);
    let lines = Lines(vec![point("1", "10"), point("50", "1000")]);
    assert!(sweeps::cost(&lines, "names").is_empty());
}

/// Whether each tag is closed by its own, in order.
fn check_well_formed(text: &str) {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        assert!(!before.contains('>'), "a stray > in {before:?}");
        let (tag, after) = tail.split_once('>').expect("a tag that ends");
        rest = after;
        let name = tag
            .split([' ', '/'])
            .find(|part| !part.is_empty())
            .unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed by </{name}>");
        } else if !tag.ends_with('/') && !["!doctype", "meta", "br"].contains(&name) {
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[test]
fn drawings_and_pages_are_well_formed_whatever_the_names() {
    let nasty = r#"<b>&"x"</b>"#;
    let mut lines = vec![
        gateway(2e6),
        line(Kind::Sluice, "json-1000", nasty, 1e6),
        line(Kind::Peer, "json-1000", "telegraf", 8e4),
        decoded("json-1000", "sonic-rs decode", 4e6),
    ];
    for names in ["1", "1000"] {
        lines.push(with(
            line(Kind::Sluice, "names", "gateway", 1e6),
            &[("sweep", "names"), ("names", names)],
        ));
    }
    let lines = Lines(lines);
    let page = page::write(
        &standing::all(&lines),
        &subjects::all(&lines),
        &charts::all(&lines),
    );
    check_well_formed(&page);
    assert!(
        page.matches("<svg").count() >= 5,
        "{}",
        page.matches("<svg").count()
    );
    assert!(!page.contains(nasty));
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("NaN"));
}

#[test]
fn points_that_cannot_be_drawn_are_left_out() {
    let chart = |points: Vec<(f64, f64)>, scale: Scale| Chart {
        title: "t".to_owned(),
        about: String::new(),
        x: Axis::new("x", Scale::Linear),
        y: Axis::new("y", scale),
        series: vec![Series {
            name: "s".to_owned(),
            colour: 0,
            points,
        }],
        joined: true,
    };
    let zero_on_log = chart(vec![(0.0, 0.0), (1.0, 10.0)], Scale::Log).svg();
    assert_eq!(zero_on_log.matches("<circle").count(), 1);
    for svg in [
        zero_on_log,
        chart(Vec::new(), Scale::Linear).svg(),
        chart(vec![(0.0, 0.0)], Scale::Linear).svg(),
        chart(vec![(1.0, 5.0), (2.0, 5.0)], Scale::Log).svg(),
    ] {
        check_well_formed(&svg);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

#[test]
fn numbers_are_short() {
    for (number, text) in [
        (0.0, "0"),
        (0.05, "0.05"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (100.0, "100"),
        (9_999.0, "9999"),
        (12_345.0, "12.3 k"),
        (730_000.0, "730 k"),
        (4_000_000.0, "4 M"),
    ] {
        assert_eq!(short(number), text, "{number}");
    }
}
