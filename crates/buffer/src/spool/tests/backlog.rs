//! Which records of the backlog are sent, and when.

use std::time::Duration;

use tokio::time::Instant;

use super::{NOW_MS, record};
use crate::Record;
use crate::spool::backlog::{Backlog, Choice, Fate, Gone};
use crate::spool::late::Known;

const NEVER_MS: i64 = i64::MIN;
const MUCH: usize = 1 << 20;

/// Parts are the last letter of a key.
fn part(record: &Record) -> usize {
    usize::from(record.key.last().copied().unwrap_or_default())
}

fn backlog(keys: &[&str]) -> Backlog {
    let mut backlog = Backlog::default();
    for (key, offset) in keys.iter().zip(0..) {
        let record = record(key, offset);
        backlog.push(offset, part(&record), record);
    }
    backlog
}

fn choose(backlog: &mut Backlog, now: Instant) -> Choice {
    backlog.choose(now, MUCH, NEVER_MS, part, |_| Known::Nothing)
}

fn offsets(choice: &Choice) -> Vec<u64> {
    choice.send.iter().map(|held| held.offset).collect()
}

fn fates(choice: &Choice, fate: impl Fn(u64) -> Fate) -> Vec<(u64, usize, Fate)> {
    let sent = choice.send.iter();
    sent.map(|held| (held.offset, held.part, fate(held.offset)))
        .collect()
}

#[test]
fn a_round_has_a_bound_in_bytes_and_always_a_record() {
    let mut backlog = backlog(&["a", "b", "c"]);
    let choice = backlog.choose(Instant::now(), 1, NEVER_MS, part, |_| Known::Nothing);
    assert_eq!(offsets(&choice), [0]);
}

#[test]
fn a_part_that_failed_is_left_alone_then_tried_with_one_record() {
    let start = Instant::now();
    let mut backlog = backlog(&["a", "b", "a", "b", "a"]);
    let choice = choose(&mut backlog, start);
    assert_eq!(offsets(&choice), [0, 1, 2, 3, 4]);
    let of_b = |offset| match offset {
        1 | 3 => Fate::Delivered,
        _ => Fate::NotNow,
    };
    let left = backlog.settle(start, &fates(&choice, of_b));
    assert_eq!(
        left.iter().map(|held| held.offset).collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!(backlog.first().unwrap().offset, 0);

    let choice = choose(&mut backlog, start);
    assert!(choice.send.is_empty());
    let again_at = choice.look_at.unwrap();
    assert_eq!(again_at, start + Duration::from_millis(250));
    let choice = choose(&mut backlog, again_at);
    assert_eq!(offsets(&choice), [0]);

    // In vain: the next pause is longer.
    backlog.settle(again_at, &fates(&choice, |_| Fate::NotNow));
    let choice = choose(&mut backlog, again_at);
    let again_at = again_at + Duration::from_millis(500);
    assert_eq!(choice.look_at, Some(again_at));

    let choice = choose(&mut backlog, again_at);
    backlog.settle(again_at, &fates(&choice, |_| Fate::Delivered));
    assert_eq!(offsets(&choose(&mut backlog, again_at)), [2, 4]);
}

#[test]
fn a_record_that_is_refused_for_good_is_sent_once_more_alone_in_its_part() {
    let now = Instant::now();
    let mut backlog = backlog(&["a", "a", "a", "b"]);
    let choice = choose(&mut backlog, now);
    let refused = |offset| match offset {
        1 | 2 => Fate::Never,
        _ => Fate::Delivered,
    };
    backlog.settle(now, &fates(&choice, refused));
    let fifth = record("b", 4);
    backlog.push(4, part(&fifth), fifth);
    let choice = choose(&mut backlog, now);
    assert_eq!(offsets(&choice), [1, 4]);
    assert!(choice.send[0].is_suspect());
    // It was another one of its batch.
    backlog.settle(now, &fates(&choice, |_| Fate::Delivered));
    let choice = choose(&mut backlog, now);
    assert_eq!(offsets(&choice), [2]);
    backlog.remove(2);
    assert!(backlog.is_empty());
    assert_eq!(backlog.bytes(), 0);
}

#[test]
fn what_waits_for_its_first_answer_holds_up_its_part_alone() {
    let now = Instant::now();
    let mut backlog = backlog(&["a", "a", "b", "b"]);
    let late = |offset| match offset {
        0 => Known::Open,
        2 => Known::Confirmed,
        _ => Known::Nothing,
    };
    let choice = backlog.choose(now, MUCH, NEVER_MS, part, late);
    assert_eq!(offsets(&choice), [3]);
    let gone: Vec<_> = choice
        .gone
        .iter()
        .map(|(held, why)| (held.offset, *why))
        .collect();
    assert_eq!(gone, [(2, Gone::Confirmed)]);
    backlog.settle(now, &fates(&choice, |_| Fate::Delivered));
    let choice = backlog.choose(now, MUCH, NEVER_MS, part, late);
    assert!(choice.send.is_empty() && choice.look_at.is_some());
}

#[test]
fn only_what_cannot_be_sent_gets_too_old() {
    let now = Instant::now();
    let mut backlog = backlog(&["a", "b"]);
    let cutoff_ms = NOW_MS;
    let choice = backlog.choose(now, MUCH, cutoff_ms, part, |_| Known::Nothing);
    assert_eq!(offsets(&choice), [0, 1]);
    let a_fails = |offset| match offset {
        0 => Fate::NotNow,
        _ => Fate::Delivered,
    };
    backlog.settle(now, &fates(&choice, a_fails));
    // One failure may be a start, or a full queue.
    let choice = backlog.choose(now, MUCH, cutoff_ms, part, |_| Known::Nothing);
    assert!(choice.send.is_empty() && choice.gone.is_empty());
    let soon = now + Duration::from_secs(1);
    let choice = backlog.choose(soon, MUCH, cutoff_ms, part, |_| Known::Nothing);
    backlog.settle(soon, &fates(&choice, |_| Fate::NotNow));

    let late = now + Duration::from_secs(60);
    // What was confirmed meanwhile is no loss.
    let choice = backlog
        .clone()
        .choose(late, MUCH, cutoff_ms, part, |_| Known::Confirmed);
    assert_eq!(choice.gone[0].1, Gone::Confirmed);
    let choice = backlog.choose(late, MUCH, cutoff_ms, part, |_| Known::Nothing);
    assert_eq!(choice.gone.len(), 1);
    assert_eq!(choice.gone[0].1, Gone::Expired);
    assert!(backlog.is_empty());
}
