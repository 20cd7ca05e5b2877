//! A series keeps its lane whatever record it comes in, and lanes share the series.

use std::num::NonZeroUsize;
use std::time::Duration;

use model::{BlockBuilder, Point};
use store::Source;

use super::*;

const BATCHING: Batching = Batching {
    max_samples: 3,
    max_bytes: 1 << 20,
    max_age: Duration::from_secs(1),
};

fn router(lanes: usize) -> Router {
    Router::new(Lanes::BySeries(NonZeroUsize::new(lanes).unwrap()), BATCHING)
}

/// A record with these series, each of so many points.
fn record(series: &[&[(&str, &str)]], points: usize, tenant: Option<&str>) -> Record {
    let mut builder = BlockBuilder::new();
    builder.symbol("");
    for labels in series {
        for (name, value) in labels.iter().chain(&[("__name__", "up")]) {
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

/// The lane of each item.
fn lanes_of(router: &mut Router, record: &Record) -> Vec<(Pick, Lane)> {
    let picks = router.picks(&record.block);
    let mut lanes = Vec::new();
    router.spread(record, &picks, |lane, picks| {
        lanes.extend(picks.iter().map(|pick| (pick.clone(), lane)));
    });
    assert_eq!(lanes.len(), picks.len());
    lanes.sort_by_key(|(pick, _)| (pick.series, pick.samples.start));
    lanes
}

#[test]
fn a_series_goes_to_the_same_lane_in_any_order_of_its_labels() {
    let mut router = router(1000);
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

#[test]
fn all_lanes_get_something() {
    let mut router = router(4);
    let hosts: Vec<String> = (0..200).map(|host| format!("web-{host:03}")).collect();
    let labels: Vec<[(&str, &str); 1]> =
        hosts.iter().map(|host| [("host", host.as_str())]).collect();
    let series: Vec<&[(&str, &str)]> = labels.iter().map(<[_; 1]>::as_slice).collect();
    let mut counts = [0; 4];
    for (_, lane) in lanes_of(&mut router, &record(&series, 1, None)) {
        let Lane::Series(number) = lane else {
            panic!("{lane:?}")
        };
        counts[number] += 1;
    }
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
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
