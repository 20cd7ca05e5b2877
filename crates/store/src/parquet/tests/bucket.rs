//! Old days end up in the object store, each sample once, whatever happens on the way.

mod crash;
mod fault;
mod sharing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::path::Path as Object;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde_json::Value;
use service::units::Period;

use super::super::bucket::{self, Bucket};
use super::super::{Archive, Config};
use super::{MIDNIGHT, Row, Series, batch, expected, names, read_all, rows_of};
use crate::{Item, Write as _};
use fault::Fault;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// Noon of the 21st: the 19th was over a day and a half ago, the 20th half a day.
const NOON: i64 = MIDNIGHT + 12 * HOUR_MS;

fn days(days: u64) -> Period {
    Period::secs(days * 24 * 3600)
}

fn settings() -> Config {
    Config {
        retention: days(3),
        object_store: Some(Box::new(bucket::Config {
            url: "s3://bucket/folder".to_owned(),
            ..bucket::Config::default()
        })),
        ..Config::default()
    }
}

fn open<S: ObjectStore>(dir: &Path, objects: &Arc<S>) -> Archive {
    open_as(dir, objects, settings())
}

fn open_as<S: ObjectStore>(dir: &Path, objects: &Arc<S>, mut config: Config) -> Archive {
    config.dir = Some(dir.to_owned());
    let settings = config.object_store.as_ref().unwrap();
    let bucket = Bucket::over(Arc::<S>::clone(objects), settings, "archive");
    Archive::open_with(
        config,
        "archive".to_owned(),
        "x".to_owned(),
        dir,
        Some(bucket),
    )
    .unwrap()
}

fn sample(offset: i64, at_ms: i64) -> Item {
    Series::new("x", &[("offset", &offset.to_string())], &[(at_ms, 1.0)]).at(0, offset)
}

/// A batch for each of the moments, and then as many as it takes until those are never replaced again.
async fn fill(archive: &Archive, first: i64, moments: &[i64]) -> Vec<Item> {
    let until_final = std::iter::repeat_n(&MIDNIGHT, 17);
    let mut items = Vec::new();
    for (offset, at_ms) in (first..).zip(moments.iter().chain(until_final)) {
        let item = sample(offset, *at_ms);
        archive.write(&batch(0, vec![item.clone()])).await.unwrap();
        items.push(item);
    }
    items
}

/// A sample on each of the days from the 16th to the 20th.
async fn fill_days(archive: &Archive) -> Vec<Item> {
    let moments: Vec<i64> = (1..=5).rev().map(|ago| MIDNIGHT - ago * DAY_MS).collect();
    fill(archive, 0, &moments).await
}

fn on_days(items: &[Item], from_ms: i64, until_ms: i64) -> Vec<Row> {
    let of = items.iter().filter(|item| {
        let points = item.points();
        (from_ms..until_ms).contains(&points[0].at_ms)
    });
    expected(of)
}

/// The table's files as a reader who knows nothing but the protocol finds them, with their sizes.
async fn table(objects: &dyn ObjectStore) -> BTreeMap<String, u64> {
    let log = Object::from("_delta_log");
    let mut commits: Vec<_> = objects.list(Some(&log)).try_collect().await.unwrap();
    commits.retain(|commit| commit.location.as_ref().ends_with(".json"));
    commits.sort_by_key(|commit| commit.location.clone());
    let mut files = BTreeMap::new();
    for (number, commit) in commits.iter().enumerate() {
        let name = format!("_delta_log/{number:020}.json");
        assert_eq!(commit.location.as_ref(), name);
        let text = objects
            .get(&commit.location)
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        for line in std::str::from_utf8(&text).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let path = |action: &str| line[action]["path"].as_str().map(str::to_owned);
            if let Some(path) = path("remove") {
                assert!(files.remove(&path).is_some(), "{path} was not there");
            }
            if let Some(path) = path("add") {
                let size = line["add"]["size"].as_u64().unwrap();
                assert_eq!(files.insert(path, size), None, "it is added twice");
            }
        }
    }
    files
}

/// All rows of the table.
async fn rows_in(objects: &dyn ObjectStore) -> Vec<Row> {
    let mut rows = Vec::new();
    for (path, size) in table(objects).await {
        let object = objects.get(&Object::from(path)).await.unwrap();
        let bytes = object.bytes().await.unwrap();
        assert_eq!(bytes.len() as u64, size);
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        for chunk in reader.build().unwrap() {
            rows.extend(rows_of(&chunk.unwrap()));
        }
    }
    rows.sort();
    rows
}

