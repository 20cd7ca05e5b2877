//! The process dies between any two steps, and each sample is there exactly once.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::super::Span;
use super::super::commit::{self, Staged};
use super::super::layout::Layout;
use super::super::manifest::{Entry, Manifest};
use super::super::rows::Rows;
use super::{batch, expected, names, open, open_from, read_all, records, write};
use crate::{Item, Write as _, WriteError};

const SOURCE: &str = "kafka/metrics";

/// The last thing that a killed process had done.
#[derive(Debug, Clone, Copy)]
enum Killed {
    WhileStaging,
    BeforeManifest,
    BeforeManifestRename,
    AfterManifest,
    AfterRenames(usize),
    BeforeCommit,
}

const ALL: [Killed; 7] = [
    Killed::WhileStaging,
    Killed::BeforeManifest,
    Killed::BeforeManifestRename,
    Killed::AfterManifest,
    Killed::AfterRenames(1),
    Killed::AfterRenames(2),
    Killed::BeforeCommit,
];

fn staged(layout: &Layout, items: &[Item], first: i64, last: i64) -> Staged {
    let span = Span {
        partition: 3,
        first,
        last,
    };
    commit::stage(layout, SOURCE, span, &Rows::new(items), &|| Ok(())).unwrap()
}

/// What a process leaves that is killed while it writes the records `offsets`. Reading had started at `start`.
fn die(dir: &Path, start: i64, offsets: std::ops::Range<i64>, killed: Killed) {
    let layout = Layout::new(dir.to_owned());
    commit::prepare(&layout).unwrap();
    let mut manifest = commit::resume(&layout, SOURCE, 3, start).unwrap();
    let (first, last) = (offsets.start, offsets.end - 1);
    let staged = staged(&layout, &records(offsets), first, last);
    manifest.push(Entry {
        start,
        first,
        last,
        files: staged.names(),
    });
    match killed {
        Killed::WhileStaging => {
            let entry = fs::read_dir(layout.incoming()).unwrap().next().unwrap();
            fs::write(entry.unwrap().path(), b"PAR1 half").unwrap();
        }
        Killed::BeforeManifest => {}
        Killed::BeforeManifestRename => {
            let aside = layout.manifest(3).with_extension("json.tmp");
            manifest.save_aside(&aside).unwrap();
        }
        Killed::AfterManifest => manifest.save(&layout, 3).unwrap(),
        Killed::AfterRenames(count) => {
            manifest.save(&layout, 3).unwrap();
            commit::install_some(&layout, &staged, count).unwrap();
        }
        Killed::BeforeCommit => {
            manifest.save(&layout, 3).unwrap();
            commit::install(&layout, &staged).unwrap();
        }
    }
}

/// The next owner of the partition reads from `committed` and cuts its batches as `cuts` say.
async fn go_on(dir: &Path, committed: i64, cuts: &[(i64, i64)]) {
    let archive = open(dir);
    archive.resume(3, committed).await.unwrap();
    for &(first, end) in cuts {
        write(&archive, first..end).await.unwrap();
    }
}

fn incoming(dir: &Path) -> usize {
    fs::read_dir(dir.join("_incoming")).unwrap().count()
}

#[tokio::test]
async fn whatever_the_last_step_was_a_replay_leaves_each_sample_once() {
    let next_batches: [&[(i64, i64)]; 4] = [
        &[(10, 14)],
        &[(10, 11), (11, 12), (12, 13), (13, 14)],
        &[(10, 20)],
        &[(10, 12), (12, 20)],
    ];
    for killed in ALL {
        for cuts in next_batches {
            let dir = tempfile::tempdir().unwrap();
            go_on(dir.path(), 0, &[(0, 10)]).await;
            die(dir.path(), 10, 10..14, killed);
            go_on(dir.path(), 10, cuts).await;
            let (_, end) = *cuts.last().unwrap();
            assert_eq!(
                read_all(dir.path()),
                expected(&records(0..end)),
                "{killed:?}, then {cuts:?}: {:?}",
                names(dir.path())
            );
            assert_eq!(incoming(dir.path()), 0, "{killed:?}, then {cuts:?}");
        }
    }
}

#[tokio::test]
async fn dying_again_and_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (round, killed) in ALL.into_iter().cycle().take(30).enumerate() {
        let end = 11 + i64::try_from(round % 5).unwrap();
        die(dir.path(), 10, 10..end, killed);
    }
    go_on(dir.path(), 10, &[(10, 13), (13, 20)]).await;
    assert_eq!(read_all(dir.path()), expected(&records(10..20)));
}

