//! The disk does not take it: the batch is tried again, and then it is there once.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::super::layout::{Day, Layout};
use super::{MIDNIGHT, expected, open, read_all, records, visible, write};
use crate::{Write as _, WriteError};

#[track_caller]
fn check_retryable(result: &Result<(), WriteError>, path: &Path, words: &str) {
    match result {
        Err(WriteError::Retryable { message, .. }) => {
            assert!(message.contains(&path.display().to_string()), "{message}");
            assert!(message.contains(words), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_full_disk_is_waited_out() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    archive.resume(3, 0).await.unwrap();
    // The second of the two files finds no space.
    let layout = Layout::new(dir.path().to_owned());
    let token = fs::read_to_string(layout.owner(3)).unwrap();
    let temporary = layout.temporary(3, 0, Day::of(MIDNIGHT), &token);
    symlink("/dev/full", &temporary).unwrap();
    check_retryable(&write(&archive, 0..4).await, &temporary, "No space left");
    assert_eq!(visible(dir.path()).len(), 0);
    assert_eq!(
        fs::read_dir(dir.path().join("_incoming")).unwrap().count(),
        0,
        "a full disk needs its space back"
    );
    write(&archive, 0..4).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..4)));
}

#[tokio::test]
async fn a_write_that_failed_half_way_into_view_is_taken_back_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    archive.resume(3, 0).await.unwrap();
    // The second day's folder cannot be entered: something else has its name.
    let blocked = dir.path().join("date=2026-11-21");
    fs::write(&blocked, b"").unwrap();
    check_retryable(&write(&archive, 0..4).await, &blocked, "rename into place");
    assert_eq!(visible(dir.path()).len(), 1);
    fs::remove_file(&blocked).unwrap();
    write(&archive, 0..4).await.unwrap();
    write(&archive, 4..5).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..5)));
}

#[tokio::test]
async fn a_folder_that_went_away_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    archive.resume(3, 0).await.unwrap();
    fs::remove_dir_all(dir.path().join("_manifest")).unwrap();
    check_retryable(
        &write(&archive, 0..4).await,
        &dir.path().join("_manifest"),
        "open",
    );
    assert_eq!(visible(dir.path()).len(), 0);
    fs::create_dir(dir.path().join("_manifest")).unwrap();
    write(&archive, 0..4).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..4)));
}

#[tokio::test]
async fn what_cannot_be_replaced_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    archive.resume(3, 0).await.unwrap();
    write(&archive, 0..4).await.unwrap();
    let file = dir.path().join(&visible(dir.path())[0]);
    // A folder in the place of a file that comes again: it can be neither removed nor replaced.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    for again in [0..4, 0..2] {
        archive.resume(3, 0).await.unwrap();
        check_retryable(&write(&archive, again).await, &file, "place");
    }
    fs::remove_dir(&file).unwrap();
    write(&archive, 0..2).await.unwrap();
    write(&archive, 2..4).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..4)));
}

#[test]
fn a_folder_that_cannot_be_made_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let config = super::Config {
        dir: None,
        ..super::Config::default()
    };
    let error = super::Archive::open(config, "archive", "x", &file).unwrap_err();
    assert!(error.to_string().contains("file/archive"), "{error}");
}