/// Objects that are not the log.
async fn objects_of_days(objects: &dyn ObjectStore) -> usize {
    let all: Vec<_> = objects.list(None).try_collect().await.unwrap();
    let of_days = all
        .iter()
        .filter(|object| object.location.as_ref().starts_with("date="));
    of_days.count()
}

#[tokio::test]
async fn a_day_that_is_over_is_on_the_disk_and_in_the_object_store_and_later_there_alone() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    let items = fill_days(&archive).await;
    archive.relocate(NOON).await.unwrap();
    // Noon of the 21st, less a day: the 16th to the 19th. Less three days of retention: the 16th and the 17th.
    let old = on_days(&items, 0, MIDNIGHT - DAY_MS);
    assert_eq!(old.len(), 4);
    assert_eq!(rows_in(&*objects).await, old);
    assert_eq!(
        read_all(dir.path()),
        on_days(&items, MIDNIGHT - 3 * DAY_MS, i64::MAX)
    );
    assert!(!dir.path().join("date=2026-11-17").exists());
    // Again: nothing is sent twice, and nothing is committed.
    let log = table(&*objects).await;
    archive.relocate(NOON).await.unwrap();
    assert_eq!(table(&*objects).await, log);
    archive.relocate(NOON + DAY_MS).await.unwrap();
    assert_eq!(rows_in(&*objects).await, on_days(&items, 0, MIDNIGHT));
}

#[tokio::test]
async fn a_file_that_may_still_be_replaced_waits() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    let item = sample(0, MIDNIGHT - 4 * DAY_MS);
    archive.write(&batch(0, vec![item.clone()])).await.unwrap();
    archive.relocate(NOON).await.unwrap();
    assert_eq!(rows_in(&*objects).await, []);
    assert_eq!(read_all(dir.path()), expected([&item]));
}

#[tokio::test]
async fn nothing_leaves_the_disk_while_the_object_store_is_away() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let items = fill_days(&open(dir.path(), &objects)).await;
    let away = open(dir.path(), &Arc::new(Fault::dead()));
    let error = away
        .relocate(NOON + 30 * DAY_MS)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("object store"), "{error}");
    away.expire(NOON + 30 * DAY_MS).unwrap();
    assert_eq!(read_all(dir.path()), expected(&items));
}

#[tokio::test]
async fn what_comes_late_follows_its_day() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    let mut items = fill_days(&archive).await;
    archive.relocate(NOON).await.unwrap();
    items.extend(
        fill(
            &archive,
            100,
            &[MIDNIGHT - 5 * DAY_MS, MIDNIGHT - 3 * DAY_MS],
        )
        .await,
    );
    archive.relocate(NOON).await.unwrap();
    assert_eq!(
        rows_in(&*objects).await,
        on_days(&items, 0, MIDNIGHT - DAY_MS)
    );
    assert_eq!(
        read_all(dir.path()),
        on_days(&items, MIDNIGHT - 3 * DAY_MS, i64::MAX)
    );
}

#[tokio::test]
async fn files_on_their_way_are_merged_with_nothing() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    let moment = MIDNIGHT - 2 * DAY_MS;
    let mut items = fill(&archive, 0, &[moment; 4]).await;
    archive.relocate(NOON).await.unwrap();
    items.extend(fill(&archive, 100, &[moment; 9]).await);
    assert_eq!(archive.merge(NOON).unwrap().before, 9);
    assert_eq!(names(&dir.path().join("date=2026-11-19")).len(), 5);
    archive.relocate(NOON).await.unwrap();
    assert_eq!(
        rows_in(&*objects).await,
        on_days(&items, 0, MIDNIGHT - DAY_MS)
    );
}

#[tokio::test]
async fn small_objects_become_one_and_go_a_day_later() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    let items = fill(&archive, 0, &[MIDNIGHT - 3 * DAY_MS; 10]).await;
    // Not merged on the disk: as from ten consumers.
    archive.relocate(NOON).await.unwrap();
    assert_eq!(table(&*objects).await.len(), 1);
    assert_eq!(objects_of_days(&*objects).await, 11);
    assert_eq!(
        rows_in(&*objects).await,
        on_days(&items, 0, MIDNIGHT - DAY_MS)
    );
    archive.relocate(NOON + DAY_MS).await.unwrap();
    assert_eq!(objects_of_days(&*objects).await, 1);
    // What is on the disk still is in the table, in another object, and is not sent again.
    let old = on_days(&items, 0, MIDNIGHT - DAY_MS);
    assert_eq!(rows_in(&*objects).await, old);
}

