//! What goes into the archive comes out of it, once.

mod bucket;
mod crash;
mod merging;
mod owner;
mod property;
mod retention;
mod scan;
mod trouble;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, TimestampMillisecondType};
use arrow_array::{Array as _, RecordBatch};

use super::layout::Day;
use super::{Archive, Config};
use crate::fixtures::{Series, batch, give_to};
use crate::{Item, Lanes, Write as _, WriteError};

/// 21 November 2026, 00:00 UTC.
const MIDNIGHT: i64 = 1_795_219_200_000;

/// A row as a reader sees it. Floats as bits, so that a NaN equals itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    metric: String,
    labels: BTreeMap<String, String>,
    at_ms: i64,
    value: Option<u64>,
    histogram: Option<Vec<u8>>,
    tenant: Option<String>,
}

fn rows_of(chunk: &RecordBatch) -> Vec<Row> {
    let column = |name: &str| chunk.column_by_name(name).unwrap();
    let metric = column("metric").as_string::<i32>();
    let labels = column("labels").as_map();
    let time = column("time").as_primitive::<TimestampMillisecondType>();
    let value = column("value").as_primitive::<Float64Type>();
    let histogram = column("histogram").as_binary::<i32>();
    let tenant = column("tenant").as_string::<i32>();
    (0..chunk.num_rows())
        .map(|row| {
            let entries = labels.value(row);
            let names = entries.column(0).as_string::<i32>();
            let values = entries.column(1).as_string::<i32>();
            Row {
                metric: metric.value(row).to_owned(),
                labels: names
                    .iter()
                    .zip(values)
                    .map(|(name, value)| (name.unwrap().to_owned(), value.unwrap().to_owned()))
                    .collect(),
                at_ms: time.value(row),
                value: value.is_valid(row).then(|| value.value(row).to_bits()),
                histogram: histogram
                    .is_valid(row)
                    .then(|| histogram.value(row).to_owned()),
                tenant: tenant.is_valid(row).then(|| tenant.value(row).to_owned()),
            }
        })
        .collect()
}

/// The rows of a file in its order.
fn read_file(path: &Path) -> Vec<Row> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap())
        .unwrap()
        .build()
        .unwrap()
        .flat_map(|chunk| rows_of(&chunk.unwrap()))
        .collect()
}

/// What the glob `**/*.parquet` finds, relative to `dir`.
fn visible(dir: &Path) -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "parquet") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, &mut found);
    found.sort();
    found
        .iter()
        .map(|path| path.strip_prefix(dir).unwrap().to_owned())
        .collect()
}

fn names(dir: &Path) -> Vec<String> {
    visible(dir)
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

/// Everything in the archive, sorted.
fn read_all(dir: &Path) -> Vec<Row> {
    let mut rows: Vec<Row> = visible(dir)
        .iter()
        .flat_map(|path| read_file(&dir.join(path)))
        .collect();
    rows.sort();
    rows
}

/// What should be there after these items.
fn expected<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<Row> {
    let mut rows = Vec::new();
    for item in items {
        let view = item.view();
        let row = |at_ms, value: Option<f64>, histogram| Row {
            metric: view.name().to_owned(),
            labels: view
                .labels()
                .filter(|(name, _)| *name != "__name__")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            at_ms,
            value: value.map(f64::to_bits),
            histogram,
            tenant: item.tenant.as_deref().map(str::to_owned),
        };
        rows.extend(
            item.points()
                .iter()
                .map(|point| row(point.at_ms, Some(point.value), None)),
        );
        rows.extend(
            item.histograms()
                .iter()
                .map(|histogram| row(histogram.at_ms, None, Some(histogram.message.to_vec()))),
        );
    }
    rows.sort();
    rows
}

fn open(dir: &Path) -> Archive {
    open_from(dir, "kafka/metrics")
}

fn open_from(dir: &Path, source: &str) -> Archive {
    let config = Config {
        dir: Some(dir.to_owned()),
        ..Config::default()
    };
    Archive::open(config, "archive", source, dir).unwrap()
}

/// A record at `offset` with a sample before and one after midnight.
fn record(offset: i64) -> Item {
    let value = offset as f64;
    Series::new(
        &format!("metric_{}", offset % 3),
        &[("host", "web-01"), ("offset", &offset.to_string())],
        &[(MIDNIGHT - 1000, value), (MIDNIGHT + 1000, value)],
    )
    .at(3, offset)
}

fn records(offsets: std::ops::Range<i64>) -> Vec<Item> {
    offsets.map(record).collect()
}

async fn write(archive: &Archive, offsets: std::ops::Range<i64>) -> Result<(), WriteError> {
    archive.write(&batch(3, records(offsets))).await
}

#[tokio::test]
async fn a_batch_becomes_a_file_per_day_of_its_samples() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    archive.resume(3, 120).await.unwrap();
    write(&archive, 123..130).await.unwrap();
    assert_eq!(
        names(dir.path()),
        [
            "date=2026-11-20/p00003-00000000000000000123.parquet",
            "date=2026-11-21/p00003-00000000000000000123.parquet",
        ]
    );
    assert_eq!(read_all(dir.path()), expected(&records(123..130)));
    assert_eq!(
        fs::read_dir(dir.path().join("_incoming")).unwrap().count(),
        0
    );
}

