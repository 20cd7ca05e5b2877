//! Samples one by one.

use super::*;

#[test]
fn optional_fields_describe_the_series() {
    let decoded = read(
        r#"{"metrics":[{"help":"How much.","metric_name":"m","unit":"bytes","type":"counter",
        "timestamp":1,"value":2,"labels":{}},
        {"metric_name":"n","type":null,"unit":null,"help":null,"timestamp":1,"value":2,"labels":{}}]}"#,
    );
    let rows = rows(&decoded);
    assert_eq!(
        (rows[0].kind, rows[0].unit.as_str(), rows[0].help.as_str()),
        (MetricType::Counter, "bytes", "How much.")
    );
    assert_eq!(
        (rows[1].kind, rows[1].unit.as_str(), rows[1].help.as_str()),
        (MetricType::Unspecified, "", "")
    );
}

#[test]
fn escapes_are_resolved_in_names_and_values() {
    let decoded = read(
        r#"{"m\u0065trics":[{"metric\u005fname":"a\"b\u00e9","timestamp":1,"value":2,
        "labels":{"k\t":"v\ud83d\ude00","k\t":""}}]}"#,
    );
    let row = rows(&decoded).remove(0);
    assert_eq!(row.name, "a\"bé");
    let labels = row.labels;
    assert_eq!(
        labels,
        [
            ("k\t".to_owned(), "v😀".to_owned()),
            ("k\t".to_owned(), String::new())
        ],
        "duplicates are for the validation to find"
    );
}

#[test]
fn timestamps_are_whole_milliseconds_in_any_notation() {
    let text = |at: &str| {
        format!(r#"{{"metrics":[{{"metric_name":"m","timestamp":{at},"value":1,"labels":{{}}}}]}}"#)
    };
    for (at, at_ms) in [
        ("1700000000000", 1_700_000_000_000),
        ("1.7e12", 1_700_000_000_000),
        ("1700000000000.0", 1_700_000_000_000),
        ("0", 0),
        ("-0", 0),
        ("-5", -5),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        let body = text(at);
        assert_eq!(rows(&read(&body))[0].at_ms, at_ms, "{at}");
    }
}

#[test]
fn values_are_any_number_that_a_float_holds() {
    let text = |value: &str| {
        format!(
            r#"{{"metrics":[{{"metric_name":"m","timestamp":1,"value":{value},"labels":{{}}}}]}}"#
        )
    };
    for (value, number) in [
        ("0", 0.0),
        ("-0", 0.0),
        ("-0.0", 0.0),
        ("-0e5", 0.0),
        ("42.5", 42.5),
        ("-1E-3", -0.001),
        ("18446744073709551615", 18_446_744_073_709_551_615.0),
        (
            "123456789012345678901234567890",
            123_456_789_012_345_678_901_234_567_890.0,
        ),
        ("1.7976931348623157e308", f64::MAX),
        ("5e-324", 5e-324),
        ("1e-400", 0.0),
        (
            "0.1000000000000000055511151231257827021181583404541015625",
            0.1,
        ),
        ("8.533e23", 8.533e23),
    ] {
        let body = text(value);
        let bits = rows(&read(&body))[0].bits;
        assert_eq!(bits, f64::to_bits(number), "{value}");
    }
}

#[test]
fn missing_fields_are_named() {
    for (element, code, message) in [
        ("{}", Code::MetricNameMissing, "metric_name is missing"),
        (
            r#"{"metric_name":"","timestamp":1,"value":1,"labels":{}}"#,
            Code::MetricNameMissing,
            "metric_name is empty",
        ),
        (
            r#"{"metric_name":"m","value":1,"labels":{"x":"y"}}"#,
            Code::TimestampMissing,
            "timestamp is missing",
        ),
        (
            r#"{"metric_name":"m","timestamp":1,"labels":{"x":"y"}}"#,
            Code::ValueMissing,
            "value is missing",
        ),
        (
            r#"{"metric_name":"m","timestamp":1,"value":1}"#,
            Code::LabelsMissing,
            "labels is missing; write {} for none",
        ),
    ] {
        refused_element(element, code, message);
    }
}

#[test]
fn an_element_that_is_no_object_is_refused_alone() {
    for (element, message) in [
        ("null", "the sample is null, not an object"),
        ("true", "the sample is true, not an object"),
        ("17", "the sample is the number 17, not an object"),
        ("[{},[]]", "the sample is an array, not an object"),
        ("\"m 1\"", "the sample is the string \"m 1\", not an object"),
        ("1e999", "the number is outside the range of a 64-bit float"),
    ] {
        refused_element(element, Code::SampleInvalid, message);
    }
}

#[track_caller]
fn refused_field(field: &str, value: &str, code: Code, message: &str) {
    let mut fields = vec![
        ("metric_name", "\"m\""),
        ("timestamp", "1"),
        ("value", "1"),
        ("labels", "{\"k\":\"v\"}"),
    ];
    fields.retain(|(name, _)| *name != field);
    fields.insert(1, (field, value));
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name:?}:{value}"))
        .collect();
    refused_element(&format!("{{{}}}", fields.join(",")), code, message);
}

