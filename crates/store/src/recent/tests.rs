//! What arrives is shown, and the bounds hold.

use std::sync::Arc;

use model::{BlockBuilder, MetricType, Point};

use super::window::Window;
use super::{Config, Query};
use crate::fixtures::Series;
use crate::{Item, Record, Source};
use service::units::{Period, Size};

fn item(name: &str, labels: &[(&str, &str)], points: &[(i64, f64)], received_at_ms: i64) -> Item {
    let mut builder = BlockBuilder::new();
    builder.symbol("");
    for (label, value) in [("__name__", name)].iter().chain(labels) {
        let (label, value) = (builder.symbol(label), builder.symbol(value));
        builder.label_ref(label);
        builder.label_ref(value);
    }
    for &(at_ms, value) in points {
        builder.point(Point {
            at_ms,
            value,
            start_ms: 0,
        });
    }
    builder.metadata(MetricType::Gauge, 0, 0);
    builder.end_series();
    Item {
        record: Arc::new(Record {
            block: builder.build().unwrap(),
            source: Source {
                partition: 0,
                offset: 0,
                received_at_ms,
            },
            tenant: None,
            sender: None,
        }),
        series: 0,
        samples: 0..u32::try_from(points.len()).unwrap(),
    }
}

fn query(name: Option<&str>, labels: &[(&str, &str)], limit: usize) -> Query {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Query {
        metric_name: name.map(str::to_owned),
        labels,
        limit,
    }
}

#[test]
fn samples_are_found_by_name_and_labels_newest_last() {
    let mut window = Window::new(&Config::default());
    window.insert(&item("cpu", &[("host", "b")], &[(2000, 2.0)], 5000));
    window.insert(&item(
        "cpu",
        &[("host", "a")],
        &[(1000, 1.0), (3000, f64::NAN)],
        5000,
    ));
    window.insert(&item("mem", &[("host", "a")], &[(1000, 7.0)], 5000));
    let rows = serde_json::to_string(&window.samples(&query(Some("cpu"), &[], 2))).unwrap();
    assert_eq!(
        rows,
        r#"[{"metric_name":"cpu","timestamp":2000,"value":2.0,"labels":{"host":"b"}},{"metric_name":"cpu","timestamp":3000,"value":"NaN","labels":{"host":"a"}}]"#
    );
    assert_eq!(
        window
            .samples(&query(Some("cpu"), &[("host", "b")], 9))
            .len(),
        1
    );
    let rows = serde_json::to_string(&window.series(&query(None, &[("host", "a")], 1))).unwrap();
    assert_eq!(
        rows,
        r#"[{"metric_name":"cpu","labels":{"host":"a"},"type":"gauge","last_timestamp":3000,"last_value":"NaN"}]"#
    );
}

#[test]
fn exemplars_alone_are_no_series() {
    let mut window = Window::new(&Config::default());
    let mut series = Series::new("cpu", &[], &[]);
    series.exemplars = vec![(1000, 1.0)];
    window.insert(&series.at(0, 0));
    assert_eq!(window.series(&query(None, &[], 10)), []);
    assert_eq!(window.size_bytes, 0);
}

#[test]
fn a_series_keeps_its_last_points_only() {
    let mut window = Window::new(&Config {
        max_points: 2,
        ..Config::default()
    });
    window.insert(&item("m", &[], &[(1, 1.0), (2, 2.0), (3, 3.0)], 0));
    let times: Vec<i64> = window
        .samples(&query(None, &[], 9))
        .iter()
        .map(|row| row.timestamp)
        .collect();
    assert_eq!(times, [2, 3]);
}

#[test]
fn a_silent_series_leaves_the_window() {
    let mut window = Window::new(&Config {
        window: Period::secs(60),
        ..Config::default()
    });
    window.insert(&item("old", &[], &[(1, 1.0)], 0));
    window.insert(&item("new", &[], &[(1, 1.0)], 61_000));
    let names: Vec<String> = window
        .series(&query(None, &[], 9))
        .into_iter()
        .map(|row| row.metric_name)
        .collect();
    assert_eq!(names, ["new"]);
}

#[test]
fn the_bound_in_bytes_holds_and_the_newest_series_stay() {
    let max_size = Size(200 * 1024);
    let mut window = Window::new(&Config {
        max_size,
        ..Config::default()
    });
    for number in 0..5000 {
        let host = format!("host-{number}");
        let points: Vec<(i64, f64)> = (0..100).map(|at| (at, 1.0)).collect();
        window.insert(&item("m", &[("host", &host)], &points, number));
        window.shrink();
        assert!(window.size_bytes <= max_size.bytes());
    }
    assert_eq!(
        window
            .samples(&query(Some("m"), &[("host", "host-4999")], 9))
            .len(),
        1
    );
}

#[test]
fn names_are_told_with_their_series_until_they_are_silent() {
    let mut window = Window::new(&Config {
        window: Period::secs(60),
        ..Config::default()
    });
    window.insert(&item("cpu", &[("host", "a")], &[(1000, 1.0)], 1000));
    window.insert(&item("cpu", &[("host", "b")], &[(2000, 1.0)], 2000));
    window.insert(&item("disk", &[], &[(1000, 1.0)], 1000));
    let (names, known) = window.names(&|name| name == "cpu");
    assert_eq!(known, 2);
    let cpu = &names[0];
    assert_eq!((cpu.metric_name.as_str(), cpu.series), ("cpu", 2));
    assert_eq!((cpu.kind, cpu.received_at_ms), (Some("gauge"), 2000));
    window.insert(&item("mem", &[], &[(70_000, 1.0)], 70_000));
    let (names, known) = window.names(&|_| true);
    assert_eq!((names.len(), known), (1, 1));
}

#[test]
fn metric_names_are_listed_with_their_series_and_type() {
    let mut window = Window::new(&Config::default());
    window.insert(&item("cpu", &[("host", "a")], &[(1000, 1.0)], 5000));
    window.insert(&item("cpu", &[("host", "b")], &[(1000, 1.0)], 6000));
    window.insert(&item("mem", &[], &[(1000, 7.0)], 5000));
    let (rows, known) = window.names(&|name| name.starts_with('c'));
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(known, 2);
    assert_eq!((row.metric_name.as_str(), row.series), ("cpu", 2));
    assert_eq!((row.kind, row.received_at_ms), (Some("gauge"), 6000));
}
