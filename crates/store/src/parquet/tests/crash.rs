//! The process dies between any two steps, and each sample is there exactly once.

mod model;
mod reset;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::super::Span;
use super::super::commit;
use super::super::file::Origin;
use super::super::layout::Layout;
use super::super::manifest::Entry;
use super::super::rows::Rows;
use super::{batch, expected, names, open, read_all, record, records, write};
use crate::fixtures::record_of;
use crate::{Write as _, WriteError};

const SOURCE: &str = "kafka/metrics";

/// The last thing that a killed process had done.
#[derive(Debug, Clone, Copy)]
enum Killed {
    WhileStaging,
    BeforeManifest,
    BeforeManifestRename,
    AfterManifest,
    AfterRemoval,
    AfterRenames(usize),
    BeforeCommit,
}

const ALL: [Killed; 8] = [
    Killed::WhileStaging,
    Killed::BeforeManifest,
    Killed::BeforeManifestRename,
    Killed::AfterManifest,
    Killed::AfterRemoval,
    Killed::AfterRenames(1),
    Killed::AfterRenames(2),
    Killed::BeforeCommit,
];

/// What a process leaves that read from `resumed_at` on and is killed while it writes the records `offsets`.
fn die(dir: &Path, resumed_at: i64, offsets: std::ops::Range<i64>, killed: Killed) {
    let layout = Layout::new(dir.to_owned());
    commit::prepare(&layout).unwrap();
    let mut manifest = commit::resume(&layout, SOURCE, 3, resumed_at).unwrap();
    let span = Span {
        partition: 3,
        first: offsets.start,
        last: offsets.end - 1,
    };
    let replaced: BTreeSet<String> = manifest
        .take_replaced(resumed_at, span, |_| Some(0))
        .into_iter()
        .flat_map(|entry| entry.files)
        .collect();
    let items = records(offsets);
    let origin = Origin {
        source: SOURCE,
        span,
    };
    let rows = Rows::new(&items);
    let staged = commit::stage(&layout, "dead", origin, &rows, &replaced, &|| Ok(())).unwrap();
    let mut files = replaced.clone();
    files.extend(staged.names());
    manifest.push(Entry {
        first: span.first,
        last: span.last,
        received_at_ms: 0,
        files: files.into_iter().collect(),
    });
    let save = || manifest.save(&layout, 3).unwrap();
    let remove = || commit::remove_replaced(&layout, &replaced, &staged).unwrap();
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
        Killed::AfterManifest => save(),
        Killed::AfterRemoval => {
            save();
            remove();
        }
        Killed::AfterRenames(count) => {
            save();
            remove();
            commit::install_some(&layout, &staged, count).unwrap();
        }
        Killed::BeforeCommit => {
            commit::publish(&layout, &manifest, 3, &staged, &replaced).unwrap();
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
    for (round, killed) in ALL.into_iter().cycle().take(32).enumerate() {
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
async fn what_is_not_yet_replaced_can_still_be_read() {
    let dir = tempfile::tempdir().unwrap();
    die(dir.path(), 10, 10..14, Killed::BeforeCommit);
    go_on(dir.path(), 10, &[]).await;
    assert_eq!(read_all(dir.path()), expected(&records(10..14)));
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
async fn partitions_do_not_touch_each_other() {
    let dir = tempfile::tempdir().unwrap();
    die(dir.path(), 10, 10..14, Killed::AfterRenames(1));
    let archive = open(dir.path());
    archive.resume(4, 10).await.unwrap();
    let mut item = record(10);
    record_of(&mut item).source.partition = 4;
    archive.write(&batch(4, vec![item.clone()])).await.unwrap();
    assert_eq!(
        incoming(dir.path()),
        1,
        "partition 3's leftovers are its own"
    );
    go_on(dir.path(), 10, &[(10, 14)]).await;
    let mut all = records(10..14);
    all.push(item);
    assert_eq!(read_all(dir.path()), expected(&all));
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
    let mut other = record(1);
    record_of(&mut other).source.partition = 4;
    let result = open(dir.path())
        .write(&batch(3, vec![record(0), other]))
        .await;
    assert!(
        matches!(&result, Err(WriteError::Retryable { message, .. }) if message.contains("3 and 4")),
        "{result:?}"
    );
}
