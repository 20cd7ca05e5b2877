//! Checks that the account is right: a suite that overlooks a loss is worse than none.

use super::{Tally, Verdict};
use crate::load::{Number, Sent, Turn};

fn sent(turns: &[Turn]) -> Vec<Sent> {
    let mut sent = Sent::new(3, 2);
    sent.turns = turns.to_vec();
    vec![sent]
}

fn number(turn: u64, slot: u64) -> Number {
    Number {
        sender: 3,
        turn,
        slot,
    }
}

fn tally(found: &[(u64, u64)]) -> Tally {
    let mut tally = Tally::default();
    for &(turn, slot) in found {
        tally.see_value(number(turn, slot).value());
    }
    tally
}

const TWO: [Turn; 2] = [Turn::Acknowledged, Turn::Acknowledged];

#[test]
fn a_value_says_which_sample_it_is() {
    let number = Number {
        sender: 99,
        turn: 9_999_999,
        slot: 999,
    };
    assert_eq!(Number::of(number.value()), Some(number));
    for value in [-1.0, 0.5, f64::NAN, 1e15] {
        assert_eq!(Number::of(value), None, "{value}");
    }
}

#[test]
fn what_was_acknowledged_and_is_not_there_is_lost() {
    let verdict = tally(&[(0, 0), (0, 1), (1, 1)]).verdict(&sent(&TWO));
    assert_eq!((verdict.found, verdict.lost), (3, 1));
    assert!(verdict.examples[0].contains("turn: 1"), "{verdict:?}");
}

#[test]
fn what_was_given_up_may_be_there_or_not() {
    let turns = [Turn::Acknowledged, Turn::Unknown];
    let verdict = tally(&[(0, 0), (0, 1), (1, 1)]).verdict(&sent(&turns));
    assert_eq!((verdict.lost, verdict.unacknowledged), (0, 1));
}

#[test]
fn a_repeat_is_doubled_and_not_reordered_and_makes_up_for_nothing() {
    let verdict = tally(&[(0, 0), (1, 0), (0, 0), (0, 1)]).verdict(&sent(&TWO));
    assert_eq!(
        (verdict.doubled, verdict.reordered, verdict.lost),
        (1, 0, 1)
    );
}

#[test]
fn a_sample_before_an_earlier_one_of_its_series_is_reordered() {
    let found = [(1, 0), (0, 0), (0, 1), (1, 1)];
    let verdict = tally(&found).verdict(&sent(&TWO));
    assert_eq!((verdict.reordered, verdict.lost), (0, 0));
    let mut ordered = Tally::default();
    for (turn, slot) in found {
        let (name, slot_text) = (format!("fault_{slot}"), slot.to_string());
        let labels = [
            ("__name__", name.as_str()),
            ("sender", "3"),
            ("slot", slot_text.as_str()),
        ];
        ordered.see(labels.into_iter(), 0, number(turn, slot).value());
    }
    let verdict = ordered.verdict(&sent(&TWO));
    assert_eq!((verdict.reordered, verdict.lost), (1, 0));
}

#[test]
fn a_sample_under_other_labels_is_wrong_and_not_found() {
    let mut tally = Tally::default();
    let labels = [("__name__", "fault_0"), ("sender", "3"), ("slot", "1")];
    tally.see(labels.into_iter(), 0, number(0, 0).value());
    tally.see_value(42.5);
    let verdict = tally.verdict(&sent(&[Turn::Acknowledged]));
    assert_eq!((verdict.wrong, verdict.lost), (2, 2));
    let right = [("__name__", "fault_0"), ("sender", "3"), ("slot", "0")];
    tally.see(right.into_iter(), 0, number(0, 0).value());
    let verdict = tally.verdict(&sent(&[Turn::Acknowledged]));
    assert_eq!((verdict.found, verdict.lost), (1, 1));
}

#[test]
fn nothing_sent_is_nothing_lost() {
    assert_eq!(Tally::default().verdict(&[]), Verdict::default());
}

#[test]
fn ages_are_told_by_when_a_sample_was_sent() {
    let start_ms = service::clock::now_ms() - 25_000;
    let mut tally = Tally::with_arrivals(start_ms);
    let labels = [("__name__", "fault_0"), ("sender", "3"), ("slot", "0")];
    for turn in [0, 1] {
        let at_ms = start_ms + i64::try_from(turn).unwrap() * 20_000;
        tally.see(labels.into_iter(), at_ms, number(turn, 0).value());
    }
    let ages = tally.ages_p99_ms();
    assert_eq!(ages.len(), 3);
    assert!(
        ages[0] >= Some(25_000) && ages[1].is_none() && ages[2] < Some(20_000),
        "{ages:?}"
    );
}
