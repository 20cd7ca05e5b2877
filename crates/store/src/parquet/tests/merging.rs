//! Small files become large ones, and nothing else changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{Archive, Config, Merged};
use super::{
    MIDNIGHT, Series, batch, expected, give_to, names, open, read_all, read_file, record, records,
};
use crate::{Item, Write as _};

/// The hour at which 20 and 21 November are over for good.
const LATER: i64 = MIDNIGHT + 86_400_000 + 3_600_000;

/// An archive in a folder of its own, with a place beside it.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    (dir, archive)
}

/// A batch, and so a file in each of two days, per record.
async fn write_singly(archive: &Archive, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        archive
            .write(&batch(3, vec![record(offset)]))
            .await
            .unwrap();
    }
}

fn files(dir: &Path, day: &str) -> Vec<String> {
    names(dir)
        .into_iter()
        .filter(|name| name.starts_with(day))
        .collect()
}

#[tokio::test]
async fn the_small_files_of_past_days_become_one_sorted_file() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    write_singly(&archive, 0..40).await;
    let merged = archive.merge(LATER).unwrap();
    // The last 16 batches may still have to be replaced.
    assert_eq!(
        merged,
        Merged {
            before: 48,
            after: 2
        }
    );
    assert_eq!(files(&dir, "date=2026-11-20").len(), 17);
    assert_eq!(read_all(&dir), expected(&records(0..40)));
    let large = files(&dir, "date=2026-11-20/merged-");
    let rows = read_file(&dir.join(&large[0]));
    assert_eq!(rows.len(), 24);
    let keys: Vec<_> = rows
        .iter()
        .map(|row| (&row.metric, &row.labels, row.at_ms))
        .collect();
    assert!(keys.is_sorted());
    assert_eq!(archive.merge(LATER).unwrap(), Merged::default());
}

#[tokio::test]
async fn every_kind_of_row_survives_merging() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    let mut items: Vec<Item> = Vec::new();
    for offset in 0..30_i64 {
        let points: Vec<(i64, f64)> = (0..700)
            .map(|at| {
                (
                    MIDNIGHT + at * 10 + offset,
                    f64::from_bits(0x7ff0_0000_0000_0002),
                )
            })
            .collect();
        let mut series = Series::new("x", &[("a", "1"), ("b", "")], &points);
        series.histograms = vec![(MIDNIGHT + offset, vec![0, 1, 200]), (MIDNIGHT, vec![])];
        if offset % 2 == 0 {
            series.labels.clear();
        }
        let mut item = series.at(3, offset);
        if offset % 3 == 0 {
            give_to(&mut item, Some("team-a"));
        }
        archive.write(&batch(3, vec![item.clone()])).await.unwrap();
        items.push(item);
    }
    assert_eq!(
        archive.merge(LATER).unwrap(),
        Merged {
            before: 14,
            after: 1
        }
    );
    assert_eq!(read_all(&dir), expected(&items));
}

#[tokio::test]
async fn today_and_days_with_few_files_are_left_alone() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    write_singly(&archive, 0..40).await;
    assert_eq!(archive.merge(MIDNIGHT + 1000).unwrap(), Merged::default());
    let merged = archive.merge(LATER - 86_400_000).unwrap();
    assert_eq!(
        merged,
        Merged {
            before: 24,
            after: 1
        },
        "the 20th is over, the 21st is not"
    );
    let (_home, dir) = folder();
    let archive = open(&dir);
    write_singly(&archive, 0..23).await;
    assert_eq!(archive.merge(LATER).unwrap(), Merged::default());
}

#[tokio::test]
async fn merging_can_be_turned_off() {
    let (_home, dir) = folder();
    let config = Config {
        dir: Some(dir.clone()),
        merge: false,
        ..Config::default()
    };
    let archive = Archive::open(config, "archive", "x", &dir).unwrap();
    write_singly(&archive, 0..40).await;
    assert_eq!(archive.merge(LATER).unwrap(), Merged::default());
}

#[tokio::test]
async fn more_files_than_can_be_open_at_once_are_merged_in_groups() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    write_singly(&archive, 0..90).await;
    // 74 files per day: 64 and 10.
    assert_eq!(
        archive.merge(LATER).unwrap(),
        Merged {
            before: 148,
            after: 4
        }
    );
    assert_eq!(read_all(&dir), expected(&records(0..90)));
    // Late samples, and what was merged is merged again.
    write_singly(&archive, 90..100).await;
    assert_eq!(
        archive.merge(LATER + 1).unwrap(),
        Merged {
            before: 24,
            after: 2
        }
    );
    assert_eq!(read_all(&dir), expected(&records(0..100)));
}

