//! An offset decides which batches come again.

use super::{Entry, KEPT, Manifest};

fn manifest(batches: &[(i64, i64, i64)]) -> Manifest {
    let mut manifest = Manifest::new("x");
    for &(start, first, last) in batches {
        manifest.push(Entry {
            start,
            first,
            last,
            files: vec![format!("{first}.parquet")],
        });
    }
    manifest
}

/// Checks the batches that come again, those that are still known, and whether the offset is a surprise.
#[track_caller]
fn check(offset: i64, again: &[i64], kept: &[i64], surprise: bool) {
    let mut manifest = manifest(&[(0, 2, 9), (10, 10, 19), (20, 25, 29)]);
    let resumed = manifest.resume(offset);
    let firsts = |batches: &[Entry]| batches.iter().map(|entry| entry.first).collect::<Vec<_>>();
    assert_eq!(firsts(&resumed.again), again, "again");
    assert_eq!(firsts(&manifest.batches), kept, "kept");
    assert_eq!(
        resumed.surprise.is_some(),
        surprise,
        "{:?}",
        resumed.surprise
    );
}

#[test]
fn everything_below_the_offset_is_committed() {
    check(30, &[], &[2, 10, 25], false);
    check(1000, &[], &[2, 10, 25], false);
}

#[test]
fn everything_from_the_offset_on_comes_again() {
    check(20, &[25], &[2, 10], false);
    check(23, &[25], &[2, 10], false);
    check(25, &[25], &[2, 10], false);
    check(10, &[10, 25], &[2], false);
    check(0, &[2, 10, 25], &[], false);
}

#[test]
fn an_offset_inside_a_batch_is_a_surprise() {
    check(15, &[25], &[2, 10], true);
    check(29, &[], &[2, 10, 25], true);
}

#[test]
fn an_offset_before_all_that_is_known_deletes_nothing() {
    let mut manifest = manifest(&[(100, 100, 109)]);
    let resumed = manifest.resume(99);
    assert!(resumed.again.is_empty());
    assert!(resumed.surprise.unwrap().contains("99"));
    assert!(manifest.batches.is_empty());
}

#[test]
fn only_the_last_batches_are_remembered() {
    let mut manifest = Manifest::new("x");
    for offset in 0..100 {
        manifest.push(Entry {
            start: offset,
            first: offset,
            last: offset,
            files: Vec::new(),
        });
    }
    assert_eq!(manifest.batches.len(), KEPT);
    assert_eq!(manifest.batches.last().unwrap().first, 99);
}
