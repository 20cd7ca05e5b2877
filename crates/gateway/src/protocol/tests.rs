//! The same batch through every protocol: the same series with the same values, times and types.

use std::collections::BTreeMap;

use axum::body::Body;
use buffer::Record;
use codec::wire::{v1, v2};
use http::Request;
use prost::Message as _;

use crate::config::{Config, Listen, StatsdConfig};
use crate::fake::{FakeBuffer, NOW_MS, Server, Then};
use crate::pushgateway::fake::Pushed;

pub(crate) type Labels = BTreeMap<String, String>;

/// Name, labels, Unix milliseconds, value as its bits.
pub(crate) type Row = (String, Labels, i64, u64);

/// One way to send the batch.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) request: Request<Body>,
    pub(crate) status: u16,
}

fn case(
    name: &'static str,
    status: u16,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Case {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Case {
        name,
        request: request.body(body.into()).unwrap(),
        status,
    }
}

const NAMES: [(&str, f64); 2] = [("requests_total", 1027.0), ("room_temperature", 21.5)];

/// What every protocol must come to.
pub(crate) fn expected() -> Vec<Row> {
    let labels: Labels = [("host", "web-01"), ("zone", "eu")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let row =
        |(name, value): (&str, f64)| (name.to_owned(), labels.clone(), NOW_MS, value.to_bits());
    NAMES.map(row).to_vec()
}

/// What the records hold of those names; what a protocol says besides is its own.
fn rows(records: &[Record]) -> Vec<Row> {
    let mut rows = Vec::new();
    for record in records {
        let content_type = record.content_type.as_str().as_bytes();
        let block = codec::record::decode(Some(content_type), &record.value).unwrap();
        for series in block.iter() {
            let mut labels: Labels = series
                .labels()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let name = labels.remove("__name__").unwrap();
            assert_eq!(name.as_bytes(), record.key);
            if !NAMES.iter().any(|(expected, _)| *expected == name) {
                continue;
            }
            for point in series.points() {
                rows.push((
                    name.clone(),
                    labels.clone(),
                    point.at_ms,
                    point.value.to_bits(),
                ));
            }
        }
    }
    rows.sort();
    rows
}

fn remote_write_1() -> Vec<u8> {
    let label = |name: &str, value: &str| v1::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let timeseries = NAMES.map(|(name, value)| v1::TimeSeries {
        labels: vec![
            label("__name__", name),
            label("host", "web-01"),
            label("zone", "eu"),
        ],
        samples: vec![v1::Sample {
            value,
            timestamp: NOW_MS,
        }],
        ..v1::TimeSeries::default()
    });
    let request = v1::WriteRequest {
        timeseries: timeseries.into(),
        metadata: Vec::new(),
    };
    codec::snappy::compress(&request.encode_to_vec())
}

fn remote_write_2() -> Vec<u8> {
    let symbols = [
        "", "__name__", NAMES[0].0, NAMES[1].0, "host", "web-01", "zone", "eu",
    ];
    let timeseries = NAMES
        .iter()
        .zip(2..)
        .map(|((_, value), name)| v2::TimeSeries {
            labels_refs: vec![1, name, 4, 5, 6, 7],
            samples: vec![v2::Sample {
                value: *value,
                timestamp: NOW_MS,
                start_timestamp: 0,
            }],
            ..v2::TimeSeries::default()
        });
    let request = v2::Request {
        symbols: symbols.map(str::to_owned).into(),
        timeseries: timeseries.collect(),
    };
    codec::snappy::compress(&request.encode_to_vec())
}

const JSON: &str = r#"{"metrics":[
    {"metric_name":"requests_total","timestamp":1700000000000,"value":1027,"labels":{"host":"web-01","zone":"eu"}},
    {"metric_name":"room_temperature","timestamp":1700000000000,"value":21.5,"labels":{"zone":"eu","host":"web-01"}}]}"#;

const OTLP: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
    {"name":"requests","sum":{"isMonotonic":true,"aggregationTemporality":2,"dataPoints":[
        {"timeUnixNano":"1700000000000000000","asInt":"1027","attributes":[
            {"key":"host","value":{"stringValue":"web-01"}},{"key":"zone","value":{"stringValue":"eu"}}]}]}},
    {"name":"room.temperature","gauge":{"dataPoints":[
        {"timeUnixNano":"1700000000000000000","asDouble":21.5,"attributes":[
            {"key":"host","value":{"stringValue":"web-01"}},{"key":"zone","value":{"stringValue":"eu"}}]}]}}
    ]}]}]}"#;

const INFLUX: &str = "requests,host=web-01,zone=eu total=1027i 1700000000000000000\n\
                      room,zone=eu,host=web-01 temperature=21.5 1700000000000000000\n";

const TEXT: &str = "# TYPE requests_total counter\n\
                    requests_total{host=\"web-01\",zone=\"eu\"} 1027 1700000000000\n\
                    room_temperature{zone=\"eu\",host=\"web-01\"} 21.5 1700000000000\n";

const OPEN_METRICS: &str = "# TYPE requests counter\n\
                            requests_total{host=\"web-01\",zone=\"eu\"} 1027 1700000000\n\
                            # TYPE room_temperature gauge\n\
                            room_temperature{host=\"web-01\",zone=\"eu\"} 21.5 1700000000\n\
                            # EOF\n";

const VICTORIA: &str = r#"{"metric":{"__name__":"requests_total","host":"web-01","zone":"eu"},"values":[1027],"timestamps":[1700000000000]}
{"metric":{"__name__":"room_temperature","zone":"eu","host":"web-01"},"values":[21.5],"timestamps":[1700000000000]}"#;

