//! Messages and files, made by the encoders that there are.

use codec::wire::{v1, v2};
use prost::Message as _;

use super::owned;

const NOW_MS: i64 = 1_700_000_000_000;

fn native() -> v1::Histogram {
    v1::Histogram {
        sum: 12.5,
        schema: 2,
        zero_threshold: 1e-9,
        positive_spans: vec![v1::BucketSpan {
            offset: 1,
            length: 2,
        }],
        positive_deltas: vec![3, -1],
        negative_spans: vec![v1::BucketSpan {
            offset: 0,
            length: 1,
        }],
        negative_deltas: vec![1],
        timestamp: NOW_MS,
        ..v1::Histogram::default()
    }
}

pub(crate) fn remote_write() -> Vec<Vec<u8>> {
    let label = |name: &str, value: &str| v1::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let one = v1::WriteRequest {
        timeseries: vec![v1::TimeSeries {
            labels: vec![label("__name__", "up"), label("host", "web-01")],
            samples: vec![v1::Sample {
                value: 1.0,
                timestamp: NOW_MS,
            }],
            exemplars: vec![v1::Exemplar {
                labels: vec![label("trace_id", "a")],
                value: 0.5,
                timestamp: NOW_MS,
            }],
            histograms: vec![native()],
        }],
        metadata: vec![v1::MetricMetadata {
            r#type: 1,
            metric_family_name: "up".to_owned(),
            help: "Whether.".to_owned(),
            unit: String::new(),
        }],
    };
    vec![
        one.encode_to_vec(),
        two().encode_to_vec(),
        native().encode_to_vec(),
    ]
}

fn two() -> v2::Request {
    let symbols = ["", "__name__", "up", "host", "web-01", "Whether.", "s"];
    v2::Request {
        symbols: symbols.map(str::to_owned).into(),
        timeseries: vec![v2::TimeSeries {
            labels_refs: vec![1, 2, 3, 4],
            samples: vec![
                v2::Sample {
                    value: 1.0,
                    timestamp: NOW_MS,
                    start_timestamp: 0,
                },
                v2::Sample {
                    value: 2.0,
                    timestamp: NOW_MS + 1,
                    start_timestamp: 1,
                },
            ],
            exemplars: vec![v2::Exemplar {
                labels_refs: vec![3, 4],
                value: 0.5,
                timestamp: NOW_MS,
            }],
            metadata: Some(v2::Metadata {
                r#type: 2,
                help_ref: 5,
                unit_ref: 6,
            }),
            ..v2::TimeSeries::default()
        }],
    }
}

const OTLP: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"n","value":{"intValue":"7"}}]},"scopeMetrics":[{"scope":{"name":"lib","version":"1"},"metrics":[
{"name":"g","unit":"By","gauge":{"dataPoints":[{"timeUnixNano":"1700000000000000000","asDouble":1.5,"attributes":[{"key":"a","value":{"boolValue":true}}]}]}},
{"name":"c","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"startTimeUnixNano":"1699999990000000000","timeUnixNano":"1700000000000000000","asInt":"5"}]}},
{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1700000000000000000","count":"3","sum":4,"bucketCounts":["1","2"],"explicitBounds":[1],"exemplars":[{"timeUnixNano":"1700000000000000000","asDouble":2,"traceId":"5b8efff798038103d269b633813fc60c"}]}]}},
{"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1700000000000000000","count":"3","sum":4,"scale":1,"zeroCount":"1","positive":{"offset":1,"bucketCounts":["1","1"]},"negative":{}}]}},
{"name":"s","summary":{"dataPoints":[{"timeUnixNano":"1700000000000000000","count":"3","sum":4,"quantileValues":[{"quantile":0.5,"value":1}]}]}}]}]}]}"#;

pub(crate) fn otlp() -> Vec<Vec<u8>> {
    let protobuf = codec::otlp::to_protobuf(OTLP.as_bytes()).unwrap_or_default();
    vec![protobuf, OTLP.as_bytes().to_vec()]
}

pub(crate) fn record() -> Vec<Vec<u8>> {
    let [json, ..] = SAMPLE;
    vec![two().encode_to_vec(), json.as_bytes().to_vec()]
}

/// A record of single samples, and one of them with a distribution.
const SAMPLE: [&str; 2] = [
    r#"{"metric_name":"up","timestamp":1700000000000,"value":1,"labels":{"host":"a"}}"#,
    r#"{"metric_name":"t","timestamp":1700000000000,"type":"histogram","value":{"buckets":{"+Inf":9},"sum":1.5,"count":9},"labels":{}}"#,
];

pub(crate) fn kafka_record() -> Vec<Vec<u8>> {
    let record = two().encode_to_vec();
    let [one, distribution] = SAMPLE.map(str::as_bytes);
    vec![
        [&[0], record.as_slice()].concat(),
        [b"\xc4team-a\nup\n", record.as_slice()].concat(),
        [&[1], one].concat(),
        [&[2], distribution].concat(),
        [b"\x03application/json; charset=utf-8\n", one].concat(),
    ]
}

