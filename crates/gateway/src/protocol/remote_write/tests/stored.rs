//! What the buffer gets.

use codec::wire::v1::{BucketSpan, Count, Histogram};
use model::MetricType;

use super::*;
use crate::RecordFormat;

fn request(record: &buffer::Record) -> v2::Request {
    v2::Request::decode(record.value.clone()).unwrap()
}

#[tokio::test]
async fn types_units_start_times_histograms_and_exemplars_are_in_the_records() {
    let server = server();
    let headers = [SNAPPY, ("content-type", V2)];
    send(&server, &headers, compress(&v2_body(false))).await;
    let mut records = server.buffer.confirmed();
    records.sort_by_key(|record| record.key.clone());
    let [latency, up] = [request(&records[0]), request(&records[1])];
    assert_eq!(records[1].key, "up");
    let series = &up.timeseries[0];
    assert_eq!(series.metadata.unwrap().r#type, MetricType::Gauge.wire());
    assert_eq!(
        (series.samples[0].value, series.samples[0].start_timestamp),
        (1.0, NOW_MS - 1000)
    );
    let series = &latency.timeseries[0];
    assert_eq!(series.histograms[0].timestamp, NOW_MS);
    assert_eq!(series.exemplars[0].value.to_bits(), 0.5_f64.to_bits());
}

#[tokio::test]
async fn metadata_describes_the_series_that_come_later_by_any_protocol() {
    let server = server();
    send(&server, &[SNAPPY], compress(&metadata("latency", 3))).await;
    send(
        &server,
        &[SNAPPY],
        compress(&body(vec![
            series("latency_sum", 1.0),
            series("other", 1.0),
        ])),
    )
    .await;
    let json = crate::fake::batch(&[crate::fake::sample("latency_count", NOW_MS, 1.0, "a")]);
    assert_eq!(server.post(json).await.status, 200);
    let mut found: Vec<(String, u32, bool)> = server
        .buffer
        .confirmed()
        .iter()
        .map(|record| {
            let request = request(record);
            let metadata = request.timeseries[0].metadata.unwrap_or_default();
            let key = String::from_utf8(record.key.to_vec()).unwrap();
            let help = request.symbols.iter().any(|text| text == "What it is.");
            (key, metadata.r#type, help)
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            ("latency_count".to_owned(), 3, true),
            ("latency_sum".to_owned(), 3, true),
            ("other".to_owned(), 0, false)
        ]
    );
}

fn histogram() -> Histogram {
    Histogram {
        count: Some(Count::CountInt(3)),
        sum: 1.5,
        positive_spans: vec![BucketSpan {
            offset: 1,
            length: 1,
        }],
        positive_deltas: vec![3],
        timestamp: NOW_MS,
        ..Histogram::default()
    }
}

#[tokio::test]
async fn a_native_histogram_is_one_json_record_where_records_are_json() {
    let config = Config {
        record_format: RecordFormat::Json,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    let native = |labels| v1::TimeSeries {
        labels,
        histograms: vec![histogram()],
        ..v1::TimeSeries::default()
    };
    let good = native(vec![label("__name__", "latency"), label("host", "a")]);
    let reserved = native(vec![label("__name__", "latency"), label("le", "1")]);
    let answer = send(&server, &[SNAPPY], compress(&body(vec![good, reserved]))).await;
    assert_eq!(
        answer.text(),
        "1 of 2 samples were refused and the others stored: 1 label_name_invalid; the first is sample 1 \
         (\"latency\"): label \"le\" is reserved on a histogram with buffer.record_format: json\n"
    );
    let records = server.buffer.confirmed();
    let [record] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(record.key, "latency");
    assert_eq!(
        std::str::from_utf8(&record.value).unwrap(),
        r#"{"metric_name":"latency","timestamp":1700000000000,"value":{"buckets":{"1.0":0,"2.0":3,"+Inf":3},"sum":1.5,"count":3},"labels":{"host":"a"},"type":"histogram"}"#
    );
}