const OPEN_TSDB: &str = r#"[
    {"metric":"requests_total","timestamp":1700000000,"value":1027,"tags":{"host":"web-01","zone":"eu"}},
    {"metric":"room_temperature","timestamp":1700000000000,"value":"21.5","tags":{"host":"web-01","zone":"eu"}}]"#;

const DATADOG_1: &str = r#"{"series":[
    {"metric":"requests_total","type":"gauge","host":"web-01","tags":["zone:eu"],"points":[[1700000000,1027]]},
    {"metric":"room_temperature","type":"gauge","host":"web-01","tags":["zone:eu"],"points":[[1700000000,21.5]]}]}"#;

const DATADOG_2: &str = r#"{"series":[
    {"metric":"requests_total","type":3,"resources":[{"type":"host","name":"web-01"}],"tags":["zone:eu"],
     "points":[{"timestamp":1700000000,"value":1027}]},
    {"metric":"room_temperature","type":3,"resources":[{"type":"host","name":"web-01"}],"tags":["zone:eu"],
     "points":[{"timestamp":1700000000,"value":21.5}]}]}"#;

const STATSD: &str = "requests_total:1027|g|#host:web-01,zone:eu|T1700000000\n\
                      room_temperature:21.5|g|#zone:eu,host:web-01|T1700000000\n";

pub(crate) fn cases() -> Vec<Case> {
    let json = [("content-type", "application/json")];
    let protobuf = [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
    ];
    let version_2 = [
        (
            "content-type",
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        ),
        ("content-encoding", "snappy"),
    ];
    let open_metrics = [(
        "content-type",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    )];
    vec![
        case("JSON", 200, "/metrics", &json, JSON),
        case(
            "remote write 1.0",
            204,
            "/api/v1/write",
            &protobuf,
            remote_write_1(),
        ),
        case(
            "remote write 2.0",
            204,
            "/api/v1/write",
            &version_2,
            remote_write_2(),
        ),
        case("OTLP", 200, "/v1/metrics", &json, OTLP),
        case("InfluxDB 1", 204, "/write?db=x", &[], INFLUX),
        case(
            "InfluxDB 2",
            204,
            "/api/v2/write?bucket=x&org=y",
            &[],
            INFLUX,
        ),
        case("InfluxDB 3", 204, "/api/v3/write_lp?db=x", &[], INFLUX),
        case("text", 204, "/api/v1/import/prometheus", &[], TEXT),
        case(
            "OpenMetrics",
            204,
            "/api/v1/import/prometheus",
            &open_metrics,
            OPEN_METRICS,
        ),
        case("VictoriaMetrics", 204, "/api/v1/import", &[], VICTORIA),
        case("OpenTSDB", 204, "/api/put", &json, OPEN_TSDB),
        case("Datadog 1", 202, "/api/v1/series", &json, DATADOG_1),
        case("Datadog 2", 202, "/api/v2/series", &json, DATADOG_2),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_the_same_series_and_values_through_every_protocol() {
    let mut config = Config::default();
    // InfluxDB's senders name a database, which becomes a label unless this says otherwise.
    config.influx.database_label = String::new();
    for case in cases() {
        let server = Server::start(&config, FakeBuffer::default());
        let answer = server.send(case.request).await;
        assert_eq!(answer.status, case.status, "{}: {answer:?}", case.name);
        assert_eq!(
            rows(&server.buffer.confirmed()),
            expected(),
            "{}",
            case.name
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_protocol_says_of_each_answer_where_the_weakest_kept_record_is() {
    for case in cases() {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        // One of the request's two records goes to the spool.
        server.buffer.next.lock().unwrap().push_back(Then::Spool);
        let answer = server.send(case.request).await;
        let found = (answer.status.as_u16(), answer.header("sluice-durability"));
        assert_eq!(found, (case.status, Some("spool")), "{}", case.name);
    }
    for case in cases() {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let answer = server.send(case.request).await;
        let found = (answer.status.as_u16(), answer.header("sluice-durability"));
        assert_eq!(found, (case.status, Some("local")), "{}", case.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_of_a_batch_job_says_that_it_is_in_the_spool() {
    let gateway = Pushed::start();
    gateway.buffer.next.lock().unwrap().push_back(Then::Spool);
    let answer = gateway.ask("PUT", "/metrics/job/shop", TEXT).await;
    assert_eq!(answer.header("sluice-durability"), Some("spool"));
    let answer = gateway.ask("PUT", "/metrics/job/shop", TEXT).await;
    assert_eq!(answer.header("sluice-durability"), Some("local"));
}

#[tokio::test(start_paused = true)]
async fn a_push_of_a_batch_job_is_that_batch_in_its_group() {
    let gateway = Pushed::start();
    gateway.expect(200, "PUT", "/metrics/job/shop", TEXT).await;
    let mut rows = rows(&gateway.buffer.confirmed());
    for (_, labels, ..) in &mut rows {
        assert_eq!(labels.remove("job").as_deref(), Some("shop"));
    }
    assert_eq!(rows, expected());
}

#[tokio::test]
async fn lines_of_statsd_with_a_time_are_that_batch() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let config = StatsdConfig {
        listen: Listen::At(([127, 0, 0, 1], 0).into()),
        ..StatsdConfig::default()
    };
    let statsd = server
        .gateway
        .statsd(&config, "gw-1".to_owned(), &server.tasks)
        .await
        .unwrap();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(statsd.udp.unwrap()).await.unwrap();
    socket.send(STATSD.as_bytes()).await.unwrap();
    // What has come is read before the sockets are closed.
    assert!(statsd.stop(std::time::Duration::from_secs(10)).await);
    assert_eq!(rows(&server.buffer.confirmed()), expected());
}
