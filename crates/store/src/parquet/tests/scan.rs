//! Queries find what was written, by name and time, and nothing else.

use std::sync::{Arc, Mutex};

use super::*;
use crate::parquet::ReadError;
use crate::select::{Names, Seen, Select, Stopped, Wanted};

/// Collects what it is given.
struct Reader {
    names: Names,
    range: (i64, i64),
    leave_out: &'static str,
    seen: Vec<(String, i64, f64)>,
    series: String,
    /// After so many samples it has enough.
    most: usize,
}

impl Reader {
    fn of(names: Names, range: (i64, i64)) -> Self {
        Self {
            names,
            range,
            leave_out: "",
            seen: Vec::new(),
            series: String::new(),
            most: usize::MAX,
        }
    }
}

impl Select for Reader {
    fn names(&self) -> Names {
        self.names.clone()
    }

    fn range(&self) -> (i64, i64) {
        self.range
    }

    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped> {
        let labels: Vec<String> = seen
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let tenant = seen.tenant.unwrap_or("-");
        self.series = format!("{tenant} {} {}", seen.metric, labels.join(","));
        Ok(if seen.metric == self.leave_out {
            Wanted::Nothing
        } else {
            Wanted::Samples
        })
    }

    fn sample(&mut self, at_ms: i64, value: f64) -> Result<(), Stopped> {
        self.seen.push((self.series.clone(), at_ms, value));
        if self.seen.len() < self.most {
            Ok(())
        } else {
            Err(Stopped)
        }
    }

    fn go_on(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
}

fn one(name: &str) -> Names {
    Names::One(name.into())
}

fn all() -> Names {
    Names::Some(Arc::new(|_| true))
}

/// Two days, two series of one name, a histogram, a tenant.
async fn written(dir: &Path) -> Archive {
    let config = Config {
        dir: Some(dir.to_owned()),
        ..Config::default()
    };
    let archive = Archive::open(config, "archive", "test", dir).unwrap();
    let mut histogram = Series::new("took", &[], &[]);
    histogram.histograms = vec![(MIDNIGHT + 5, b"h".to_vec())];
    let mut theirs = Series::new("cpu", &[("host", "a")], &[(MIDNIGHT + 10, 9.0)]).at(0, 3);
    give_to(&mut theirs, Some("team"));
    let items = vec![
        Series::new(
            "cpu",
            &[("host", "a"), ("rack", "1")],
            &[(MIDNIGHT - 10, 1.0), (MIDNIGHT + 10, 2.0)],
        )
        .at(0, 0),
        Series::new("cpu", &[], &[(MIDNIGHT + 10, 3.0)]).at(0, 1),
        histogram.at(0, 2),
        theirs,
        Series::new(
            "mem",
            &[("host", "a")],
            &[(MIDNIGHT + 20, 4.0), (MIDNIGHT + 30, f64::INFINITY)],
        )
        .at(0, 4),
    ];
    archive.resume(0, 0).await.unwrap();
    archive.write(&batch(0, items)).await.unwrap();
    archive
}

fn seen(archive: &Archive, reader: &mut Reader) -> Vec<String> {
    archive.visit(reader).unwrap();
    let mut shown: Vec<String> = reader
        .seen
        .iter()
        .map(|(series, at_ms, value)| format!("{series} {} {value}", at_ms - MIDNIGHT))
        .collect();
    shown.sort();
    shown
}

#[tokio::test]
async fn samples_are_found_by_name_and_time_with_labels_and_tenants() {
    let dir = tempfile::tempdir().unwrap();
    let archive = written(dir.path()).await;
    let mut reader = Reader::of(one("cpu"), (i64::MIN, i64::MAX));
    assert_eq!(
        seen(&archive, &mut reader),
        [
            "- cpu  10 3",
            "- cpu host=a,rack=1 -10 1",
            "- cpu host=a,rack=1 10 2",
            "team cpu host=a 10 9",
        ]
    );
    // Both ends count.
    let mut reader = Reader::of(all(), (MIDNIGHT + 10, MIDNIGHT + 20));
    assert_eq!(seen(&archive, &mut reader).len(), 4);
    let mut reader = Reader::of(all(), (MIDNIGHT + 11, MIDNIGHT + 40));
    reader.leave_out = "cpu";
    assert_eq!(
        seen(&archive, &mut reader),
        ["- mem host=a 20 4", "- mem host=a 30 inf"]
    );
    // A native histogram has no single value.
    assert!(seen(&archive, &mut Reader::of(one("took"), (i64::MIN, i64::MAX))).is_empty());
}

#[tokio::test]
async fn a_reader_that_has_enough_stops_the_reading() {
    let dir = tempfile::tempdir().unwrap();
    let archive = written(dir.path()).await;
    let mut reader = Reader::of(all(), (i64::MIN, i64::MAX));
    reader.most = 2;
    let stopped = archive.visit(&mut reader);
    assert!(matches!(stopped, Err(ReadError::Stopped)), "{stopped:?}");
    assert_eq!(reader.seen.len(), 2);
}

#[tokio::test]
async fn a_damaged_file_is_left_out_and_counted_and_one_of_others_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let archive = written(dir.path()).await;
    let day = dir.path().join("date=2026-11-21");
    fs::write(
        day.join("p00000-x.parquet"),
        b"PAR1 nothing of the kind PAR1",
    )
    .unwrap();
    fs::write(day.join("notes.txt"), b"ours are not these").unwrap();
    let mut reader = Reader::of(one("mem"), (i64::MIN, i64::MAX));
    let scanned = archive.visit(&mut reader).unwrap();
    assert_eq!((scanned.files, scanned.unreadable), (3, 1));
    assert_eq!(reader.seen.len(), 2);
}

