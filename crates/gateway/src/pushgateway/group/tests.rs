//! What follows from a group at a time.

use proptest::prelude::*;

use super::*;

const HOUR_MS: i64 = 3_600_000;

fn pushed(ttl_ms: Option<u64>, expect_every_ms: u64) -> Group {
    Group {
        push_ms: 10 * HOUR_MS,
        ttl_ms,
        expect_every_ms,
        ..Group::default()
    }
}

#[test]
fn a_group_ends_when_its_ttl_or_the_setting_says() {
    let (hour, never) = (Duration::from_secs(3600), Duration::ZERO);
    assert_eq!(pushed(None, 0).ends_ms(never), None);
    assert_eq!(pushed(None, 0).ends_ms(hour), Some(11 * HOUR_MS));
    assert_eq!(pushed(Some(0), 0).ends_ms(hour), None);
    assert_eq!(pushed(Some(1), 0).ends_ms(hour), Some(10 * HOUR_MS + 1));
    assert_eq!(pushed(Some(u64::MAX), 0).ends_ms(hour), Some(i64::MAX));
}

#[test]
fn the_settings_ttl_does_not_hide_that_a_push_is_missing() {
    let hour = Duration::from_secs(3600);
    assert_eq!(pushed(None, 25 * 3_600_000).ends_ms(hour), None);
}

#[test]
fn a_refused_push_keeps_a_group_alive_and_does_not_count_as_the_expected_one() {
    let mut group = pushed(Some(3_600_000), 3_600_000);
    group.failure_ms = 10 * HOUR_MS + 5;
    assert_eq!(group.ends_ms(Duration::ZERO), Some(11 * HOUR_MS + 5));
    assert_eq!(group.due_ms(), Some(11 * HOUR_MS));
    assert!(!group.is_healthy());
}

#[test]
fn a_push_is_missing_from_just_after_it_was_due() {
    assert_eq!(pushed(None, 0).is_overdue(i64::MAX), None);
    let group = pushed(None, 3_600_000);
    assert_eq!(group.is_overdue(11 * HOUR_MS), Some(false));
    assert_eq!(group.is_overdue(11 * HOUR_MS + 1), Some(true));
}

#[test]
fn keys_of_different_groups_differ() {
    let labels = |pairs: &[(&str, &str)]| -> GroupLabels {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let keys = [
        key(None, &labels(&[("job", "a")])),
        key(Some("t"), &labels(&[("job", "a")])),
        key(None, &labels(&[("job", "a"), ("x", "")])),
        key(None, &labels(&[("job", "a"), ("x", "y")])),
        key(None, &labels(&[("job", "ax"), ("y", "")])),
    ];
    for (at, one) in keys.iter().enumerate() {
        assert!(keys.iter().skip(at + 1).all(|other| one != other));
    }
}

proptest! {
    #[test]
    fn a_stored_group_is_read_or_refused_whatever_its_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Group::decode(bytes.as_slice()));
    }

    #[test]
    fn a_group_survives_being_stored(
        push_ms: i64, ttl_ms: Option<u64>, name in ".*", bits: u64, at_ms: Option<i64>,
        histogram in prop::option::of(prop::collection::vec(any::<u8>(), 0..50)),
    ) {
        let series = Series {
            name: name.clone(),
            labels: vec![Label { name: "a".to_owned(), value: name.clone() }],
            value: f64::from_bits(bits),
            histogram,
            at_ms,
            start_ms: push_ms,
        };
        let family = Family { name, series: vec![series], kind: 3, push_ms, ..Family::default() };
        let group = Group { push_ms, ttl_ms, families: vec![family], ..Group::default() };
        let read = Group::decode(group.encode_to_vec().as_slice()).unwrap();
        let bits_of = |group: &Group| group.series().next().unwrap().value.to_bits();
        prop_assert_eq!(bits_of(&read), bits_of(&group));
        prop_assert_eq!(read.encode_to_vec(), group.encode_to_vec());
    }
}
