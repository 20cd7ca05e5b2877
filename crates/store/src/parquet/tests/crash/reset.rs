//! Offsets that no crash explains: nothing that was archived goes.

use std::fs;

use super::super::super::layout::Layout;
use super::super::super::manifest::{Entry, Manifest};
use super::super::{batch, expected, names, open, open_from, read_all, record, records, write};
use super::{SOURCE, go_on};
use crate::fixtures::record_of;
use crate::{Item, Write as _};

#[tokio::test]
async fn offsets_that_were_reset_back_replace_what_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 1000, &[(1000, 1003), (1003, 1005)]).await;
    go_on(dir.path(), 990, &[(990, 1002), (1002, 1010)]).await;
    assert_eq!(read_all(dir.path()), expected(&records(990..1010)));
}

#[tokio::test]
async fn records_that_expired_before_they_were_read_again_stay_archived() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 0, &[(0, 10), (10, 14)]).await;
    go_on(dir.path(), 10, &[(500, 503)]).await;
    let mut all = records(0..14);
    all.extend(records(500..503));
    assert_eq!(read_all(dir.path()), expected(&all));
}

#[tokio::test]
async fn an_offset_inside_a_batch_replaces_only_what_is_above_it() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 0, &[(0, 4), (4, 6)]).await;
    go_on(dir.path(), 2, &[(2, 6)]).await;
    let mut all = records(0..4);
    all.extend(records(2..6));
    assert_eq!(read_all(dir.path()), expected(&all));
}

#[tokio::test]
async fn another_buffer_with_the_same_offsets_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 0, &[(0, 2)]).await;
    for end in [3, 4] {
        // And a crash of the other one is replaced like any.
        let other = open_from(dir.path(), "log/7f3a");
        other.resume(3, 0).await.unwrap();
        write(&other, 0..end).await.unwrap();
        let mut all = records(0..2);
        all.extend(records(0..end));
        assert_eq!(read_all(dir.path()), expected(&all));
        assert_eq!(
            names(dir.path()),
            [
                "date=2026-11-20/p00003-00000000000000000000-2.parquet",
                "date=2026-11-20/p00003-00000000000000000000.parquet",
                "date=2026-11-21/p00003-00000000000000000000-2.parquet",
                "date=2026-11-21/p00003-00000000000000000000.parquet",
            ]
        );
    }
}

#[tokio::test]
async fn a_topic_that_was_made_anew_under_its_name_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 0, &[(0, 2), (2, 5)]).await;
    let later = |offset| {
        let mut item = record(offset);
        record_of(&mut item).source.received_at_ms = 77;
        item
    };
    let archive = open(dir.path());
    archive.resume(3, 0).await.unwrap();
    let new: Vec<Item> = (0..4).map(later).collect();
    archive.write(&batch(3, new.clone())).await.unwrap();
    let mut all = records(0..5);
    all.extend(new);
    assert_eq!(read_all(dir.path()), expected(&all));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_deletes_nothing() {
    for nonsense in [
        "",
        "{",
        r#"{"version":9,"source":"kafka/metrics","batches":[]}"#,
    ] {
        let dir = tempfile::tempdir().unwrap();
        go_on(dir.path(), 0, &[(0, 2)]).await;
        fs::write(dir.path().join("_manifest/p00003.json"), nonsense).unwrap();
        go_on(dir.path(), 2, &[(2, 3)]).await;
        assert_eq!(read_all(dir.path()), expected(&records(0..3)), "{nonsense}");
    }
}

#[tokio::test]
async fn a_manifest_that_names_other_files_cannot_reach_outside() {
    let dir = tempfile::tempdir().unwrap();
    let precious = dir.path().join("precious.parquet");
    fs::write(&precious, b"x").unwrap();
    let archive_dir = dir.path().join("archive");
    go_on(&archive_dir, 0, &[]).await;
    let layout = Layout::new(archive_dir.clone());
    let mut manifest = Manifest::new(SOURCE);
    manifest.push(Entry {
        first: 0,
        last: 1,
        received_at_ms: 0,
        files: vec![
            "../precious.parquet".to_owned(),
            precious.display().to_string(),
        ],
    });
    manifest.save(&layout, 3).unwrap();
    go_on(&archive_dir, 0, &[(0, 2)]).await;
    assert!(precious.exists());
    assert_eq!(read_all(&archive_dir), expected(&records(0..2)));
}
