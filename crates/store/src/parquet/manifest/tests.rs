//! Which batches come again is decided when their records do.

use super::{Entry, KEPT, Manifest};
use crate::parquet::Span;

fn entry(first: i64, last: i64) -> Entry {
    Entry {
        first,
        last,
        received_at_ms: first * 1000,
        files: vec![format!("{first}.parquet")],
    }
}

fn manifest() -> Manifest {
    let mut manifest = Manifest::new("x");
    // Not in order: a batch may be written again before a later one is.
    for (first, last) in [(10, 19), (25, 29), (2, 9)] {
        manifest.push(entry(first, last));
    }
    manifest
}

fn firsts(batches: &[Entry]) -> Vec<i64> {
    batches.iter().map(|entry| entry.first).collect()
}

/// Checks which batches the records `first..=last` replace when reading had started at `resumed_at`.
#[track_caller]
fn check(resumed_at: i64, first: i64, last: i64, replaced: &[i64], kept: &[i64]) {
    let mut manifest = manifest();
    let span = Span {
        partition: 0,
        first,
        last,
    };
    let again = manifest.take_replaced(resumed_at, span, |offset| Some(offset * 1000));
    assert_eq!(firsts(&again), replaced, "replaced");
    assert_eq!(firsts(&manifest.batches), kept, "kept");
}

#[test]
fn the_batches_whose_records_come_again_are_replaced() {
    check(2, 2, 9, &[2], &[10, 25]);
    check(2, 2, 3, &[2], &[10, 25]);
    check(10, 10, 26, &[10, 25], &[2]);
    check(0, 0, 100, &[2, 10, 25], &[]);
}

#[test]
fn a_batch_whose_first_records_are_skipped_this_time_is_replaced_too() {
    check(10, 15, 16, &[10], &[2, 25]);
}

#[test]
fn records_that_were_not_there_before_replace_nothing() {
    check(30, 30, 40, &[], &[2, 10, 25]);
    check(20, 20, 24, &[], &[2, 10, 25]);
}

#[test]
fn records_that_expired_keep_what_they_were() {
    // Reading was to start at 10, but the buffer begins at 27 now.
    check(10, 27, 40, &[25], &[2, 10]);
    check(10, 30, 40, &[], &[2, 10, 25]);
}

#[test]
fn a_batch_that_began_before_the_offset_stays() {
    check(15, 15, 19, &[], &[2, 10, 25]);
}

#[test]
fn records_of_another_log_replace_nothing() {
    let mut manifest = manifest();
    let span = Span {
        partition: 0,
        first: 0,
        last: 12,
    };
    let again = manifest.take_replaced(0, span, |offset| Some(offset * 1000 + 1));
    assert_eq!(again, []);
    assert_eq!(firsts(&manifest.batches), [25]);
}

#[test]
fn only_the_last_batches_are_remembered() {
    let mut manifest = Manifest::new("x");
    for offset in 0..100 {
        manifest.push(entry(offset, offset));
    }
    assert_eq!(manifest.batches.len(), KEPT);
    assert_eq!(manifest.batches.last().unwrap().first, 99);
}

#[test]
fn the_batches_of_a_log_that_starts_anew_are_remembered_beside_those_of_the_old_one() {
    let mut manifest = Manifest::new("x");
    for offset in 1000..1100 {
        manifest.push(entry(offset, offset));
    }
    for offset in 0..5 {
        manifest.push(entry(offset, offset));
    }
    let span = Span {
        partition: 0,
        first: 0,
        last: 4,
    };
    let again = manifest.take_replaced(0, span, |offset| Some(offset * 1000));
    assert_eq!(firsts(&again), [0, 1, 2, 3, 4]);
    assert_eq!(manifest.batches.len(), KEPT);
}

#[test]
fn an_offset_that_commits_do_not_explain_is_doubted() {
    let doubt = |offset| manifest().doubt(offset);
    for sound in [0, 1, 2, 10, 20, 23, 25, 30, 99] {
        assert_eq!(doubt(sound), None, "{sound}");
    }
    assert!(doubt(15).unwrap().contains("10 to 19"));
    assert!(doubt(29).unwrap().contains("25 to 29"));
    let mut full = Manifest::new("x");
    (100..200).for_each(|offset| full.push(entry(offset, offset)));
    assert!(full.doubt(50).unwrap().contains("50"));
    assert_eq!(Manifest::new("x").doubt(50), None);
}