pub(crate) fn log_entry() -> Vec<Vec<u8>> {
    let times = [NOW_MS.to_be_bytes(), (NOW_MS + 1).to_be_bytes()].concat();
    let part = |text: &str| {
        let length = u32::try_from(text.len() + 1).unwrap_or(0);
        [&length.to_be_bytes()[..], text.as_bytes()].concat()
    };
    let none = [0; 4];
    let plain = [&[0, 1], &times[..], &[1], &part("up"), &none, b"value"].concat();
    let whose = [
        &[0, 3],
        &times[..],
        &[2],
        &part("up"),
        &part("team-a"),
        &part("agent"),
        b"{}",
    ]
    .concat();
    let place = [
        &[1, 2][..],
        &NOW_MS.to_be_bytes(),
        &3_i32.to_be_bytes(),
        &7_i64.to_be_bytes(),
    ]
    .concat();
    let texts = [
        "too_old",
        "too old sample",
        "metrics",
        "main",
        "up",
        "application/json",
    ];
    let texts: Vec<u8> = texts.into_iter().flat_map(part).collect();
    let letter = [&place[..], &texts, &none, b"value"].concat();
    let fields = [
        100_u64,
        1 << 20,
        1_700_000_000_000,
        1_700_000_000_000,
        1_700_000_000_000,
    ];
    let segment: Vec<u8> = fields.into_iter().flat_map(u64::to_be_bytes).collect();
    vec![
        plain,
        whose,
        letter,
        b"\x02\x06groupskey".to_vec(),
        [&[3], &segment[..]].concat(),
        // A journal of one write: a start, an item that is not compressed, its end.
        [
            &[4, 1][..],
            &[0; 12],
            &[2, 0, 0],
            &[0; 8],
            &[1, 0, 3, 0, 0, 0, 3, 0, 0, 0],
            b"kval",
            &[3],
            &[0; 8],
            b"FJL\x03",
        ]
        .concat(),
    ]
}

/// A length-delimited family: a counter with a label.
pub(crate) fn exposition_protobuf() -> Vec<Vec<u8>> {
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap_or(0);
        [&[(number << 3) | 2, length], content].concat()
    }
    let label = field(1, &[field(1, b"host"), field(2, b"web-01")].concat());
    let number = [&[0x09][..], &5_f64.to_le_bytes()].concat();
    let family = |kind: u8, value: Vec<u8>| {
        let metric = field(4, &[label.clone(), value].concat());
        let family = [
            field(1, b"requests_total"),
            field(2, b"Requests."),
            vec![0x18, kind],
            metric,
        ]
        .concat();
        [
            &[u8::try_from(family.len()).unwrap_or(0)],
            family.as_slice(),
        ]
        .concat()
    };
    // Of a histogram: count, sum, a bucket, a zero threshold and a schema.
    let bucket = field(3, &[&[0x08, 2, 0x11][..], &0.5_f64.to_le_bytes()].concat());
    let histogram = [
        &[0x08, 3, 0x11][..],
        &1.5_f64.to_le_bytes(),
        &bucket,
        &[0x28, 2, 0x62, 2, 8, 1, 0x6a, 1, 2],
    ]
    .concat();
    let quantile = field(
        3,
        &[
            &[0x09][..],
            &0.5_f64.to_le_bytes(),
            &[0x11],
            &1_f64.to_le_bytes(),
        ]
        .concat(),
    );
    let summary = [&[0x08, 3, 0x11][..], &1.5_f64.to_le_bytes(), &quantile].concat();
    vec![
        [family(0, field(3, &number)), family(1, field(2, &number))].concat(),
        family(4, field(7, &histogram)),
        family(2, field(4, &summary)),
    ]
}

pub(crate) fn pushgateway() -> Vec<Vec<u8>> {
    let mut all = owned([
        "/metrics/job/backup/instance/db-1",
        "/tenants/a/metrics/job@base64/YmFja3Vw/U__a_2e_b/%2Fx/empty@base64/=",
    ]);
    // id, tenant, a label, the push's time, and a family of one series.
    all.push(b"\0\x0a\x02id\x12\x01t\x1a\x06\x0a\x03job\x12\x01b\x20\x01\x42\x12\x0a\x02up\x10\x02\x2a\x08\x0a\x02up\x12\x02\x0a\0\x30\x01".to_vec());
    all
}

pub(crate) fn archive() -> Vec<Vec<u8>> {
    let manifest = r#"{"version":1,"source":"log-1","batches":[{"first":0,"last":9,"received_at_ms":1700000000000,"files":["date=2023-11-14/a.parquet"]},{"first":10,"last":19,"received_at_ms":1700000001000,"files":[]}]}"#;
    let file = include_bytes!("archive.parquet");
    // Two billions of truth values in a field that nobody knows, and the end of what it is in.
    let endless = *b"\xe9\xf1\xff\xff\xff\xff\x07\0";
    let footer = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
        [b"PAR1", bytes, &length, b"PAR1"].concat()
    };
    // The version as a text of nine bytes: a reader that takes it for a number sees what is in it.
    let hidden = [b"\x18\x09", &endless[..], b"\0\0"].concat();
    let mut page = file.to_vec();
    page.splice(4..4 + endless.len(), endless);
    vec![
        manifest.as_bytes().to_vec(),
        file.to_vec(),
        footer(&endless),
        footer(&hidden),
        page,
    ]
}