#[tokio::test]
async fn days_past_the_retention_leave_the_table_and_a_day_later_the_object_store() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let mut config = settings();
    config.object_store.as_mut().unwrap().retention = days(4);
    let archive = open_as(dir.path(), &objects, config);
    let items = fill_days(&archive).await;
    archive.relocate(NOON - 3 * DAY_MS).await.unwrap();
    assert_eq!(rows_in(&*objects).await.len(), 1);
    archive.relocate(NOON).await.unwrap();
    // The newest day in the table is the 19th, and four days before its end the 16th began.
    assert_eq!(rows_in(&*objects).await.len(), 4);
    archive.relocate(NOON + DAY_MS).await.unwrap();
    assert_eq!(
        rows_in(&*objects).await,
        on_days(&items, MIDNIGHT - 4 * DAY_MS, MIDNIGHT)
    );
    assert_eq!(objects_of_days(&*objects).await, 5);
    archive.relocate(NOON + 2 * DAY_MS).await.unwrap();
    let gone = Object::from("date=2026-11-16");
    let left: Vec<_> = objects.list(Some(&gone)).try_collect().await.unwrap();
    assert_eq!(left, []);
}

#[tokio::test]
async fn an_object_that_somebody_deleted_is_sent_again_before_its_file_leaves_the_disk() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    let items = fill(&archive, 0, &[MIDNIGHT - 2 * DAY_MS]).await;
    archive.relocate(NOON).await.unwrap();
    let (path, _) = table(&*objects).await.pop_first().unwrap();
    objects.delete(&Object::from(path)).await.unwrap();
    fill(&archive, 100, &[NOON + 5 * DAY_MS]).await;
    archive.relocate(NOON + 6 * DAY_MS).await.unwrap();
    assert!(!dir.path().join("date=2026-11-19").exists());
    let rows = rows_in(&*objects).await;
    let moved = on_days(&items, 0, MIDNIGHT);
    assert!(moved.iter().all(|row| rows.contains(row)), "{rows:?}");
}

/// Empties the bucket after a first pass, and does the next.
async fn check_emptied(starts_anew: bool) {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let mut archive = open(dir.path(), &objects);
    let moment = MIDNIGHT - 2 * DAY_MS;
    let mut items = fill(&archive, 0, &[moment; 4]).await;
    archive.relocate(NOON).await.unwrap();
    let moved = on_days(&items, 0, MIDNIGHT - DAY_MS);
    assert_eq!(rows_in(&*objects).await, moved);
    let all: Vec<_> = objects.list(None).try_collect().await.unwrap();
    for object in all {
        objects.delete(&object.location).await.unwrap();
    }
    if starts_anew {
        drop(archive);
        archive = open(dir.path(), &objects);
    }
    archive.relocate(NOON + 1).await.unwrap();
    assert_eq!(rows_in(&*objects).await, moved);
    assert_eq!(read_all(dir.path()), expected(&items));
    // Long after: what leaves the disk is in the table.
    items.extend(fill(&archive, 100, &[NOON + 5 * DAY_MS]).await);
    archive.relocate(NOON + 6 * DAY_MS).await.unwrap();
    assert!(!dir.path().join("date=2026-11-19").exists());
    let rows = rows_in(&*objects).await;
    assert!(moved.iter().all(|row| rows.contains(row)), "{rows:?}");
}

#[tokio::test]
async fn what_is_on_the_disk_is_sent_again_when_the_bucket_was_emptied() {
    check_emptied(true).await;
    check_emptied(false).await;
}

#[tokio::test]
async fn no_file_leaves_the_disk_unless_the_table_knows_it() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    let items = fill(&archive, 0, &[MIDNIGHT - 2 * DAY_MS]).await;
    fill(&archive, 100, &[NOON + 5 * DAY_MS]).await;
    archive.relocate(NOON).await.unwrap();
    let all: Vec<_> = objects.list(None).try_collect().await.unwrap();
    for object in all {
        objects.delete(&object.location).await.unwrap();
    }
    // The pass in which the day is due is the first that finds nothing.
    archive.relocate(NOON + 6 * DAY_MS).await.unwrap();
    let rows = rows_in(&*objects).await;
    let moved = on_days(&items, 0, MIDNIGHT);
    assert!(moved.iter().all(|row| rows.contains(row)), "{rows:?}");
}