#[tokio::test]
async fn a_batch_that_was_not_committed_can_be_replaced_after_merging() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    archive.resume(3, 0).await.unwrap();
    write_singly(&archive, 0..40).await;
    archive.merge(LATER).unwrap();
    // A crash, and the commits of the last ten batches never arrived.
    let archive = open(&dir);
    archive.resume(3, 30).await.unwrap();
    archive.write(&batch(3, records(30..45))).await.unwrap();
    assert_eq!(read_all(&dir), expected(&records(0..45)));
}

#[tokio::test]
async fn a_merge_that_was_killed_leaves_each_sample_once() {
    for exchanged in [false, true] {
        let (home, dir) = folder();
        let archive = open(&dir);
        write_singly(&archive, 0..40).await;
        let beside = home.path().join(".archive-merging");
        let prepared = beside.join("date=2026-11-20");
        if exchanged {
            // Killed after the exchange: what lies beside the archive is the day's old folder.
            let day = dir.join("date=2026-11-20");
            let old: Vec<(String, Vec<u8>)> = files(&dir, "date=2026-11-20")
                .into_iter()
                .map(|name| (name.clone(), fs::read(dir.join(&name)).unwrap()))
                .collect();
            archive.merge(LATER).unwrap();
            assert!(day.exists());
            fs::create_dir_all(&prepared).unwrap();
            for (name, bytes) in old {
                fs::write(beside.join(name), bytes).unwrap();
            }
        } else {
            // Killed before it: half of a merged file.
            fs::create_dir_all(&prepared).unwrap();
            fs::write(prepared.join("merged-1-0000.parquet"), b"PAR1 half").unwrap();
        }
        assert_eq!(read_all(&dir), expected(&records(0..40)), "{exchanged}");
        let archive = open(&dir);
        archive.merge(LATER).unwrap();
        assert_eq!(read_all(&dir), expected(&records(0..40)), "{exchanged}");
        assert!(!beside.exists());
        assert_eq!(files(&dir, "date=2026-11-20").len(), 17);
    }
}

#[tokio::test]
async fn what_is_not_ours_or_cannot_be_read_moves_along() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    write_singly(&archive, 0..40).await;
    let day = dir.join("date=2026-11-20");
    fs::write(day.join("notes.txt"), b"mine").unwrap();
    fs::write(day.join("p99999-broken.parquet"), b"PAR1").unwrap();
    assert_eq!(archive.merge(LATER).unwrap().before, 48);
    assert_eq!(fs::read(day.join("notes.txt")).unwrap(), b"mine");
    assert_eq!(
        fs::read(day.join("p99999-broken.parquet")).unwrap(),
        b"PAR1"
    );
    // A folder cannot be linked: the day stays as it is, and the error says why.
    write_singly(&archive, 40..60).await;
    fs::create_dir(day.join("mine")).unwrap();
    let before = files(&dir, "date=2026-11-20");
    let error = archive.merge(LATER).unwrap_err();
    assert!(
        error.to_string().contains("date=2026-11-20/mine"),
        "{error}"
    );
    assert_eq!(files(&dir, "date=2026-11-20"), before);
}

/// Late samples, retries and merges at once.
#[tokio::test]
async fn a_damaged_file_does_not_keep_other_days_from_merging() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    write_singly(&archive, 0..40).await;
    let first = files(&dir, "date=2026-11-20")[0].clone();
    let whole = fs::read(dir.join(&first)).unwrap();
    // Bytes of the pages: what is wrong with some of them only the library's own assertions notice.
    for at in 4..24 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        fs::write(dir.join(&first), damaged).unwrap();
        let Err(error) = archive.merge(LATER) else {
            // Not every byte is looked at.
            assert_eq!(files(&dir, "date=2026-11-20").len(), 17, "byte {at}");
            return;
        };
        assert!(error.to_string().contains("cannot read"), "{error}");
        assert_eq!(files(&dir, "date=2026-11-20").len(), 40, "byte {at}");
        assert_eq!(files(&dir, "date=2026-11-21").len(), 17, "byte {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writing_while_merging_loses_nothing_and_doubles_nothing() {
    let (_home, dir) = folder();
    let archive = open(&dir);
    write_singly(&archive, 0..40).await;
    let done = Arc::new(AtomicBool::new(false));
    let (merger, stop) = (archive.clone(), Arc::clone(&done));
    let merging = tokio::task::spawn_blocking(move || {
        let mut merged = 0;
        for pass in 0.. {
            merged += merger.merge(LATER + pass).unwrap().before;
            if stop.load(Ordering::SeqCst) {
                break;
            }
        }
        merged
    });
    for offset in 40..70 {
        write_singly(&archive, offset..offset + 1).await;
        if offset % 7 == 0 {
            archive.resume(3, offset - 3).await.unwrap();
            write_singly(&archive, offset - 3..offset + 1).await;
        }
    }
    done.store(true, Ordering::SeqCst);
    assert!(merging.await.unwrap() >= 48);
    assert_eq!(read_all(&dir), expected(&records(0..70)));
}
