//! Data points as `OpenTSDB`'s documentation has them, and what else its senders write.

use proptest::prelude::*;

use super::{decode, raw_points};
use crate::shown::shown;
use model::Code;

const MANY: usize = 1000;

fn plain(body: &str) -> Vec<String> {
    shown(&decode(body.as_bytes(), MANY).unwrap())
}

#[test]
fn one_data_point_needs_no_array() {
    let body = r#"{"metric": "sys.cpu.nice", "timestamp": 1346846400, "value": 18,
        "tags": {"host": "web01", "dc": "lga"}}"#;
    assert_eq!(
        plain(body),
        [r#"0: sys.cpu.nice{host="web01",dc="lga"} 18 @1346846400000"#]
    );
}

#[test]
fn several_are_an_array() {
    let body = r#"[
        {"metric": "sys.cpu.nice", "timestamp": 1346846400, "value": 18, "tags": {"host": "web01"}},
        {"metric": "sys.cpu.nice", "timestamp": 1346846400123, "value": "9.5", "tags": {"host": "web02"}}
    ]"#;
    assert_eq!(
        plain(body),
        [
            r#"0: sys.cpu.nice{host="web01"} 18 @1346846400000"#,
            r#"1: sys.cpu.nice{host="web02"} 9.5 @1346846400123"#,
        ]
    );
    assert!(plain("[]").is_empty());
}

#[test]
fn a_timestamp_is_seconds_or_milliseconds_by_its_size() {
    for (written, at_ms) in [
        ("1346846400", 1_346_846_400_000_i64),
        ("\"1346846400\"", 1_346_846_400_000),
        ("1346846400123", 1_346_846_400_123),
        ("\"1346846400123\"", 1_346_846_400_123),
        ("1346846400.123", 1_346_846_400_123),
        ("\"1346846400.123\"", 1_346_846_400_123),
        ("4294967295", 4_294_967_295_000),
        ("4294967296", 4_294_967_296),
        ("1.3468464e9", 1_346_846_400_000),
        ("0", 0),
    ] {
        let body = format!(r#"{{"metric":"x","timestamp":{written},"value":1}}"#);
        assert_eq!(plain(&body), [format!("0: x{{}} 1 @{at_ms}")], "{written}");
    }
}

#[test]
fn tags_may_be_absent_and_their_values_numbers() {
    let body = r#"[{"metric":"x","timestamp":1,"value":1,"tags":null},
        {"metric":"x","timestamp":1,"value":1,"tags":{"cpu":0,"f":1.5,"on":true,"no":null}}]"#;
    assert_eq!(
        plain(body),
        [
            "0: x{} 1 @1000",
            r#"1: x{cpu="0",f="1.5",on="true"} 1 @1000"#
        ]
    );
}

#[test]
fn a_bad_point_costs_itself() {
    let cases = [
        (
            r#"{"timestamp":1,"value":1}"#,
            "1!  metric_name_missing: metric is missing",
        ),
        (
            r#"{"metric":1,"timestamp":1,"value":1}"#,
            "1!  metric_name_invalid: metric is the number 1, not a string",
        ),
        (
            r#"{"metric":"y","value":1}"#,
            "1! y timestamp_missing: timestamp is missing",
        ),
        (
            r#"{"metric":"y","timestamp":"now","value":1}"#,
            r#"1! y timestamp_invalid: timestamp is the string "now", not a number of seconds or milliseconds"#,
        ),
        (
            r#"{"metric":"y","timestamp":1}"#,
            "1! y value_missing: value is missing",
        ),
        (
            r#"{"metric":"y","timestamp":1,"value":"NaN"}"#,
            r#"1! y value_invalid: value is the string "NaN", not a number"#,
        ),
        (
            r#"{"metric":"y","timestamp":1,"value":true}"#,
            "1! y value_invalid: value is true, not a number",
        ),
        (
            r#"{"metric":"y","timestamp":1,"value":1,"tags":[]}"#,
            "1! y labels_invalid: tags is an array, not an object",
        ),
        (
            r#"{"metric":"y","timestamp":1,"value":1,"tags":{"a":{}}}"#,
            r#"1! y labels_invalid: tag "a" is an object, not a string"#,
        ),
        (
            r#"{"metric":"y","timestamp":1,"value":1e999}"#,
            "1! y sample_invalid: number out of range",
        ),
        ("7", "1!  sample_invalid: it is the number 7, not an object"),
    ];
    let good = r#"{"metric":"x","timestamp":1,"value":1}"#;
    for (bad, expected) in cases {
        assert_eq!(
            plain(&format!("[{good},{bad},{good}]")),
            ["0: x{} 1 @1000", "2: x{} 1 @1000", expected],
            "{bad}"
        );
    }
}