#[tokio::test]
async fn merged_files_hold_the_same_samples() {
    let dir = tempfile::tempdir().unwrap();
    let parent = dir.path().join("archive");
    let archive = written(&parent).await;
    let before = seen(&archive, &mut Reader::of(all(), (i64::MIN, i64::MAX)));
    assert_eq!(before.len(), 6);
    for offset in 5..40 {
        let item = Series::new("more", &[], &[(MIDNIGHT + offset, 1.0)]).at(0, offset);
        archive.write(&batch(0, vec![item])).await.unwrap();
    }
    let merged = archive.merge(MIDNIGHT + 40 * 3_600_000).unwrap();
    assert!(merged.after > 0, "{merged:?}");
    let mut reader = Reader::of(all(), (i64::MIN, i64::MAX));
    reader.leave_out = "more";
    assert_eq!(seen(&archive, &mut reader), before);
}

/// Wants no name, and has enough when it was asked for one.
struct Quick(Arc<Mutex<Vec<String>>>);

impl Select for Quick {
    fn names(&self) -> Names {
        let asked = Arc::clone(&self.0);
        Names::Some(Arc::new(move |name| {
            asked.lock().unwrap().push(name.to_owned());
            false
        }))
    }

    fn range(&self) -> (i64, i64) {
        (i64::MIN, i64::MAX)
    }

    fn series(&mut self, _: &Seen<'_>) -> Result<Wanted, Stopped> {
        Ok(Wanted::Nothing)
    }

    fn sample(&mut self, _: i64, _: f64) -> Result<(), Stopped> {
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), Stopped> {
        match self.0.lock().unwrap().is_empty() {
            true => Ok(()),
            false => Err(Stopped),
        }
    }
}

#[tokio::test]
async fn a_reader_can_stop_between_row_groups_that_have_nothing_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    let points: Vec<(i64, f64)> = (0..122_880).map(|at| (MIDNIGHT + at, 1.0)).collect();
    let items = vec![
        Series::new("a", &[], &points).at(0, 0),
        Series::new("b", &[], &points).at(0, 1),
    ];
    archive.resume(0, 0).await.unwrap();
    archive.write(&batch(0, items)).await.unwrap();
    let mut reader = Quick(Arc::default());
    let stopped = archive.visit(&mut reader);
    assert!(matches!(stopped, Err(ReadError::Stopped)), "{stopped:?}");
    assert!(!reader.0.lock().unwrap().contains(&"b".to_owned()));
}
