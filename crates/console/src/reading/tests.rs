//! The text of a registry, read whole and in pieces.

use std::io::Write;

use super::{Plain, Reader, Reading};

const TEXT: &str = r#"# HELP sluice_gateway_samples_accepted_total Samples.
# TYPE sluice_gateway_samples_accepted_total counter
sluice_gateway_samples_accepted_total{protocol="json"} 3
sluice_gateway_samples_accepted_total{protocol="otlp"} 4

sluice_gateway_samples_rejected_total{protocol="json",reason="value_missing"} 5
sluice_gateway_samples_rejected_total{protocol="otlp",reason="value_missing"} 6
sluice_gateway_requests_total{route="/metrics",method="POST",status="200"} 10
sluice_gateway_requests_total{route="/v1/metrics",method="POST",status="200"} 1
sluice_gateway_request_duration_seconds_bucket{route="/metrics",outcome="ok",le="0.1"} 8
sluice_gateway_request_duration_seconds_bucket{route="/metrics",outcome="ok",le="+Inf"} 10
sluice_gateway_mode{mode="drain"} 0
sluice_gateway_mode{mode="normal"} 1
sluice_gateway_partition_bytes_total{partition="2"} 70
sluice_spool_bytes 12
sluice_consumer_samples_skipped_total{store="main",reason="returned"} 2
sluice_consumer_samples_skipped_total{store="main",reason="not_finite"} 3
sluice_consumer_samples_consumed_total{store="main"} 20
sluice_consumer_samples_written_total{store="main"} 11
sluice_consumer_lag_records{store="main",partition="0"} 4
sluice_consumer_lag_seconds{store="main",partition="0"} 1.5
sluice_consumer_headroom_seconds{store="main",partition="0"} 100
sluice_consumer_lag_records{store="main",partition="1"} 0
sluice_consumer_lag_seconds{store="main",partition="1"} 0
sluice_consumer_headroom_seconds{store="main",partition="1"} NaN
process_cpu_seconds_total 4
"#;

fn read(pieces: &[&[u8]]) -> Reading {
    let mut reader = Reader::default();
    for piece in pieces {
        reader.write_all(piece).unwrap();
    }
    reader.finish()
}

#[test]
fn what_the_console_shows_is_read_from_the_text() {
    let reading = read(&[TEXT.as_bytes()]);
    assert_eq!(reading.accepted_samples(), 7);
    assert_eq!(reading.refusals["value_missing"], 11);
    assert_eq!(reading.rejected["otlp"], 6);
    assert_eq!(reading.statuses["200"], 11);
    assert!(reading.duration.quantile(0.5).unwrap() > 0.0);
    assert_eq!(reading.mode.as_deref(), Some("normal"));
    assert_eq!(reading.partition_bytes, [0.0, 0.0, 70.0]);
    assert_eq!(reading.plain(Plain::SpoolBytes), Some(12.0));
    assert_eq!(reading.plain(Plain::LogBytes), None);
    let main = &reading.stores["main"];
    assert_eq!((main.consumed_once(), main.in_memory()), (18, 4));
}

#[test]
fn a_partition_that_another_process_reads_is_not_here() {
    let reading = read(&[TEXT.as_bytes()]);
    let here: Vec<usize> = reading.stores["main"].here().map(|(at, _)| at).collect();
    assert_eq!(here, [0]);
}

#[test]
fn it_does_not_matter_where_the_text_is_cut() {
    let whole = format!("{:?}", read(&[TEXT.as_bytes()]));
    for size in [1, 7, 64, 1000] {
        let pieces: Vec<&[u8]> = TEXT.as_bytes().chunks(size).collect();
        assert_eq!(format!("{:?}", read(&pieces)), whole, "pieces of {size}");
    }
}

#[test]
fn a_text_that_is_none_is_read_as_nothing() {
    let text = b"sluice_gateway_mode{ 1\n\xff\xfe\nsluice_consumer_lag_records{store=\"\",partition=\"99999999\"} 1\n{\n";
    let reading = read(&[text]);
    assert!(reading.mode.is_none());
    assert!(
        reading
            .stores
            .values()
            .all(|store| store.partitions.is_empty())
    );
}

#[test]
fn the_table_is_sorted_so_that_names_are_found() {
    for name in super::names_read() {
        let name = name.strip_prefix("sluice_").unwrap().to_owned();
        let ends = ["", "_bucket", "_sum"];
        assert!(
            ends.iter()
                .any(|end| super::what(&format!("{name}{end}")).is_some()),
            "{name}"
        );
    }
}