#[test]
fn a_number_out_of_range_between_points_leaves_them_alone() {
    let good = r#"{"metric":"x","timestamp":1,"value":1,"tags":{"a":"b"}}"#;
    assert_eq!(
        plain(&format!("[{good},1e999,{good}]")),
        [
            r#"0: x{a="b"} 1 @1000"#,
            r#"2: x{a="b"} 1 @1000"#,
            "1!  sample_invalid: number out of range",
        ]
    );
}

#[test]
fn a_body_that_is_no_json_is_refused_whole() {
    for (body, expected) in [
        ("", "the body is empty"),
        (
            "7",
            "the body is the number 7, not an object or an array of objects",
        ),
        (
            "[{]",
            "the body is not JSON: key must be a string at line 1, column 3",
        ),
        (
            "[{\"metric\":\"x\"",
            "the body breaks off within the JSON at line 1, column 14",
        ),
    ] {
        let refusal = decode(body.as_bytes(), MANY).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.message.as_str()),
            (Code::BodyInvalid, expected)
        );
    }
}

#[test]
fn there_is_a_limit_on_points() {
    let point = r#"{"metric":"x","timestamp":1,"value":1}"#;
    let body = format!("[{point},{point},7]");
    assert_eq!(decode(body.as_bytes(), 3).unwrap().objects, 3);
    let refusal = decode(body.as_bytes(), 2).unwrap_err();
    assert_eq!(refusal.code, Code::TooManySamples);
}

#[test]
fn points_can_be_shown_as_they_came() {
    let body = br#"[{"metric":"x"}, {"metric" : "y"},7]"#;
    assert_eq!(
        raw_points(body, &[1, 2, 9]),
        [r#"{"metric" : "y"}"#, "7", "null"]
    );
    assert_eq!(
        raw_points(br#" {"metric":"x"} "#, &[0]),
        [r#"{"metric":"x"}"#]
    );
}

proptest! {
    #[test]
    fn what_was_written_comes_back(
        points in prop::collection::vec(
            ("[a-zé\"]{1,8}", 1_000_000_000_000_i64..9_000_000_000_000, prop::num::f64::NORMAL,
             prop::collection::btree_map("[a-z]{1,5}", "\\PC{1,8}", 0..4)),
            0..20,
        )
    ) {
        let body: Vec<_> = points.iter().map(|(metric, timestamp, value, tags)| {
            serde_json::json!({"metric": metric, "timestamp": timestamp, "value": value, "tags": tags})
        }).collect();
        let body = serde_json::to_string(&body).unwrap();
        let decoded = decode(body.as_bytes(), MANY).unwrap();
        let found: Vec<_> = decoded.batch.samples().iter().map(|sample| {
            let series = decoded.batch.series(sample.series).unwrap();
            let labels = decoded.batch.labels(series).iter();
            let model::Value::Float(value) = sample.value else { panic!("a float") };
            (series.name.to_string(), sample.at_ms, value,
             labels.map(|label| (label.name.to_string(), label.value.to_string())).collect())
        }).collect();
        prop_assert_eq!(found, points);
    }

    #[test]
    fn whatever_comes_it_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = br#"[{"metric":"x","timestamp":1346846400,"value":"1.5","tags":{"a":"b"}},{"metric":"y"}]"#.to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        for body in [&bytes, &body] {
            if let Ok(decoded) = decode(body, MANY) {
                shown(&decoded);
                let indices: Vec<u32> = (0..decoded.objects).collect();
                prop_assert_eq!(raw_points(body, &indices).len(), indices.len());
            }
        }
    }
}
