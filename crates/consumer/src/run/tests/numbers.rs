//! What the metrics say.

use ::metrics::with_local_recorder;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::*;
use crate::fake::{RETENTION, poison};
use crate::metrics;

/// Values by `name{label values}`.
fn numbers(recorder: &DebuggingRecorder) -> BTreeMap<String, f64> {
    let snapshot = recorder.snapshotter().snapshot().into_vec();
    let values = snapshot.into_iter().filter_map(|(key, _, _, value)| {
        let key = key.key();
        let labels: Vec<&str> = key.labels().map(::metrics::Label::value).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        match value {
            DebugValue::Counter(count) => Some((name, count as f64)),
            DebugValue::Gauge(value) => Some((name, value.into_inner())),
            DebugValue::Histogram(_) => None,
        }
    });
    values.collect()
}

fn check(numbers: &BTreeMap<String, f64>, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        let found = numbers.get(&format!("sluice_consumer_{name}"));
        let equal = found.is_some_and(|found| (found - value).abs() < 1e-6);
        assert!(equal, "{name} is {found:?}, not {value}: {numbers:#?}");
    }
}

fn measured<F>(test: impl FnOnce() -> F) -> BTreeMap<String, f64>
where
    F: Future<Output = ()>,
{
    let recorder = DebuggingRecorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    with_local_recorder(&recorder, || runtime.block_on(test()));
    numbers(&recorder)
}

#[test]
fn the_ledger_balances() {
    let numbers = measured(|| async {
        let setup = Setup::new(by_series(1), |batch, attempt| match attempt {
            0 => Answer::Retry(None),
            1 => Answer::Retry(Some(Duration::from_secs(1))),
            _ if batch.items.iter().any(|item| item.source.offset == 1) => Answer::Refuse("bad"),
            _ => Answer::Take,
        });
        let report = setup.run(|world| async move {
            world.assign(0, 0);
            world.event(records([
                record(0, 0, &[("a", &[1, 2, 3])]),
                record(0, 1, &[("b", &[1])]),
                poison(0, 2),
            ]));
            world.event(Event::Expired {
                partition: 0,
                from: 3,
                to: 10,
            });
            world.until("commit", all_committed(&[(0, 10)])).await;
            world.event(Event::Lost {
                partitions: vec![0],
            });
        });
        report.await.unwrap();
    });
    check(
        &numbers,
        &[
            ("samples_consumed_total{main}", 4.0),
            ("samples_written_total{main}", 3.0),
            ("samples_dead_lettered_total{main,bad}", 1.0),
            ("records_dead_lettered_total{main,protobuf_invalid}", 1.0),
            ("records_expired_total{main,0}", 7.0),
            ("retries_total{main,unavailable}", 1.0),
            ("retries_total{main,asked_to_wait}", 1.0),
        ],
    );
}

#[test]
fn lag_and_headroom_follow_the_oldest_record_that_is_not_written() {
    let numbers = measured(|| async {
        let mut setup = Setup::new(by_series(1), |_, _| Answer::Retry(None));
        setup.config.shutdown_timeout = Period::millis(1);
        // Records say that they were received at 1_700_000_000_000 plus their offset.
        let clock = Arc::clone(&setup.clock);
        clock.set(1_700_000_060_000);
        let stopping = setup.run(|world| async move {
            world.assign(0, 0);
            world.event(records(
                (0..4).map(|offset| record(0, offset, &[("a", &[offset])])),
            ));
            tokio::time::sleep(Duration::from_secs(10)).await;
        });
        // Cut off in the middle, so that the gauges stay as they are.
        assert!(
            tokio::time::timeout(Duration::from_secs(9), stopping)
                .await
                .is_err()
        );
    });
    check(
        &numbers,
        &[
            ("lag_records{main,0}", 4.0),
            ("lag_seconds{main,0}", 60.0),
            ("headroom_seconds{main,0}", RETENTION.as_secs_f64() - 60.0),
            ("paused{main}", 0.0),
        ],
    );
    assert!(numbers["sluice_consumer_buffered_bytes{main}"] > 100.0);
}

#[test]
fn a_partition_that_goes_leaves_no_lag_behind() {
    let numbers = measured(|| async {
        let mut setup = Setup::new(by_series(1), |_, _| Answer::Retry(None));
        setup.config.shutdown_timeout = Period::millis(1);
        let report = setup.run(|world| async move {
            world.assign(0, 0);
            world.event(records([record(0, 0, &[("a", &[1])])]));
            tokio::time::sleep(Duration::from_secs(5)).await;
            world.event(Event::Lost {
                partitions: vec![0],
            });
            tokio::time::sleep(Duration::from_secs(5)).await;
        });
        report.await.unwrap();
    });
    check(
        &numbers,
        &[
            ("lag_records{main,0}", 0.0),
            ("lag_seconds{main,0}", 0.0),
            ("samples_skipped_total{main,returned}", 1.0),
        ],
    );
    assert!(numbers["sluice_consumer_headroom_seconds{main,0}"].is_nan());
}

#[test]
fn every_metric_that_is_counted_is_in_the_catalogue() {
    let numbers = measured(|| async {
        let setup = Setup::new(by_series(1), |_, _| Answer::Take);
        let report = setup.run(|world| async move {
            world.assign(0, 0);
            world.event(records([record(0, 0, &[("a", &[1])])]));
            world.until("commit", all_committed(&[(0, 1)])).await;
        });
        report.await.unwrap();
    });
    assert!(!numbers.is_empty());
    for name in numbers.keys() {
        let name = name.split('{').next().unwrap();
        let known = metrics::CATALOGUE.iter().any(|metric| metric.name == name);
        assert!(known, "{name} is not in the catalogue");
    }
}
