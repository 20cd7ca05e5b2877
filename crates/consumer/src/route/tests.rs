//! A name has one lane; divided, its series have theirs, whatever record they come in.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use model::{BlockBuilder, Point};
use store::Source;

use super::*;
use crate::lane::Waiting;

const BATCHING: Batching = Batching {
    max_samples: 3,
    max_bytes: 1 << 20,
    max_age: Duration::from_secs(1),
};

fn router(lanes: usize) -> Router {
    Router::new(Lanes::BySeries(NonZeroUsize::new(lanes).unwrap()), BATCHING)
}

/// A record with these series of `up`, each of so many points.
fn record(series: &[&[(&str, &str)]], points: usize, tenant: Option<&str>) -> Record {
    let named: Vec<_> = series.iter().map(|labels| ("up", *labels)).collect();
    record_of(&named, points, tenant)
}

/// A record with series by their names and other labels.
fn record_of(series: &[(&str, &[(&str, &str)])], points: usize, tenant: Option<&str>) -> Record {
    let mut builder = BlockBuilder::new();
    builder.symbol("");
    for (metric, labels) in series {
        for (name, value) in labels.iter().chain(&[("__name__", *metric)]) {
            let (name, value) = (builder.symbol(name), builder.symbol(value));
            builder.label_refs([name, value]);
        }
        for at_ms in (0..).take(points) {
            builder.point(Point {
                at_ms,
                value: 1.0,
                start_ms: 0,
            });
        }
        builder.end_series();
    }
    Record {
        block: builder.build().unwrap(),
        source: Source {
            partition: 7,
            offset: 0,
            received_at_ms: 0,
        },
        tenant: tenant.map(Into::into),
        sender: None,
    }
}

/// Divides the name of a record.
fn divide(router: &mut Router, record: Record) {
    let now = Instant::now();
    let picks = router.picks(&record.block);
    let mut queue = LaneQueue::default();
    queue.push(Waiting::new(Arc::new(record), None), &picks, now);
    assert!(router.divide_largest(&queue, now).is_some());
}

/// The lane of each item.
fn lanes_of(router: &mut Router, record: &Record) -> Vec<(Pick, Lane)> {
    let picks = router.picks(&record.block);
    let mut lanes = Vec::new();
    router.route(record, &picks, |lane, picks| {
        lanes.extend(picks.iter().map(|pick| (pick.clone(), lane)));
    });
    assert_eq!(lanes.len(), picks.len());
    lanes.sort_by_key(|(pick, _)| (pick.series, pick.samples.start));
    lanes
}

#[test]
fn a_series_goes_to_the_same_lane_in_any_order_of_its_labels() {
    let mut router = router(1000);
    divide(&mut router, record(&[&[]], 1, Some("team-a")));
    let one = record(&[&[("a", "1"), ("b", "2")]], 1, Some("team-a"));
    let other = record(
        &[&[("c", "3")], &[("b", "2"), ("a", "1")]],
        1,
        Some("team-a"),
    );
    let lane = lanes_of(&mut router, &one)[0].1;
    assert_eq!(lanes_of(&mut router, &other)[1].1, lane);
}

#[test]
fn what_else_a_series_could_be_goes_elsewhere() {
    let mut router = router(1000);
    for tenant in [None, Some("team-a")] {
        divide(&mut router, record(&[&[]], 1, tenant));
    }
    let series: [&[(&str, &str)]; 3] = [
        &[("a", "1"), ("b", "2")],
        &[("a", "2"), ("b", "1")],
        &[("1", "a"), ("2", "b")],
    ];
    let mut lanes: Vec<Lane> = [None, Some("team-a")]
        .into_iter()
        .flat_map(|tenant| lanes_of(&mut router, &record(&series, 1, tenant)))
        .map(|(_, lane)| lane)
        .collect();
    lanes.sort();
    lanes.dedup();
    // One in a hundred runs has two that meet by chance, one in ten thousand three.
    assert!(lanes.len() >= 4, "{lanes:?}");
}

/// How many items each lane gets.
fn counts(router: &mut Router, record: &Record) -> [usize; 4] {
    let mut counts = [0; 4];
    for (_, lane) in lanes_of(router, record) {
        let Lane::Series(number) = lane else {
            panic!("{lane:?}")
        };
        counts[number] += 1;
    }
    counts
}

