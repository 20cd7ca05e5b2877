//! What is taken is given back, and the limit is never passed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Full, Permits};

/// Permits that tell the senders of these tests apart: two in a thousand share a place, and so a share.
fn permits(limit_bytes: usize) -> Arc<Permits> {
    loop {
        let permits = Permits::new(limit_bytes);
        let mut places = BTreeSet::from([permits.empty().place]);
        let senders = ["flood", "a", "b", "c", "another"];
        if senders
            .into_iter()
            .all(|sender| places.insert(permits.of(sender).place))
        {
            return permits;
        }
    }
}

#[test]
fn a_permit_grows_up_to_the_limit_and_gives_all_back() {
    let permits = permits(100);
    let mut first = permits.empty();
    first.grow(60).unwrap();
    first.grow_to(80).unwrap();
    first.grow_to(10).unwrap();
    assert_eq!(permits.used_bytes(), 80);
    let mut second = permits.of("another");
    assert_eq!(
        second.grow(21),
        Err(Full::All {
            used_bytes: 80,
            limit_bytes: 100,
            wanted_bytes: 21
        })
    );
    second.grow(20).unwrap();
    drop(first);
    assert_eq!(permits.used_bytes(), 20);
    drop(second);
    assert_eq!(permits.used_bytes(), 0);
}

#[test]
fn a_size_beyond_all_numbers_is_refused_and_not_wrapped_around() {
    let permits = permits(100);
    let mut permit = permits.empty();
    permit.grow(1).unwrap();
    assert!(permit.grow(usize::MAX).is_err());
    assert_eq!(permits.used_bytes(), 1);
}

#[test]
fn a_flooding_sender_leaves_room_for_others() {
    let permits = permits(1000);
    let mut flood = Vec::new();
    loop {
        let mut permit = permits.of("flood");
        if permit.grow(10).is_err() {
            break;
        }
        flood.push(permit);
    }
    assert_eq!(permits.used_bytes(), 500, "half is anybody's");
    let mut others = Vec::new();
    for name in ["a", "b", "c"] {
        for _ in 0..10 {
            let mut permit = permits.of(name);
            permit.grow(10).unwrap();
            others.push(permit);
        }
    }
    let mut more = permits.of("flood");
    let share = Err(Full::Share {
        held_bytes: 500,
        share_bytes: 200,
    });
    assert_eq!(more.grow(10), share);
    drop((flood, others, more));
    assert_eq!(permits.used_bytes(), 0);
}

#[test]
fn who_has_nothing_else_in_flight_may_have_all_that_is_left() {
    let permits = permits(1000);
    let mut first = permits.of("a");
    first.grow(400).unwrap();
    let mut only = permits.of("b");
    only.grow(300).unwrap();
    only.grow(300).unwrap();
    assert_eq!(permits.used_bytes(), 1000);
}

#[test]
fn what_is_in_memory_already_keeps_others_out_until_it_is_given_back() {
    let permits = permits(1000);
    let mut first = permits.of("a");
    first.grow(100).unwrap();
    first.weigh(5000);
    assert!(permits.of("b").grow(1).is_err());
    first.give_back(5000);
    permits.of("b").grow(1).unwrap();
    first.resize(20).unwrap();
    assert_eq!(permits.used_bytes(), 20);
}

#[test]
fn small_requests_are_counted_for_what_they_cost() {
    let permits = Permits::with(1000, 10, usize::MAX);
    let held: Vec<_> = (0..20)
        .filter_map(|sender| {
            let mut permit = permits.of(sender);
            permit.grow(1).ok().map(|()| permit)
        })
        .collect();
    assert_eq!(held.len(), 10);
}

#[test]
fn only_so_many_bodies_may_come_slowly() {
    let permits = Permits::with(1000, usize::MAX, 2);
    let take = |bytes| {
        let mut permit = permits.of(bytes);
        permit.grow(bytes).unwrap();
        permit
    };
    let (first, second, third) = (take(200), take(50), take(51));
    let slow = first.slow().unwrap();
    assert!(third.slow().is_err(), "too many bytes");
    let other = second.slow().unwrap();
    assert!(take(1).slow().is_err(), "too many bodies");
    drop((slow, other));
    third.slow().unwrap();
}
