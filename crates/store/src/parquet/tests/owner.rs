//! Two processes, one folder.

use std::path::Path;

use super::super::{Archive, Config, Error};
use super::{expected, open, open_from, read_all, records, write};
use crate::Write as _;

fn open_as(dir: &Path, store: &str) -> Result<Archive, Error> {
    let config = Config {
        dir: Some(dir.to_owned()),
        ..Config::default()
    };
    Archive::open(config, store, "kafka/metrics", dir)
}

#[test]
fn a_folder_that_another_store_writes_into_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = open_as(dir.path(), "archive").unwrap();
    let error = open_as(dir.path(), "other").unwrap_err().to_string();
    assert!(error.contains("store \"archive\""), "{error}");
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
    drop(first);
    open_as(dir.path(), "other").unwrap();
}

#[test]
fn a_folder_of_another_buffer_is_free_once_nobody_has_it() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let other = open_from(dir.path(), "another/buffer");
    let error = open_as(dir.path(), "archive").unwrap_err().to_string();
    assert!(error.contains("another/buffer"), "{error}");
    drop(other);
}

#[tokio::test]
async fn who_was_paused_while_another_took_a_partition_over_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (paused, next) = (open(dir.path()), open(dir.path()));
    paused.resume(3, 0).await.unwrap();
    write(&paused, 0..4).await.unwrap();
    next.resume(3, 4).await.unwrap();
    let error = write(&paused, 4..6).await.unwrap_err().to_string();
    assert!(error.contains("has taken partition 3 over"), "{error}");
    write(&next, 4..8).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..8)));
    // It is its turn again, and only then.
    paused.resume(3, 8).await.unwrap();
    write(&paused, 8..9).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..9)));
}

#[tokio::test]
async fn members_of_a_group_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (open(dir.path()), open(dir.path()));
    one.resume(3, 0).await.unwrap();
    other.resume(4, 0).await.unwrap();
    write(&one, 0..4).await.unwrap();
    write(&one, 4..5).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..5)));
}