#[tokio::test]
async fn all_values_of_an_archive_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    archive.resume(3, 120).await.unwrap();
    write(&archive, 123..130).await.unwrap();
    let mut values = Vec::new();
    let files = super::read_values(dir.path(), |value| values.push(value)).unwrap();
    values.sort_by(f64::total_cmp);
    let wanted: Vec<f64> = (123..130)
        .flat_map(|offset| [f64::from(offset); 2])
        .collect();
    assert_eq!((files, values), (2, wanted));
}

#[tokio::test]
async fn rows_are_sorted_by_metric_labels_and_time_and_keep_every_kind_of_value() {
    let dir = tempfile::tempdir().unwrap();
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let mut tenant = Series::new("b", &[], &[(MIDNIGHT, 1.0)]).at(0, 1);
    give_to(&mut tenant, Some("team-a"));
    let histogram = Series {
        name: "a".to_owned(),
        histograms: vec![
            (MIDNIGHT + 2, vec![0, 159, 146, 150]),
            (MIDNIGHT + 1, vec![]),
        ],
        ..Series::default()
    };
    let items = vec![
        Series::new(
            "b",
            &[("x", "2")],
            &[(MIDNIGHT + 9, stale), (MIDNIGHT, -0.0)],
        )
        .at(0, 0),
        tenant,
        histogram.at(0, 2),
        Series::new("b", &[("x", "10")], &[(MIDNIGHT, f64::INFINITY)]).at(0, 3),
        Series::new("b", &[("x", "2")], &[(MIDNIGHT + 5, 3.0)]).at(0, 4),
        Series::new("ä", &[("z", "ö"), ("a", "")], &[(MIDNIGHT, 4.0)]).at(0, 5),
    ];
    open(dir.path())
        .write(&batch(0, items.clone()))
        .await
        .unwrap();
    let file = dir.path().join(&visible(dir.path())[0]);
    let rows = read_file(&file);
    let order: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.metric.as_str(),
                row.labels.get("x").map(String::as_str),
                row.at_ms - MIDNIGHT,
            )
        })
        .collect();
    assert_eq!(
        order,
        [
            ("a", None, 1),
            ("a", None, 2),
            ("b", None, 0),
            ("b", Some("10"), 0),
            ("b", Some("2"), 0),
            ("b", Some("2"), 5),
            ("b", Some("2"), 9),
            ("ä", None, 0),
        ]
    );
    assert_eq!(read_all(dir.path()), expected(&items));
}

#[tokio::test]
async fn a_label_that_a_foreign_producer_gave_twice_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let item = Series::new(
        "x",
        &[("a", "1"), ("b", "2"), ("a", "3")],
        &[(MIDNIGHT, 1.0)],
    );
    open(dir.path())
        .write(&batch(0, vec![item.at(0, 0)]))
        .await
        .unwrap();
    let file = dir.path().join(&visible(dir.path())[0]);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    let chunk = reader.build().unwrap().next().unwrap().unwrap();
    let labels = chunk.column_by_name("labels").unwrap().as_map().value(0);
    assert_eq!(
        labels
            .column(0)
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(
        labels
            .column(1)
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect::<Vec<_>>(),
        ["1", "2"]
    );
}

#[tokio::test]
async fn only_the_part_of_a_series_that_counts_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut series = Series::new("x", &[], &[(MIDNIGHT, 1.0), (MIDNIGHT + 1, 2.0)]);
    series.histograms = vec![(MIDNIGHT + 2, vec![1]), (MIDNIGHT + 3, vec![2])];
    let mut item = series.at(0, 0);
    item.samples = 1..3;
    open(dir.path()).write(&batch(0, vec![item])).await.unwrap();
    let times: Vec<i64> = read_all(dir.path())
        .iter()
        .map(|row| row.at_ms - MIDNIGHT)
        .collect();
    assert_eq!(times, [1, 2]);
}

