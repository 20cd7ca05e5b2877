//! Who is hot, what is suggested, and how often it is said.

use std::time::Duration;

use tokio::time::Instant;

use super::{Advisor, Suggestion, hot_names};
use crate::heat::{Load, Name, Shown};

const MIB: u64 = 1 << 20;

fn load(mib: u64) -> Load {
    Load {
        bytes: mib * MIB,
        samples: mib * 10_000,
    }
}

fn shown(partitions: usize, names: &[(&str, u64, u32)], rest_mib: u64) -> Shown {
    let name = |(name, mib, lanes): &(&str, u64, u32)| Name {
        name: (*name).to_owned(),
        load: load(*mib),
        lanes: *lanes,
    };
    let total: u64 = names.iter().map(|name| name.1).sum();
    Shown {
        seconds: 10.0,
        total: load(total + rest_mib),
        names: names.iter().map(name).collect(),
        partitions: vec![Load::default(); partitions],
    }
}

fn found(shown: &Shown) -> Vec<(String, u32, u32)> {
    let hot = hot_names(shown, MIB);
    hot.into_iter()
        .map(|hot| (hot.name, hot.was, hot.over))
        .collect()
}

#[test]
fn a_name_with_a_tenth_of_all_gets_as_many_of_64_partitions_as_it_needs() {
    let shown = shown(64, &[("hot", 100, 1), ("warm", 20, 1)], 880);
    assert_eq!(found(&shown), [("hot".to_owned(), 1, 8)]);
}

#[test]
fn a_name_that_is_spread_enough_is_left_alone_and_one_that_is_not_gets_more() {
    assert!(found(&shown(64, &[("hot", 100, 8)], 900)).is_empty());
    assert_eq!(
        found(&shown(64, &[("hot", 500, 8)], 500)),
        [("hot".to_owned(), 8, 32)]
    );
}

#[test]
fn nobody_is_hot_where_there_is_little_or_nothing_to_spread_over() {
    assert!(found(&shown(1, &[("hot", 1000, 1)], 0)).is_empty());
    assert!(found(&shown(0, &[("hot", 1000, 1)], 0)).is_empty());
    assert!(
        found(&shown(64, &[("hot", 9, 1)], 0)).is_empty(),
        "too little"
    );
    assert_eq!(
        found(&shown(6, &[("hot", 1000, 1)], 0)),
        [("hot".to_owned(), 1, 4)],
        "the largest power of two that there is"
    );
}

#[test]
fn it_is_said_when_it_is_sure_and_again_after_an_hour() {
    let hot = [Suggestion {
        name: "hot".to_owned(),
        was: 1,
        over: 8,
        share: 0.1,
    }];
    let mut advisor = Advisor::default();
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    assert!(advisor.look(&hot, at(0)).is_empty());
    assert!(advisor.look(&hot, at(30)).is_empty());
    assert!(advisor.look(&[], at(60)).is_empty(), "it begins anew");
    for seconds in [90, 120] {
        assert!(advisor.look(&hot, at(seconds)).is_empty());
    }
    assert_eq!(advisor.look(&hot, at(150)), hot);
    assert!(advisor.look(&hot, at(180)).is_empty());
    assert_eq!(advisor.look(&hot, at(150 + 3600)), hot);
}
