//! The series of a name that is spread: each in one partition and in order, also when that changes.

use std::collections::BTreeMap;

use service::live::Live;

use super::*;
use crate::coalesce::Common;
use crate::spread::Plan;
use crate::spread::tests::config;

fn start_spread(format: RecordFormat, plan: &Live<Plan>) -> Fixture {
    let buffer = Arc::new(FakeBuffer::default());
    let tasks = Tasks::new();
    let common = Common {
        hasher: RandomState::default(),
        plan: plan.clone(),
        heat: None,
    };
    Fixture {
        coalescer: Coalescer::start(&window(0), format, &buffer, &tasks, common),
        buffer,
        _tasks: tasks,
    }
}

/// Rounds of a sample of each of 20 hosts, of a name that is spread and of one that is not.
fn round(number: u32) -> Vec<Plain> {
    let value = |host: u8| f64::from(number * 100 + u32::from(host));
    (0..20)
        .flat_map(|host| [(1, host, value(host)), (2, host, value(host))])
        .collect()
}

/// The lane of each sample of a name, by host, in the order of the records.
fn lanes(fixture: &Fixture, metric: u8) -> BTreeMap<u8, Vec<(u32, f64)>> {
    let mut lanes: BTreeMap<u8, Vec<(u32, f64)>> = BTreeMap::new();
    for record in fixture.buffer.confirmed() {
        for (found, host, value) in read(&record) {
            if found == metric {
                let lane = record.spread.lane;
                lanes.entry(host).or_default().push((lane, value));
            }
        }
    }
    lanes
}

async fn each_series_has_one_lane(format: RecordFormat) {
    let plan = Plan::of(&config(&[("metric_1", "4")]), Duration::ZERO);
    let fixture = start_spread(format, &Live::new(plan));
    for number in 0..5 {
        fixture.add(&round(number), None).await.unwrap();
    }
    let spread = lanes(&fixture, 1);
    let mut used: Vec<u32> = spread.values().map(|places| places[0].0).collect();
    for (host, places) in &spread {
        assert!(places.iter().all(|place| place.0 == places[0].0), "{host}");
        assert!(places.is_sorted_by(|a, b| a.1 < b.1), "{host}");
        assert_eq!(places.len(), 5);
    }
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, [0, 1, 2, 3], "20 hosts are in all of 4 lanes");
    let plain = lanes(&fixture, 2);
    assert!(plain.values().flatten().all(|place| place.0 == 0));
    assert_eq!(plain.values().map(Vec::len).sum::<usize>(), 100);
}

#[tokio::test(start_paused = true)]
async fn each_series_of_a_spread_name_is_in_one_lane_and_in_order() {
    each_series_has_one_lane(RecordFormat::Protobuf).await;
}

#[tokio::test(start_paused = true)]
async fn records_of_single_samples_are_spread_alike() {
    each_series_has_one_lane(RecordFormat::Json).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_spread_changes_every_sample_is_there_once_and_says_what_was_before_it() {
    let plan = Live::new(Plan::default());
    let fixture = start_spread(RecordFormat::Protobuf, &plan);
    let mut expected = BTreeMap::<u8, Vec<f64>>::new();
    for (number, spread) in (0..).zip(["1", "4", "2", "8", "1"]) {
        plan.replace(plan.keep().next(&config(&[("metric_1", spread)]), NOW_MS));
        for round_number in [2 * number, 2 * number + 1] {
            fixture.add(&round(round_number), None).await.unwrap();
            for (metric, host, value) in round(round_number) {
                if metric == 1 {
                    expected.entry(host).or_default().push(value);
                }
            }
        }
    }
    let found = lanes(&fixture, 1);
    for (host, values) in &expected {
        let values: Vec<f64> = values.clone();
        let places: Vec<f64> = found[host].iter().map(|place| place.1).collect();
        assert_eq!(places, values, "{host}");
    }
    // A series that is elsewhere than before says so: a reader waits for where it was.
    let mut before = BTreeMap::<u8, u32>::new();
    for record in fixture.buffer.confirmed() {
        for (metric, host, _) in read(&record) {
            let lane = record.spread.lane;
            let was = before.insert(host, lane).filter(|_| metric == 1);
            if let Some(was) = was
                && was != lane
            {
                let moved = record.spread.moved.expect("it has moved");
                assert!(moved.sources(lane).any(|source| source == was));
            }
            if metric != 1 {
                before.remove(&host);
            }
        }
    }
}
