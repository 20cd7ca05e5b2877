//! What answers of Kafka make a log doubtful.

use super::{Mark, Question};

fn question(offset: i64, start: i64) -> Question {
    let at_ms = 1000;
    Question::of(Mark { offset, at_ms }, start).unwrap()
}

#[test]
fn a_record_in_its_place_is_the_first_of_its_time_or_after_others_of_it() {
    assert_eq!(question(48, 0).at_ms, 1000);
    assert!(question(48, 0).is_answered_by(Some(48)));
    assert!(question(48, 0).is_answered_by(Some(40)));
}

#[test]
fn a_log_of_which_all_or_nothing_is_as_young_is_doubted() {
    assert!(!question(48, 0).is_answered_by(Some(0)));
    assert!(!question(48, 0).is_answered_by(Some(49)));
    assert!(!question(48, 0).is_answered_by(None));
}

#[test]
fn of_the_first_record_it_is_asked_what_is_younger() {
    assert_eq!(question(0, 0).at_ms, 1001);
    assert!(question(0, 0).is_answered_by(None));
    assert!(question(0, 0).is_answered_by(Some(1)));
    assert!(!question(0, 0).is_answered_by(Some(0)));
}

#[test]
fn nothing_is_asked_of_what_has_expired() {
    let mark = Mark {
        offset: 9,
        at_ms: 1000,
    };
    assert_eq!(Question::of(mark, 10), None);
}