#[test]
fn a_metric_name_is_a_string() {
    for (value, message) in [
        ("null", "metric_name is null, not a string"),
        ("5", "metric_name is the number 5, not a string"),
        ("[\"m\"]", "metric_name is an array, not a string"),
        (r#""\ud800""#, "metric_name: unexpected end of hex escape"),
    ] {
        refused_field("metric_name", value, Code::MetricNameInvalid, message);
    }
}

#[test]
fn a_timestamp_is_a_number_of_milliseconds() {
    let invalid = Code::TimestampInvalid;
    for (value, message) in [
        (
            "\"2023-11-14T22:13:20Z\"",
            "timestamp is the string \"2023-11-14T22:13:20Z\", not a number of Unix milliseconds, \
             such as 1700000000000",
        ),
        (
            "null",
            "timestamp is null, not a number of Unix milliseconds, such as 1700000000000",
        ),
        (
            "9223372036854775808",
            "timestamp is the number 9223372036854775808, not a number of Unix milliseconds, such \
             as 1700000000000",
        ),
        (
            "1700000000000.25",
            "timestamp 1700000000000.25 is not a whole number of Unix milliseconds",
        ),
        (
            "1e30",
            "timestamp 1e+30 is not a whole number of Unix milliseconds",
        ),
        (
            "1e999",
            "timestamp: the number is outside the range of a 64-bit float",
        ),
    ] {
        refused_field("timestamp", value, invalid, message);
    }
    refused_field(
        "timestamp",
        "1700000000.123",
        Code::TimestampInSeconds,
        "timestamp 1700000000.123 looks like seconds; send whole Unix milliseconds, such as \
         1700000000123",
    );
}

#[test]
fn a_value_is_a_number() {
    for (value, message) in [
        (
            "null",
            "value is null, not a number; leave a sample without a value out",
        ),
        (
            "\"42.5\"",
            "value is the string \"42.5\", not a number; send it without quotes",
        ),
        ("\"NaN\"", "value is the string \"NaN\", not a number"),
        ("\"+Inf\"", "value is the string \"+Inf\", not a number"),
        ("true", "value is true, not a number; send 1 or 0"),
        ("[1]", "value is an array, not a number"),
        (
            "1e999",
            "value: the number is outside the range of a 64-bit float",
        ),
        (
            "{\"x\":1}",
            "value is an object, but not one with either buckets or quantiles",
        ),
    ] {
        refused_field("value", value, Code::ValueInvalid, message);
    }
}

#[test]
fn labels_are_an_object_of_strings() {
    for (value, message) in [
        ("null", "labels is null, not an object of strings"),
        ("[]", "labels is an array, not an object of strings"),
        (
            r#"{"port":8080}"#,
            "label \"port\" is the number 8080, not a string",
        ),
        (r#"{"a":"b","c":null}"#, "label \"c\" is null, not a string"),
        (
            r#"{"a":{"b":"c"}}"#,
            "label \"a\" is an object, not a string",
        ),
    ] {
        refused_field("labels", value, Code::LabelsInvalid, message);
    }
}

#[test]
fn metadata_is_text_of_a_known_kind() {
    let invalid = Code::MetadataInvalid;
    refused_field(
        "type",
        "\"Gauge\"",
        invalid,
        "type is \"Gauge\"; it can be counter, gauge, histogram or summary",
    );
    refused_field("type", "2", invalid, "type is the number 2, not a string");
    refused_field("unit", "[]", invalid, "unit is an array, not a string");
    refused_field("help", "{}", invalid, "help is an object, not a string");
}

#[test]
fn a_field_comes_once() {
    refused_element(
        r#"{"metric_name":"m","timestamp":1,"value":1,"labels":{},"value":2}"#,
        Code::SampleInvalid,
        "value appears twice",
    );
    refused_element(
        r#"{"metric_name":"m","timestamp":1,"value":1,"labels":{"a":"b"},"labels":{"c":"d"}}"#,
        Code::SampleInvalid,
        "labels appears twice",
    );
}

#[test]
fn a_refusal_carries_the_name_wherever_the_name_stood() {
    for text in [
        r#"{"metrics":[{"value":null,"metric_name":"m"}]}"#,
        r#"{"metrics":[{"metric_name":"m","value":1e999}]}"#,
    ] {
        assert_eq!(
            decode(text.as_bytes(), 9).unwrap().refused[0].metric_name,
            "m"
        );
    }
}

#[test]
fn the_first_thing_that_is_wrong_is_said() {
    refused_element(
        r#"{"value":true,"timestamp":"x"}"#,
        Code::ValueInvalid,
        "value is true, not a number; send 1 or 0",
    );
}
