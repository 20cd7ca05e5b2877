//! A snapshot of two readings: rates, lists, lags, and what is absent.

use std::io::Write as _;

use super::{Between, Marks};
use crate::reading::{Reader, Reading};
use crate::shapes::StoreState;
use crate::watched::Watched;

fn reading(text: &str) -> Reading {
    let mut reader = Reader::default();
    reader.write_all(text.as_bytes()).unwrap();
    reader.finish()
}

const BEFORE: &str = r#"sluice_gateway_samples_received_total{protocol="json"} 100
sluice_gateway_samples_accepted_total{protocol="json"} 90
sluice_gateway_samples_rejected_total{protocol="json",reason="value_missing"} 10
sluice_gateway_requests_total{route="/metrics",method="POST",status="200"} 5
sluice_gateway_records_total{outcome="confirmed"} 10
sluice_gateway_record_bytes_sum 1000
sluice_gateway_record_samples_sum 90
sluice_gateway_partition_bytes_total{partition="0"} 500
sluice_consumer_samples_written_total{store="main"} 50
"#;

const NOW: &str = r#"sluice_gateway_samples_received_total{protocol="json"} 300
sluice_gateway_samples_accepted_total{protocol="json"} 280
sluice_gateway_samples_rejected_total{protocol="json",reason="value_missing"} 20
sluice_gateway_samples_received_total{protocol="otlp"} 1000
sluice_gateway_samples_accepted_total{protocol="otlp"} 1000
sluice_gateway_samples_sent_by_tenant_total{tenant="a"} 40
sluice_gateway_requests_total{route="/metrics",method="POST",status="200"} 15
sluice_gateway_requests_total{route="/metrics",method="POST",status="400"} 2
sluice_gateway_records_total{outcome="confirmed"} 30
sluice_gateway_record_bytes_sum 5000
sluice_gateway_record_samples_sum 1280
sluice_gateway_in_flight_bytes 7
sluice_gateway_in_flight_limit_bytes 1024
sluice_gateway_partition_bytes_total{partition="0"} 700
sluice_gateway_partition_bytes_total{partition="1"} 100
sluice_kafka_queue_bytes 5
sluice_kafka_queue_limit_bytes 10
sluice_log_records_bytes 5
sluice_log_limit_bytes 10
sluice_consumer_samples_written_total{store="main"} 150
sluice_consumer_lag_records{store="main",partition="1"} 8
sluice_consumer_lag_seconds{store="main",partition="1"} 2.5
sluice_consumer_headroom_seconds{store="main",partition="1"} 97.5
sluice_consumer_lag_records{store="main",partition="0"} 0
sluice_consumer_lag_seconds{store="main",partition="0"} 0
sluice_consumer_headroom_seconds{store="main",partition="0"} NaN
"#;

fn between<T>(then: impl FnOnce(Between<'_>) -> T) -> T {
    let (before, now) = (reading(BEFORE), reading(NOW));
    let minute_ago = Marks::of(&before);
    then(Between {
        now: &now,
        before: Some(&before),
        minute_ago: &minute_ago,
        seconds: 2.0,
    })
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 0.001, "{found}, not {expected}");
}

#[test]
fn rates_are_over_the_time_between_two_readings() {
    let gateway = between(|between| between.gateway());
    near(gateway.samples.received_per_s, 600.0);
    near(gateway.samples.rejected_per_s, 5.0);
    near(gateway.requests.per_s, 6.0);
    near(gateway.records.bytes_per_s, 2000.0);
    // One that was not there before began at nothing.
    assert_eq!(gateway.protocols[0].protocol, "otlp");
    near(gateway.protocols[0].samples.accepted_per_s, 500.0);
    near(gateway.tenants[0].samples_per_s, 20.0);
    near(gateway.refusals[0].samples_per_s, 5.0);
    assert_eq!(gateway.samples.accepted, 1280);
}

#[test]
fn means_are_of_what_came_in_the_minute() {
    let records = between(|between| between.gateway()).records;
    near(records.bytes_per_sample.unwrap(), 3.361);
    near(records.samples_per_record.unwrap(), 59.5);
}

#[test]
fn the_first_reading_has_no_rates() {
    let now = reading(NOW);
    let minute_ago = Marks::of(&now);
    let first = Between {
        now: &now,
        before: None,
        minute_ago: &minute_ago,
        seconds: 3.0,
    };
    let gateway = first.gateway();
    near(gateway.samples.received_per_s, 0.0);
    assert!(gateway.records.bytes_per_sample.is_none());
    near(first.partitions(true).unwrap().bytes_per_s.unwrap()[0], 0.0);
}

#[test]
fn a_partition_that_is_read_elsewhere_has_no_lag_here() {
    let partitions = between(|between| between.partitions(true)).unwrap();
    assert_eq!(partitions.count, 2);
    assert_eq!(partitions.bytes_per_s, Some(vec![100.0, 50.0]));
    let main = &partitions.stores.unwrap()[0];
    assert_eq!(main.lag_records, [None, Some(8.0)]);
    assert_eq!(main.headroom_s, [None, Some(97.5)]);
}

#[test]
fn a_store_has_the_worst_of_its_partitions_and_says_how_it_is() {
    let watched = Watched::new("influx".to_owned());
    let store = between(|between| between.store("main", &watched));
    assert_eq!((store.state, store.partitions), (StoreState::Ok, 1));
    assert_eq!((store.lag_records, store.lag_s), (8, Some(2.5)));
    near(store.written_per_s, 50.0);
    watched.failed(1000, true, "connection refused");
    let store = between(|between| between.store("main", &watched));
    assert_eq!(store.state, StoreState::Retrying);
    assert_eq!(store.last_error.unwrap().message, "connection refused");
    let unknown = between(|between| between.store("other", &watched));
    assert_eq!(unknown.state, StoreState::Starting);
}

#[test]
fn only_the_buffer_that_there_is_is_shown() {
    let kafka = between(|between| between.buffer("kafka", 60.0));
    assert!(kafka.queue.is_some() && kafka.log.is_none() && kafka.spool.is_none());
    let local = between(|between| between.buffer("local", 60.0));
    near(local.log.unwrap().used_bytes, 5.0);
}
