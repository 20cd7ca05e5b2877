//! The record format `json`: what the gateway writes, the consumer and everybody else reads.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::json::sample;
use crate::record;

fn write(labels: &[(&str, &str)], at_ms: i64, value: f64, kind: MetricType) -> String {
    let bytes = sample("m", labels.iter().copied(), at_ms, value, kind, "", "");
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_bytes_of_a_record() {
    let bytes = sample(
        "cpu",
        [("host", "web\"01"), ("zone", "é")],
        1_700_000_000_000,
        42.5,
        MetricType::Gauge,
        "percent",
        "How\nbusy.",
    );
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        r#"{"metric_name":"cpu","timestamp":1700000000000,"value":42.5,"labels":{"host":"web\"01","zone":"é"},"type":"gauge","unit":"percent","help":"How\nbusy."}"#
    );
    let bare = |value| write(&[], -1, value, MetricType::Unspecified);
    for (value, text) in [
        (3.0, "3"),
        (-0.0, "-0.0"),
        (1e300, "1e+300"),
        (9_007_199_254_740_993.0, "9007199254740992.0"),
        (0.1, "0.1"),
        (f64::NAN, "\"NaN\""),
        (f64::INFINITY, "\"+Inf\""),
        (f64::NEG_INFINITY, "\"-Inf\""),
        (f64::from_bits(0x7ff0_0000_0000_0002), "\"StaleNaN\""),
    ] {
        assert_eq!(
            bare(value),
            format!(r#"{{"metric_name":"m","timestamp":-1,"value":{text},"labels":{{}}}}"#)
        );
    }
}

#[track_caller]
fn refused(value: &str, reason: &str, message: &str) {
    let error =
        record::decode(Some(b"application/json"), &Bytes::from(value.to_owned())).unwrap_err();
    assert_eq!(
        (error.reason(), error.to_string().as_str()),
        (reason, message)
    );
}

#[test]
fn a_foreign_producers_object_is_read_without_headers() {
    let value = Bytes::from_static(
        b" {\"metric_name\":\"cpu\",\"timestamp\":5,\"value\":1,\"labels\":{\"host\":\"a\",\"Z\":\"1\",\"e\":\"\"}}\n",
    );
    let block = record::decode(None, &value).unwrap();
    assert_eq!(block.len(), 1);
    let series = block.series(0).unwrap();
    assert_eq!(
        series.labels().collect::<Vec<_>>(),
        [("Z", "1"), ("__name__", "cpu"), ("host", "a")]
    );
    assert_eq!(series.points()[0].at_ms, 5);
}

#[test]
fn a_foreign_producers_histogram_is_several_series() {
    let value = Bytes::from_static(
        br#"{"metric_name":"rpc","timestamp":5,"value":{"buckets":{"1":1},"count":2},"labels":{}}"#,
    );
    let block = record::decode(None, &value).unwrap();
    let names: Vec<_> = block
        .iter()
        .map(|series| series.name().to_owned())
        .collect();
    assert_eq!(names, ["rpc_bucket", "rpc_bucket", "rpc_count"]);
}

#[test]
fn what_is_no_sample_is_said_so() {
    let reason = "json_invalid";
    refused(
        "",
        reason,
        "not a sample: the body is empty; send {\"metrics\": [{…}, …]}",
    );
    refused(
        "[1]",
        reason,
        "not a sample: the sample is an array, not an object",
    );
    refused(
        r#"{"metric_name":"m","timestamp":1,"value":1,"labels":{}} x"#,
        reason,
        "not a sample: the body is not JSON: trailing characters at line 1, column 57",
    );
    refused(
        r#"{"metric_name":"m","timestamp":1,"value":"x","labels":{}}"#,
        reason,
        "not a sample: value is the string \"x\", not a number",
    );
    for label in [r#""a":"1","a":"2""#, r#""__name__":"x""#] {
        let name = label.split('"').nth(1).unwrap();
        refused(
            &format!(r#"{{"metric_name":"m","timestamp":1,"value":1,"labels":{{{label}}}}}"#),
            reason,
            &format!("not a sample: label {name:?} appears twice"),
        );
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        name in ".{1,10}",
        labels in prop::collection::btree_map(".{1,5}", ".{1,5}", 0..4),
        at_ms: i64,
        bits: u64,
        kind in prop::sample::select(&MetricType::ALL[..]),
        unit in ".{0,3}",
        help in ".{0,3}",
    ) {
        let value = f64::from_bits(bits);
        let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let record = Bytes::from(sample(&name, pairs, at_ms, value, kind, &unit, &help));
        let block = record::decode(None, &record).unwrap();
        let series = block.series(0).unwrap();
        prop_assert_eq!(series.name(), &name);
        let read: Vec<_> = series.labels().filter(|(name, _)| *name != "__name__").collect();
        let written: Vec<_> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        prop_assert_eq!(read, written);
        prop_assert_eq!(
            (series.kind(), series.unit(), series.help()),
            (kind, unit.as_str(), help.as_str())
        );
        let point = series.points()[0];
        prop_assert_eq!(point.at_ms, at_ms);
        prop_assert!(
            point.value.to_bits() == bits || (value.is_nan() && point.value.is_nan()),
            "{} is not {value}", point.value
        );
    }

    #[test]
    fn random_bytes_never_panic(value: Vec<u8>) {
        drop(record::decode(Some(b"application/json"), &value.into()));
    }
}
