//! Old days go; nothing else does.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use model::ManualClock;
use service::units::Period;

use super::super::{Archive, Config};
use super::{MIDNIGHT, Series, batch, expected, names, read_all};
use crate::Write as _;

const DAY_MS: i64 = 86_400_000;

fn open(dir: &Path, retention_days: u64) -> Archive {
    let config = Config {
        dir: Some(dir.to_owned()),
        retention: Period::secs(retention_days * 24 * 3600),
        ..Config::default()
    };
    Archive::open(config, "archive", "x", dir).unwrap()
}

/// An archive with one sample on each of the last five days, 17 to 21 November 2026.
async fn five_days(dir: &Path, retention_days: u64) -> Archive {
    let archive = open(dir, retention_days);
    let points: Vec<(i64, f64)> = (0..5).map(|ago| (MIDNIGHT - ago * DAY_MS, 1.0)).collect();
    let items = vec![Series::new("x", &[], &points).at(0, 0)];
    archive.write(&batch(0, items)).await.unwrap();
    archive
}

#[tokio::test]
async fn days_past_the_retention_are_deleted_whole() {
    let dir = tempfile::tempdir().unwrap();
    let archive = five_days(dir.path(), 2).await;
    // The 18th ended two days before the 21st began; the 19th did not.
    assert_eq!(
        archive.expire(MIDNIGHT).unwrap(),
        ["date=2026-11-17", "date=2026-11-18"]
    );
    assert_eq!(names(dir.path()).len(), 3);
    assert_eq!(archive.expire(MIDNIGHT).unwrap(), Vec::<String>::new());
    assert_eq!(
        archive.expire(MIDNIGHT + DAY_MS).unwrap(),
        ["date=2026-11-19"]
    );
}

#[tokio::test]
async fn a_clock_that_jumped_ahead_keeps_what_the_retention_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let archive = five_days(dir.path(), 2).await;
    let deleted = archive.expire(MIDNIGHT + 5000 * DAY_MS).unwrap();
    assert_eq!(
        deleted,
        ["date=2026-11-17", "date=2026-11-18", "date=2026-11-19"]
    );
    assert_eq!(names(dir.path()).len(), 2);
}

#[tokio::test]
async fn a_sample_from_the_far_future_does_not_make_the_rest_old() {
    let dir = tempfile::tempdir().unwrap();
    let archive = five_days(dir.path(), 30).await;
    let far = Series::new(
        "x",
        &[],
        &[(MIDNIGHT + 9000 * DAY_MS, 1.0), (i64::MAX, 1.0)],
    );
    archive.write(&batch(0, vec![far.at(0, 1)])).await.unwrap();
    assert_eq!(archive.expire(MIDNIGHT).unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn no_retention_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let archive = five_days(dir.path(), 0).await;
    assert_eq!(
        archive.expire(MIDNIGHT + 5000 * DAY_MS).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(names(dir.path()).len(), 5);
}

#[tokio::test]
async fn only_folders_of_days_are_touched() {
    let dir = tempfile::tempdir().unwrap();
    let archive = five_days(dir.path(), 1).await;
    for other in ["notes", "date=old", "date=2020-1-1"] {
        fs::create_dir(dir.path().join(other)).unwrap();
    }
    archive.expire(MIDNIGHT + DAY_MS).unwrap();
    for kept in [
        "notes",
        "date=old",
        "date=2020-1-1",
        "_manifest",
        "_incoming",
        "date=2026-11-21",
    ] {
        assert!(dir.path().join(kept).exists(), "{kept}");
    }
}

#[tokio::test]
async fn a_batch_whose_day_expired_meanwhile_can_still_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let archive = five_days(dir.path(), 2).await;
    archive.expire(MIDNIGHT).unwrap();
    archive.resume(0, 0).await.unwrap();
    let item = Series::new("y", &[], &[(MIDNIGHT, 1.0)]).at(0, 0);
    archive.write(&batch(0, vec![item.clone()])).await.unwrap();
    assert_eq!(read_all(dir.path()), expected([&item]));
}

#[tokio::test(start_paused = true)]
async fn the_retention_is_kept_without_being_asked() {
    let dir = tempfile::tempdir().unwrap();
    let archive = five_days(dir.path(), 2).await;
    let clock = Arc::new(ManualClock::new(MIDNIGHT - 10 * DAY_MS));
    let time = Arc::clone(&clock);
    let keeping = archive.maintain(move || model::Clock::now_ms(&*time));
    let seen = async {
        while names(dir.path()).len() > 3 {
            clock.set(MIDNIGHT);
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
    };
    tokio::select! {
        () = keeping => panic!("it never ends"),
        () = seen => {}
        () = tokio::time::sleep(std::time::Duration::from_secs(3 * 3600)) => panic!("nothing expired"),
    }
    assert_eq!(names(dir.path()).len(), 3);
}