#[tokio::test]
async fn a_committed_batch_stays() {
    let dir = tempfile::tempdir().unwrap();
    die(dir.path(), 10, 10..14, Killed::BeforeCommit);
    go_on(dir.path(), 14, &[(14, 16)]).await;
    assert_eq!(read_all(dir.path()), expected(&records(10..16)));
}

#[tokio::test]
async fn several_batches_whose_commit_was_lost_are_all_replaced() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 0, &[(0, 4), (4, 6), (6, 9)]).await;
    go_on(dir.path(), 4, &[(4, 9)]).await;
    assert_eq!(read_all(dir.path()), expected(&records(0..9)));
    assert_eq!(names(dir.path()).len(), 4);
}

#[tokio::test]
async fn a_batch_that_begins_after_the_committed_offset_is_replaced_too() {
    // Offsets 10 and 11 were not for the archive: poison, or a transaction's markers.
    for committed in [10, 11, 12] {
        let dir = tempfile::tempdir().unwrap();
        go_on(dir.path(), 0, &[(0, 10)]).await;
        die(dir.path(), 10, 12..15, Killed::BeforeCommit);
        go_on(dir.path(), committed, &[(12, 14), (14, 15)]).await;
        let mut all = records(0..10);
        all.extend(records(12..15));
        assert_eq!(read_all(dir.path()), expected(&all), "{committed}");
    }
}

#[tokio::test]
async fn offsets_that_were_reset_far_back_delete_nothing() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 1000, &[(1000, 1003)]).await;
    go_on(dir.path(), 500, &[(500, 502)]).await;
    let mut all = records(1000..1003);
    all.extend(records(500..502));
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
    let other = open_from(dir.path(), "log/7f3a");
    other.resume(3, 0).await.unwrap();
    write(&other, 0..3).await.unwrap();
    let mut all = records(0..2);
    all.extend(records(0..3));
    assert_eq!(read_all(dir.path()), expected(&all));
    assert!(
        names(dir.path())
            .contains(&"date=2026-11-21/p00003-00000000000000000000-2.parquet".to_owned()),
        "{:?}",
        names(dir.path())
    );
    // And a crash of the other one is undone like any.
    let other = open_from(dir.path(), "log/7f3a");
    other.resume(3, 0).await.unwrap();
    assert_eq!(read_all(dir.path()), expected(&records(0..2)));
}

#[tokio::test]
async fn partitions_do_not_touch_each_other() {
    let dir = tempfile::tempdir().unwrap();
    die(dir.path(), 10, 10..14, Killed::AfterRenames(1));
    let archive = open(dir.path());
    archive.resume(4, 10).await.unwrap();
    let mut item = super::record(10);
    item.source.partition = 4;
    archive.write(&batch(4, vec![item.clone()])).await.unwrap();
    assert_eq!(
        incoming(dir.path()),
        1,
        "partition 3's leftovers are partition 3's"
    );
    go_on(dir.path(), 10, &[(10, 14)]).await;
    let mut all = records(10..14);
    all.push(item);
    assert_eq!(read_all(dir.path()), expected(&all));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_deletes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    go_on(dir.path(), 0, &[(0, 2)]).await;
    for nonsense in [
        "",
        "{",
        r#"{"version":9,"source":"kafka/metrics","batches":[]}"#,
    ] {
        fs::write(dir.path().join("_manifest/p00003.json"), nonsense).unwrap();
        open(dir.path()).resume(3, 0).await.unwrap();
        assert_eq!(read_all(dir.path()), expected(&records(0..2)), "{nonsense}");
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
        start: 0,
        first: 0,
        last: 1,
        files: vec![
            "../precious.parquet".to_owned(),
            precious.display().to_string(),
        ],
    });
    manifest.save(&layout, 3).unwrap();
    open(&archive_dir).resume(3, 0).await.unwrap();
    assert!(precious.exists());
}

/// Revoked while a write is in flight, and assigned again at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_nobody_waits_for_any_more_adds_nothing() {
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(dir.path());
        archive.resume(3, 0).await.unwrap();
        let given_up = tokio::time::timeout(Duration::from_millis(1), write(&archive, 0..5)).await;
        archive.resume(3, 0).await.unwrap();
        write(&archive, 0..3).await.unwrap();
        write(&archive, 3..8).await.unwrap();
        assert_eq!(
            read_all(dir.path()),
            expected(&records(0..8)),
            "given up: {}",
            given_up.is_err()
        );
    }
}

#[tokio::test]
async fn a_batch_of_two_partitions_is_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = super::record(1);
    other.source.partition = 4;
    let result = open(dir.path())
        .write(&batch(3, vec![super::record(0), other]))
        .await;
    assert!(
        matches!(&result, Err(WriteError::Retryable { message, .. }) if message.contains("3 and 4")),
        "{result:?}"
    );
}
