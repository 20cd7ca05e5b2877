//! What arrives is shown, and the bounds hold.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use model::{BlockBuilder, MetricType, Point};

use super::window::Window;
use super::{Config, Recent};
use crate::fixtures::Series;
use crate::select::{Names, Seen, Select, Stopped, Wanted};
use crate::{Batch, Item, Lane, Record, Source, Write as _};
use service::units::{Period, Size};

fn item(name: &str, labels: &[(&str, &str)], points: &[(i64, f64)], received_at_ms: i64) -> Item {
    item_in("", name, labels, points, received_at_ms)
}

/// The same with a unit.
fn item_in(
    unit: &str,
    name: &str,
    labels: &[(&str, &str)],
    points: &[(i64, f64)],
    received_at_ms: i64,
) -> Item {
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
    let unit = match unit {
        "" => 0,
        unit => builder.symbol(unit),
    };
    builder.metadata(MetricType::Gauge, unit, 0);
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

/// A reader that wants everything of these names: series as text, and their samples.
struct All(Names, Vec<(String, Vec<(i64, f64)>)>);

impl Select for All {
    fn names(&self) -> Names {
        self.0.clone()
    }

    fn range(&self) -> (i64, i64) {
        (i64::MIN, i64::MAX)
    }

    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped> {
        let (metric, labels, kind) = (seen.metric, seen.labels, seen.kind.as_str());
        self.1
            .push((format!("{metric} {labels:?} {kind}"), Vec::new()));
        Ok(Wanted::Samples)
    }

    fn sample(&mut self, at_ms: i64, value: f64) -> Result<(), Stopped> {
        self.1.last_mut().unwrap().1.push((at_ms, value));
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
}

fn read(window: &Window, name: Option<&str>) -> Vec<(String, Vec<(i64, f64)>)> {
    let names = match name {
        Some(name) => Names::One(Arc::from(name)),
        None => Names::Some(Arc::new(|_| true)),
    };
    let mut all = All(names, Vec::new());
    let (names, range) = (all.names(), all.range());
    let mut next = Some(0);
    while let Some(from) = next {
        next = window.visit(from, &names, range, &mut all).unwrap();
    }
    all.1.sort_by(|a, b| a.0.cmp(&b.0));
    all.1
}

#[test]
fn samples_are_found_by_name_with_labels_and_type() {
    let mut window = Window::new(&Config::default());
    window.insert(&item("cpu", &[("host", "b")], &[(2000, 2.0)], 5000));
    let points = [(1000, 1.0), (3000, 3.0)];
    window.insert(&item("cpu", &[("host", "a")], &points, 5000));
    window.insert(&item("mem", &[("host", "a")], &[(1000, 7.0)], 5000));
    let series = |text: &str, points: &[(i64, f64)]| (text.to_owned(), points.to_vec());
    assert_eq!(
        read(&window, Some("cpu")),
        [
            series(r#"cpu [("host", "a")] gauge"#, &points),
            series(r#"cpu [("host", "b")] gauge"#, &[(2000, 2.0)]),
        ]
    );
    assert_eq!(read(&window, None).len(), 3);
}

#[test]
fn exemplars_alone_are_no_series() {
    let mut window = Window::new(&Config::default());
    let mut series = Series::new("cpu", &[], &[]);
    series.exemplars = vec![(1000, 1.0)];
    window.insert(&series.at(0, 0));
    assert_eq!(read(&window, None), []);
    assert_eq!(window.size_bytes, 0);
}

#[test]
fn a_series_keeps_its_last_points_only() {
    let mut window = Window::new(&Config {
        max_points: 2,
        ..Config::default()
    });
    window.insert(&item("m", &[], &[(1, 1.0), (2, 2.0), (3, 3.0)], 0));
    let [(_, points)] = read(&window, None).try_into().unwrap();
    assert_eq!(points, [(2, 2.0), (3, 3.0)]);
}

#[test]
fn a_silent_series_leaves_the_window() {
    let mut window = Window::new(&Config {
        window: Period::secs(60),
        ..Config::default()
    });
    window.insert(&item("old", &[], &[(1, 1.0)], 0));
    window.insert(&item("new", &[], &[(1, 1.0)], 61_000));
    let [(series, _)] = read(&window, None).try_into().unwrap();
    assert_eq!(series, "new [] gauge");
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
    let newest = r#"m [("host", "host-4999")] gauge"#;
    assert!(
        read(&window, Some("m"))
            .iter()
            .any(|(series, _)| series == newest)
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
fn a_name_has_the_unit_that_any_of_its_series_came_with() {
    let mut window = Window::new(&Config::default());
    window.insert(&item("cpu", &[("host", "a")], &[(1000, 1.0)], 5000));
    let labels = [("host", "b")];
    window.insert(&item_in("percent", "cpu", &labels, &[(1000, 1.0)], 5000));
    window.insert(&item("cpu", &labels, &[(2000, 1.0)], 5000));
    let (names, _) = window.names(&|_| true);
    assert_eq!(names[0].unit.as_deref(), Some("percent"));
    assert_eq!(names[0].help, None);
}

/// A reader that has somebody write while it reads.
struct Disturbed {
    recent: Recent,
    writer: Option<JoinHandle<()>>,
    seen: Vec<String>,
}

fn write(recent: &Recent, items: Vec<Item>) {
    let batch = Batch {
        lane: Lane::Series(0),
        items,
    };
    let written = std::pin::pin!(recent.write(&batch));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(Future::poll(written, &mut context).is_ready());
}

impl Select for Disturbed {
    fn names(&self) -> Names {
        Names::Some(Arc::new(|_| true))
    }

    fn range(&self) -> (i64, i64) {
        (i64::MIN, i64::MAX)
    }

    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped> {
        if self.writer.is_none() {
            let recent = self.recent.clone();
            self.writer = Some(std::thread::spawn(move || {
                // What makes the window forget its oldest series, too.
                write(&recent, vec![item("late", &[], &[(1, 1.0)], 61_000)]);
            }));
            while self.recent.waiting.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
        }
        self.seen.push(seen.metric.to_owned());
        Ok(Wanted::Samples)
    }

    fn sample(&mut self, _: i64, _: f64) -> Result<(), Stopped> {
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
}

#[test]
fn a_reader_lets_writers_in_and_misses_nothing_that_stays() {
    let recent = Recent::new(&Config {
        window: Period::secs(60),
        max_size: Size(300_000),
        ..Config::default()
    });
    // The first half is silent for too long when the late one comes, and there is no room for all.
    let series = |number: i64| {
        let points: Vec<(i64, f64)> = (0..2).map(|at| (at, 1.0)).collect();
        item(
            &format!("m{number}"),
            &[],
            &points,
            if number < 400 { 0 } else { 30_000 },
        )
    };
    write(&recent, (0..1200).map(series).collect());
    let mut reader = Disturbed {
        recent: recent.clone(),
        writer: None,
        seen: Vec::new(),
    };
    recent.visit(&mut reader).unwrap();
    reader.writer.take().unwrap().join().unwrap();
    assert_eq!(reader.seen.last().unwrap(), "late");
    for number in 400..1200 {
        let name = format!("m{number}");
        let times = reader.seen.iter().filter(|seen| **seen == name).count();
        assert_eq!(times, 1, "{name}");
    }
}