#[tokio::test]
async fn a_batch_without_samples_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    let mut nothing = Series::new("x", &[], &[]);
    archive
        .write(&batch(0, vec![nothing.at(0, 0)]))
        .await
        .unwrap();
    nothing.exemplars = vec![(MIDNIGHT, 1.0)];
    archive
        .write(&batch(0, vec![nothing.at(0, 1)]))
        .await
        .unwrap();
    archive.write(&batch(0, vec![])).await.unwrap();
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_says_where_its_rows_came_from() {
    let dir = tempfile::tempdir().unwrap();
    write(&open(dir.path()), 7..9).await.unwrap();
    let file = File::open(dir.path().join(&visible(dir.path())[0])).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    let said: BTreeMap<_, _> = metadata
        .unwrap()
        .iter()
        .filter_map(|pair| Some((pair.key.strip_prefix("sluice.")?, pair.value.as_deref()?)))
        .collect();
    assert_eq!(
        said,
        BTreeMap::from([
            ("version", env!("CARGO_PKG_VERSION")),
            ("source", "kafka/metrics"),
            ("partition", "3"),
            ("first_offset", "7"),
            ("last_offset", "8"),
        ])
    );
    assert_eq!(
        format!(
            "{:?}",
            reader.metadata().row_group(0).column(0).compression()
        ),
        "ZSTD(ZstdLevel(1))"
    );
}

#[tokio::test]
async fn more_rows_than_a_row_group_holds_come_back_too() {
    let dir = tempfile::tempdir().unwrap();
    let points: Vec<(i64, f64)> = (0..130_000).map(|at| (MIDNIGHT + at, at as f64)).collect();
    let items = vec![Series::new("x", &[("a", "b")], &points).at(0, 0)];
    open(dir.path())
        .write(&batch(0, items.clone()))
        .await
        .unwrap();
    let path = dir.path().join(&visible(dir.path())[0]);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    assert_eq!(read_file(&path), expected(&items));
}

#[tokio::test]
async fn samples_of_no_calendar_are_kept_where_they_break_no_query() {
    let dir = tempfile::tempdir().unwrap();
    let times = [i64::MIN, -62_135_596_800_001, 253_402_300_800_000, i64::MAX];
    let odd = Series::new("x", &[], &times.map(|at_ms| (at_ms, 1.0))).at(0, 0);
    let points = [(253_402_300_799_999, 1.0), (-1, 2.0)];
    let sound = Series::new("x", &[], &points).at(0, 1);
    let archive = open(dir.path());
    let whole = batch(0, vec![odd.clone(), sound.clone()]);
    archive.write(&whole).await.unwrap();
    let folders: Vec<String> = names(dir.path())
        .iter()
        .map(|name| name.split_once('/').unwrap().0.to_owned())
        .collect();
    assert_eq!(folders, ["date=1969-12-31", "date=9999-12-31"]);
    assert_eq!(read_all(dir.path()), expected([&sound]));
    let undated = dir
        .path()
        .join("_undated/p00000-00000000000000000000.parquet.undated");
    assert_eq!(read_file(&undated), expected([&odd]));
    // Once, like all others.
    archive.resume(0, 0).await.unwrap();
    archive.write(&whole).await.unwrap();
    assert_eq!(fs::read_dir(undated.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(read_file(&undated), expected([&odd]));
}

#[test]
fn the_archive_takes_whole_partitions_and_batches_as_its_settings_say() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    assert_eq!(archive.lanes(), Lanes::ByPartition);
    let batching = archive.batching();
    assert_eq!(batching.max_age.as_secs(), 60);
    assert_eq!(batching.max_bytes, 16 << 20);
}

#[test]
fn a_day_has_one_spelling() {
    for at_ms in [0, -1, MIDNIGHT, 253_402_300_799_999, -62_135_596_800_000] {
        let day = Day::of(at_ms);
        assert_eq!(Day::parse(&day.folder()), Some(day), "{at_ms}");
    }
    assert_eq!(Day::of(MIDNIGHT).folder(), "date=2026-11-21");
    for other in [
        "2026-11-21",
        "date=2026-11-21x",
        "date=20261121",
        "_undated",
        "date=2026-02-30",
    ] {
        assert_eq!(Day::parse(other), None, "{other}");
    }
}

#[test]
fn what_was_written_is_counted() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let archive = open(dir.path());
    ::metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async { write(&archive, 0..5).await.unwrap() });
    });
    let counted: BTreeMap<String, String> = recorder
        .snapshotter()
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| (key.key().to_string(), format!("{value:?}")))
        .collect();
    let of = |name: &str| {
        counted
            .iter()
            .find(|(key, _)| key.contains(name))
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(of("sluice_store_archive_files_total"), Some("Counter(2)"));
    assert_eq!(of("sluice_store_requests_total"), Some("Counter(1)"));
    let sizes: u64 = visible(dir.path())
        .iter()
        .map(|path| fs::metadata(dir.path().join(path)).unwrap().len())
        .sum();
    assert_eq!(
        of("sluice_store_archive_bytes_total"),
        Some(format!("Counter({sizes})").as_str())
    );
}
