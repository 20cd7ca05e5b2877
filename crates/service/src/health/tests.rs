//! Ready when everything is.

use super::Health;

#[test]
fn a_condition_starts_unmet() {
    let health = Health::new();
    assert!(health.is_ready());

    let topic = health.condition("topic", "not looked up yet");
    let spool = health.condition("spool", "not open yet");
    topic.ready();
    assert!(!health.is_ready());
    assert_eq!(health.reasons(), [("spool", "not open yet".to_owned())]);

    spool.clone().ready();
    assert!(health.is_ready());
    assert_eq!(health.reasons(), []);

    topic.not_ready("no broker answers");
    assert_eq!(
        health.clone().reasons(),
        [("topic", "no broker answers".to_owned())]
    );
}

#[test]
fn two_conditions_of_one_name_are_both_needed() {
    let health = Health::new();
    let first = health.condition("store", "first");
    let second = health.condition("store", "second");
    first.ready();
    assert_eq!(health.reasons(), [("store", "second".to_owned())]);
    second.ready();
    assert!(health.is_ready());
}