#[test]
fn a_name_has_one_lane_until_it_is_divided_and_again_when_it_is_united() {
    let mut router = router(4);
    let hosts: Vec<String> = (0..200).map(|host| format!("web-{host:03}")).collect();
    let labels: Vec<[(&str, &str); 1]> =
        hosts.iter().map(|host| [("host", host.as_str())]).collect();
    let series: Vec<&[(&str, &str)]> = labels.iter().map(<[_; 1]>::as_slice).collect();
    let record = |tenant| record(&series, 1, tenant);
    let whole = counts(&mut router, &record(None));
    assert_eq!(whole.iter().filter(|count| **count == 0).count(), 3);

    divide(&mut router, record(None));
    let divided = counts(&mut router, &record(None));
    assert!(divided.iter().all(|count| *count > 20), "{divided:?}");
    let other = counts(&mut router, &record(Some("team-a")));
    assert!(other.contains(&200), "{other:?}");

    let now = Instant::now();
    assert!(!router.unite(now));
    assert!(router.unite(now + DIVIDED_FOR));
    assert_eq!(counts(&mut router, &record(None)), whole);
}

#[test]
fn names_share_the_lanes() {
    let mut router = router(4);
    let mut sums = [0; 4];
    for name in 0..200 {
        let record = record_of(&[(&format!("metric_{name}"), &[])], 1, None);
        for (sum, count) in sums.iter_mut().zip(counts(&mut router, &record)) {
            *sum += count;
        }
    }
    assert!(sums.iter().all(|sum| *sum > 20), "{sums:?}");
}

#[test]
fn a_series_among_those_of_other_names_goes_where_its_name_goes() {
    let mut router = router(1000);
    let alone: Vec<Record> = ["a", "b", "c"]
        .map(|name| record_of(&[(name, &[("host", "web-01")])], 1, None))
        .into();
    let together = ["a", "b", "c"].map(|name| (name, &[("host", "web-01")] as &[_]));
    let together = record_of(&together, 1, None);
    for divided in 0..3 {
        let lanes = lanes_of(&mut router, &together);
        for (alone, (_, lane)) in alone.iter().zip(lanes) {
            assert_eq!(lanes_of(&mut router, alone)[0].1, lane, "{divided}");
        }
        divide(
            &mut router,
            record_of(&[(["a", "b", "c"][divided], &[])], 1, None),
        );
    }
}

#[test]
fn the_largest_name_is_divided_that_is_not_yet() {
    let mut router = router(4);
    let now = Instant::now();
    let mut queue = LaneQueue::default();
    for (name, points) in [("a", 2), ("b", 3), ("a", 2)] {
        let record = record_of(&[(name, &[])], points, None);
        let picks = router.picks(&record.block);
        queue.push(Waiting::new(Arc::new(record), None), &picks, now);
    }
    let mut largest = || Some(router.divide_largest(&queue, now)?.name.to_owned());
    assert_eq!(largest().as_deref(), Some("a"));
    assert_eq!(largest().as_deref(), Some("b"));
    assert_eq!(largest(), None);
}

#[test]
fn a_name_is_not_divided_for_what_others_have_in_its_lane() {
    let mut router = router(4);
    let now = Instant::now();
    let mut queue = LaneQueue::default();
    for name in ["a", "b", "c", "d", "e"] {
        let record = record_of(&[(name, &[])], 2, None);
        let picks = router.picks(&record.block);
        queue.push(Waiting::new(Arc::new(record), None), &picks, now);
    }
    assert!(router.divide_largest(&queue, now).is_none());
}

#[test]
fn of_a_record_with_several_names_only_one_that_the_lane_has_is_divided() {
    let mut router = router(4);
    let now = Instant::now();
    let record = record_of(&[("a", &[]), ("b", &[])], 1, None);
    let picks = router.picks(&record.block);
    let mut queue = LaneQueue::default();
    // The first name is another lane's.
    queue.push(Waiting::new(Arc::new(record), None), &picks[1..], now);
    assert_eq!(router.divide_largest(&queue, now).unwrap().name, "b");
    assert!(router.divide_largest(&queue, now).is_none());
}

#[test]
fn a_series_with_many_samples_is_several_items_of_one_lane() {
    let mut router = router(8);
    let lanes = lanes_of(&mut router, &record(&[&[("a", "1")]], 7, None));
    let samples: Vec<_> = lanes.iter().map(|(pick, _)| pick.samples.clone()).collect();
    assert_eq!(samples, [0..3, 3..6, 6..7]);
    assert!(lanes.iter().all(|(_, lane)| *lane == lanes[0].1));
}

#[test]
fn a_store_of_whole_records_has_a_lane_per_partition() {
    let mut router = Router::new(Lanes::ByPartition, BATCHING);
    let lanes = lanes_of(
        &mut router,
        &record(&[&[("a", "1")], &[("b", "2")]], 7, None),
    );
    assert!(
        lanes
            .iter()
            .all(|(pick, lane)| pick.len() == 7 && *lane == Lane::Partition(7))
    );
    assert_eq!(lanes.len(), 2);
}
