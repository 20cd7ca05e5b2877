//! What is said about a topic that somebody else made.

use std::time::Duration;

use super::{Found, Keep, Wanted};

const DAY: Duration = Duration::from_secs(86_400);

const WANTED: Wanted<'_> = Wanted {
    name: "metrics",
    partitions: 64,
    replication: 3,
    keep: Keep::For(DAY),
    max_message_bytes: None,
};

fn check(partitions: i32, replicas: usize, settings: &[(&str, &str)], expected: &[&str]) {
    let found = Found {
        partitions,
        replicas,
        settings: settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let mismatches = found.mismatches(&WANTED);
    let settings: Vec<&str> = mismatches.iter().map(|m| m.setting).collect();
    assert_eq!(settings, expected, "{mismatches:?}");
}

#[test]
fn a_topic_as_wanted_or_better_is_fine() {
    let settings = [
        ("retention.ms", "86400000"),
        ("retention.bytes", "-1"),
        ("cleanup.policy", "delete"),
    ];
    check(64, 3, &settings, &[]);
    check(128, 5, &[("retention.ms", "604800000")], &[]);
}

#[test]
fn a_topic_that_keeps_records_forever_is_fine() {
    check(64, 3, &[("retention.ms", "-1")], &[]);
}

#[test]
fn what_would_lose_records_is_pointed_at() {
    check(64, 3, &[("retention.ms", "3600000")], &["retention"]);
    check(
        64,
        3,
        &[("retention.bytes", "1000000")],
        &["retention_bytes"],
    );
    check(
        64,
        3,
        &[("cleanup.policy", "compact,delete")],
        &["cleanup_policy"],
    );
}

#[test]
fn a_topic_of_dead_letters_that_takes_less_than_the_other_is_pointed_at() {
    let wanted = Wanted {
        max_message_bytes: Some(5_065_536),
        ..WANTED
    };
    let check = |found: &str, expected: &[&str]| {
        let found = Found {
            partitions: 64,
            replicas: 3,
            settings: [("max.message.bytes".to_owned(), found.to_owned())].into(),
        };
        let mismatches = found.mismatches(&wanted);
        let settings: Vec<&str> = mismatches.iter().map(|m| m.setting).collect();
        assert_eq!(settings, expected, "{mismatches:?}");
    };
    check("1048588", &["max_message_bytes"]);
    check("5000000", &[]);
    check("6000000", &[]);
}

#[test]
fn fewer_partitions_and_replicas_are_pointed_at() {
    check(1, 1, &[], &["partitions", "replication"]);
}

#[test]
fn settings_that_are_not_shown_are_not_complained_about() {
    check(64, 3, &[], &[]);
}

#[test]
fn a_table_that_forgets_what_is_old_is_pointed_at() {
    let wanted = Wanted {
        partitions: 1,
        keep: Keep::LastOfEachKey,
        ..WANTED
    };
    let check = |policy: &str, expected: &[&str]| {
        let found = Found {
            partitions: 1,
            replicas: 3,
            settings: [
                ("cleanup.policy", policy),
                ("retention.ms", "1000"),
                ("retention.bytes", "1000"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        };
        let mismatches = found.mismatches(&wanted);
        let settings: Vec<&str> = mismatches.iter().map(|m| m.setting).collect();
        assert_eq!(settings, expected, "{mismatches:?}");
    };
    check("compact", &[]);
    check("delete", &["cleanup_policy"]);
    check("compact,delete", &["cleanup_policy"]);
}
