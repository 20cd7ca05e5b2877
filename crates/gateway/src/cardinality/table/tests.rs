//! What the table of counted names keeps, and what it lets go.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use super::{Majority, Near, Table};

fn hash(number: u64) -> u64 {
    foldhash::quality::FixedState::default().hash_one(number)
}

#[test]
fn what_has_most_stays_while_small_things_without_end_come_and_go() {
    let mut table = Table::new(64, 10);
    let [mut near_large, mut near_small] = [Near::NOWHERE; 2];
    for number in 0..20_000_u64 {
        let large = || "large".to_owned();
        table.add(&mut near_large, 1, large, (hash(number), None), 0);
        let small = || format!("small {number}");
        let thing = (hash(number), None);
        table.add(&mut near_small, hash(number), small, thing, 0);
    }
    let top = table.top(2, 0);
    let (count, first) = &top[0];
    assert_eq!(first.key, "large");
    assert!((18_000..22_000).contains(count), "{count}");
    assert_eq!(table.entries.len(), 64);
}

#[test]
fn what_is_not_seen_for_two_halves_is_forgotten() {
    let mut table = Table::new(64, 10);
    let mut near = Near::NOWHERE;
    for number in 0..1000_u64 {
        table.add(&mut near, 1, || "old", (hash(number), None), 0);
    }
    let (count, _) = table.top(1, 1)[0];
    assert!((950..1050).contains(&count), "{count}");
    for number in 500..1500_u64 {
        table.add(&mut near, 1, || "old", (hash(number), None), 1);
    }
    let (count, _) = table.top(1, 1)[0];
    assert!(
        (1400..1600).contains(&count),
        "both halves, once each: {count}"
    );
    assert!(table.top(1, 3).is_empty());
}

#[test]
fn a_key_is_found_wherever_it_is_looked_for_first() {
    let mut table = Table::new(16, 10);
    let mut near = Near::NOWHERE;
    // More keys than there is room for come and go, and some of them are forgotten in between.
    for number in 0..1000_u64 {
        let key = hash(number % 23);
        table.add(
            &mut near,
            key,
            || number % 23,
            (hash(number), None),
            number / 200,
        );
        let found: Vec<_> = table.entries.iter().filter(|it| it.hash == key).collect();
        assert_eq!(found.len(), 1, "once: {number}");
        assert_eq!(found[0].key, number % 23);
        if number % 50 == 0 {
            table.top(4, number / 200);
        }
    }
    assert_eq!(table.slots.len(), table.entries.len());
}

#[test]
fn who_brought_more_than_half_is_named() {
    let mut majority = Majority::default();
    let names = ["a", "b", "a", "c", "a", "a"].map(Arc::<str>::from);
    for name in &names {
        majority.vote(Some(name));
    }
    assert_eq!(majority.who(), Some("a"));
}
