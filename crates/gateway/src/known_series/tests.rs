//! What is new is learned beside the other requests, which do not wait for it.

use std::thread;
use std::time::Duration;

use super::*;

const BODY: &[u8] =
    br#"{"metrics": [{"metric_name": "up", "timestamp": 1, "value": 1, "labels": {}}]}"#;

fn lessons(catalogue: &Catalogue) -> Lessons<'static> {
    let decoded = codec::json::decode_with(BODY, 10, catalogue).unwrap();
    Lessons {
        batch: decoded.batch,
        unknown: decoded.unknown,
    }
}

fn known_series() -> KnownSeries {
    KnownSeries::new(1 << 20, RandomState::default())
}

#[test]
fn what_is_learned_is_read() {
    let known = known_series();
    let lessons = lessons(&known.read());
    assert_eq!(lessons.unknown.len(), 1);
    known.learn(&lessons);
    assert_eq!(known.read().len(), 1);
}

#[test]
fn nobody_waits_for_a_lesson_that_waits() {
    let known = known_series();
    let long = known.read();
    let (first, second) = (lessons(&long), lessons(&long));
    thread::scope(|scope| {
        let learner = scope.spawn(|| known.learn(&first));
        while matches!(known.read(), Read::Known(_)) {
            thread::yield_now();
        }
        assert!(!known.read().is_useful());
        // Nor does a second lesson.
        known.learn(&second);
        assert!(!learner.is_finished());
        drop(long);
        learner.join().unwrap();
    });
    assert_eq!(known.read().len(), 1);
}

#[test]
fn after_a_lesson_has_waited_others_do_not_for_some_time() {
    let known = known_series();
    *known.may_wait_at.lock().unwrap() += Duration::from_secs(3600);
    let long = known.read();
    let lessons = lessons(&long);
    known.learn(&lessons);
    assert!(long.is_empty());
    drop(long);
    // With nobody in the way, it need not wait.
    known.learn(&lessons);
    assert_eq!(known.read().len(), 1);
}

#[test]
fn a_catalogue_that_a_panic_left_is_given_up() {
    let known = known_series();
    let lessons = lessons(&known.read());
    known.learn(&lessons);
    let panicked = thread::scope(|scope| {
        let panicking = scope.spawn(|| {
            let _waiting = known.may_wait_at.lock().unwrap();
            let _catalogue = known.catalogue.write().unwrap();
            panic!("in the middle of a lesson");
        });
        panicking.join()
    });
    assert!(panicked.is_err());
    assert_eq!(known.read().len(), 1);
    known.learn(&lessons);
    assert!(known.read().is_empty());
    assert!(!known.catalogue.is_poisoned());
}
