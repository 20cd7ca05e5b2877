//! Histograms and summaries become the classic series, or are refused whole.

use super::*;

fn element(kind: &str, value: &str) -> String {
    format!(
        r#"{{"metric_name":"rpc","timestamp":7,"labels":{{"a":"b"}},"value":{value}{kind},"help":"h"}}"#
    )
}

fn body(kind: &str, value: &str) -> String {
    format!(r#"{{"metrics":[{}]}}"#, element(kind, value))
}

const HISTOGRAM: &str = r#","type":"histogram""#;
const SUMMARY: &str = r#","type":"summary""#;

#[test]
fn a_histogram_is_buckets_sum_and_count() {
    let text = body(
        HISTOGRAM,
        r#"{"buckets":{"+Inf":9,"1":5,"0.1":3,"2.5e6":7},"sum":1.5,"count":9}"#,
    );
    let decoded = read(&text);
    assert_eq!(
        lines(&decoded),
        [
            "rpc_bucket{a=b,le=0.1} 3 @7",
            "rpc_bucket{a=b,le=1.0} 5 @7",
            "rpc_bucket{a=b,le=2.5e+06} 7 @7",
            "rpc_bucket{a=b,le=+Inf} 9 @7",
            "rpc_sum{a=b} 1.5 @7",
            "rpc_count{a=b} 9 @7",
        ]
    );
    for row in rows(&decoded) {
        assert_eq!(
            (row.index, row.kind, row.help.as_str()),
            (0, MetricType::Histogram, "h")
        );
    }
    assert_eq!(decoded.objects, 1);
}

#[test]
fn count_and_the_last_bucket_stand_in_for_each_other() {
    for value in [
        r#"{"buckets":{"1":5},"count":9}"#,
        r#"{"buckets":{"1":5,"+Inf":9}}"#,
        r#"{"buckets":{"1":5,"inf":9.0},"sum":null,"count":null}"#,
    ] {
        let text = body(HISTOGRAM, value);
        assert_eq!(
            lines(&read(&text)),
            [
                "rpc_bucket{a=b,le=1.0} 5 @7",
                "rpc_bucket{a=b,le=+Inf} 9 @7",
                "rpc_count{a=b} 9 @7",
            ],
            "{value}"
        );
    }
}

#[test]
fn a_summary_is_quantiles_sum_and_count() {
    let text = body(
        SUMMARY,
        r#"{"quantiles":{"0.99":7,"0.5":1.2,"1":8},"sum":3.0,"count":2}"#,
    );
    let decoded = read(&text);
    assert_eq!(
        lines(&decoded),
        [
            "rpc{a=b,quantile=0.5} 1.2 @7",
            "rpc{a=b,quantile=0.99} 7 @7",
            "rpc{a=b,quantile=1.0} 8 @7",
            "rpc_sum{a=b} 3 @7",
            "rpc_count{a=b} 2 @7",
        ]
    );
    assert!(
        rows(&decoded)
            .iter()
            .all(|row| row.kind == MetricType::Summary)
    );
}

#[test]
fn the_type_may_be_left_out() {
    let text = body("", r#"{"buckets":{"+Inf":9}}"#);
    assert_eq!(rows(&read(&text))[0].kind, MetricType::Histogram);
    let text = body("", r#"{"quantiles":{},"count":9}"#);
    assert_eq!(rows(&read(&text))[0].kind, MetricType::Summary);
}

#[test]
fn bounds_are_written_as_prometheus_writes_them() {
    for (given, written) in [
        ("0", "0.0"),
        ("-0", "0.0"),
        ("1", "1.0"),
        ("5.", "5.0"),
        ("0.10", "0.1"),
        ("-2", "-2.0"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("0.000123", "0.000123"),
        ("100000", "100000.0"),
        ("1000000", "1e+06"),
        ("1234567", "1.234567e+06"),
        ("1e100", "1e+100"),
        ("123456.789", "123456.789"),
    ] {
        let text = body(
            HISTOGRAM,
            &format!(r#"{{"buckets":{{"{given}":1}},"count":1}}"#),
        );
        let row = rows(&read(&text)).remove(0);
        assert_eq!(
            row.labels[1],
            ("le".to_owned(), written.to_owned()),
            "{given}"
        );
    }
}

#[test]
fn a_broken_histogram_is_refused_with_the_bucket() {
    for (value, message) in [
        (
            r#"{"buckets":{"1":5,"2":3},"count":9}"#,
            "bucket \"2.0\" has 3.0, less than the 5.0 of bucket \"1.0\"; buckets are cumulative",
        ),
        (
            r#"{"buckets":{"1":5,"+Inf":9},"count":8}"#,
            "bucket \"+Inf\" has 9.0, but value.count is 8.0",
        ),
        (
            r#"{"buckets":{"1":5},"count":4}"#,
            "value.count is 4.0, less than the 5.0 of bucket \"1.0\"",
        ),
        (
            r#"{"buckets":{"1":5},"sum":4}"#,
            "the histogram has neither a bucket \"+Inf\" nor value.count",
        ),
        (
            r#"{"sum":4}"#,
            "the histogram has neither a bucket \"+Inf\" nor value.count",
        ),
        (
            r#"{"buckets":{"1":5,"1.0":5},"count":5}"#,
            "bucket \"1.0\" appears twice",
        ),
        (
            r#"{"buckets":{"fast":5},"count":5}"#,
            "bucket \"fast\" is not a number or \"+Inf\"",
        ),
        (
            r#"{"buckets":{"NaN":5},"count":5}"#,
            "bucket \"NaN\" is not a number or \"+Inf\"",
        ),
        (
            r#"{"buckets":{"1":-1},"count":5}"#,
            "bucket \"1\" is -1.0; a count is not negative",
        ),
        (
            r#"{"buckets":{"1":"5"},"count":5}"#,
            "bucket \"1\" is the string \"5\", not a count",
        ),
        (
            r#"{"buckets":{"1":5},"count":-5}"#,
            "value.count is -5.0; a count is not negative",
        ),
        (
            r#"{"buckets":{"1":5},"count":[]}"#,
            "value.count is an array, not a count",
        ),
        (
            r#"{"buckets":{"1":5},"count":5,"sum":"1"}"#,
            "value.sum is the string \"1\", not a number",
        ),
        (
            r#"{"buckets":[5],"count":5}"#,
            "value.buckets is an array, not an object",
        ),
        (
            r#"{"buckets":{},"count":5,"count":5}"#,
            "value.count appears twice",
        ),
    ] {
        refused_element(&element(HISTOGRAM, value), Code::HistogramInvalid, message);
    }
}

#[test]
fn a_broken_summary_is_refused_with_the_quantile() {
    for (value, message) in [
        (
            r#"{"quantiles":{"99":5},"count":5}"#,
            "quantile \"99\" is not a number from 0 to 1",
        ),
        (
            r#"{"quantiles":{"p99":5},"count":5}"#,
            "quantile \"p99\" is not a number from 0 to 1",
        ),
        (
            r#"{"quantiles":{"0.5":null},"count":5}"#,
            "quantile \"0.5\" is null, not a number",
        ),
        (
            r#"{"quantiles":{"0.5":1,".5":2}}"#,
            "quantile \"0.5\" appears twice",
        ),
        (
            r#"{"quantiles":{}}"#,
            "the summary has no quantiles, sum or count",
        ),
        (
            r#"{"quantiles":5}"#,
            "value.quantiles is the number 5, not an object",
        ),
    ] {
        refused_element(&element(SUMMARY, value), Code::SummaryInvalid, message);
    }
}

#[test]
fn the_type_and_the_value_belong_together() {
    refused_element(
        &element(r#","type":"gauge""#, r#"{"buckets":{"1":5},"count":5}"#),
        Code::ValueInvalid,
        "value is an object, but type is gauge; only a histogram's or a summary's is one",
    );
    refused_element(
        &element("", r#"{"buckets":{"1":5},"quantiles":{}}"#),
        Code::ValueInvalid,
        "value is an object, but not one with either buckets or quantiles",
    );
    refused_element(
        &element(HISTOGRAM, "5"),
        Code::HistogramInvalid,
        "value is the number 5.0, but a histogram's is an object such as \
         {\"buckets\": {\"0.1\": 3, \"+Inf\": 9}, \"sum\": 1.5, \"count\": 9}",
    );
    refused_element(
        &element(SUMMARY, "5"),
        Code::SummaryInvalid,
        "value is the number 5.0, but a summary's is an object such as \
         {\"quantiles\": {\"0.5\": 1.2}, \"sum\": 3.0, \"count\": 2}",
    );
}

#[test]
fn a_series_that_is_classic_already_keeps_its_type() {
    let text = r#"{"metrics":[
        {"metric_name":"rpc_bucket","type":"histogram","timestamp":1,"value":2,"labels":{"le":"1"}},
        {"metric_name":"rpc","type":"summary","timestamp":1,"value":2,"labels":{"quantile":"1"}}]}"#;
    let decoded = read(text);
    assert_eq!(
        lines(&decoded),
        ["rpc_bucket{le=1} 2 @1", "rpc{quantile=1} 2 @1"]
    );
}

#[test]
fn the_label_that_we_add_is_reserved() {
    for (label, value, message) in [
        (
            "le",
            r#"{"buckets":{},"count":1}"#,
            "label \"le\" is reserved on a histogram",
        ),
        (
            "quantile",
            r#"{"quantiles":{},"count":1}"#,
            "label \"quantile\" is reserved on a summary",
        ),
    ] {
        refused_element(
            &format!(
                r#"{{"metric_name":"m","timestamp":1,"value":{value},"labels":{{"{label}":"1"}}}}"#
            ),
            Code::LabelNameInvalid,
            message,
        );
    }
}

#[test]
fn a_short_body_does_not_become_a_large_batch() {
    let labels: Vec<String> = (0..1000)
        .map(|number| format!("\"{number}\":\"\""))
        .collect();
    let buckets: Vec<String> = (0..1000).map(|number| format!("\"{number}\":1")).collect();
    let text = format!(
        r#"{{"metrics":[{{"metric_name":"m","timestamp":1,"labels":{{{}}},
        "value":{{"buckets":{{{}}},"count":1}}}}]}}"#,
        labels.join(","),
        buckets.join(",")
    );
    let decoded = decode(text.as_bytes(), 100_000).unwrap();
    assert!(decoded.batch.samples().is_empty());
    assert_eq!(
        decoded.refused[0].refusal.message,
        "the histogram has 1003 series of 1001 labels, more than one body of this size may become"
    );
    let buckets_only = |count: usize| {
        let buckets: Vec<String> = (0..count).map(|number| format!("\"{number}\":1")).collect();
        let value = format!(r#"{{"buckets":{{{}}},"count":1}}"#, buckets.join(","));
        let text = body(HISTOGRAM, &value);
        let decoded = decode(text.as_bytes(), 100_000).unwrap();
        let refusal = decoded.refused.first().map(|it| it.refusal.message.clone());
        (decoded.batch.samples().len(), refusal)
    };
    assert_eq!(buckets_only(10_000), (10_002, None));
    let refusal = "value.buckets has more than 10000 entries".to_owned();
    assert_eq!(buckets_only(10_001), (0, Some(refusal)));
    // The same with long texts that cannot be borrowed.
    let text = format!(
        r#"{{"metrics":[{{"metric_name":"m","timestamp":1,"labels":{{"a":"\n{}"}},
        "value":{{"buckets":{{{}}},"count":1}}}}]}}"#,
        "x".repeat(100_000),
        buckets.join(",")
    );
    let decoded = decode(text.as_bytes(), 100_000).unwrap();
    assert_eq!(decoded.refused[0].refusal.code, Code::HistogramInvalid);
}
