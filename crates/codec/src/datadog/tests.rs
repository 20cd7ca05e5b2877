//! The API documentation's own examples, what the agent and the Python client send, and what is wrong with others.

mod distributions;
mod messages;

use model::Code;
use proptest::prelude::*;
use prost::Message as _;

use self::messages::{MetricPayload, MetricPoint, MetricSeries, Resource};
use super::*;
use crate::shown::shown;

const OPTIONS: Options = Options {
    now_ms: 5_000,
    max_samples: 1000,
};

fn v1(body: &str) -> Vec<String> {
    shown(&decode_v1(body.as_bytes(), OPTIONS).unwrap())
}

fn v2(body: &str) -> Vec<String> {
    shown(&decode_v2_json(body.as_bytes(), OPTIONS).unwrap())
}

#[test]
fn v1_as_the_api_s_examples_have_it() {
    let body = r#"{"series": [{
        "host": "test.example.com", "interval": 20, "metric": "system.load.1",
        "points": [["1575317847", "0.5"], [1575317857.5, 1]],
        "tags": ["environment:test"], "type": "rate"
    }]}"#;
    assert_eq!(
        v1(body),
        [
            r#"0: system.load.1{host="test.example.com",environment="test"} 0.5 @1575317847000"#,
            r#"1: system.load.1{host="test.example.com",environment="test"} 1 @1575317857500"#,
        ]
    );
}

#[test]
fn v2_as_the_api_s_examples_have_it() {
    let body = r#"{"series": [{
        "metric": "system.load.1", "type": 0, "points": [{"timestamp": 1636629071, "value": 0.7}],
        "resources": [{"name": "dummyhost", "type": "host"}],
        "source_type_name": "kubernetes", "tags": ["environment:test"], "unit": "byte"
    }]}"#;
    assert_eq!(
        v2(body),
        [
            r#"0: system.load.1{host="dummyhost",source_type_name="kubernetes",environment="test"} 0.7 @1636629071000"#
        ]
    );
    let decoded = decode_v2_json(body.as_bytes(), OPTIONS).unwrap();
    assert_eq!(decoded.batch.all_series()[0].unit, "byte");
}

#[test]
fn what_counts_or_is_a_rate_of_an_interval_is_a_gauge() {
    let kind = |body: String, decode: fn(&[u8], Options) -> Result<Decoded<'_>, Refusal>| {
        let decoded = decode(body.as_bytes(), OPTIONS).unwrap();
        decoded.batch.all_series()[0].kind.as_str()
    };
    for (written, expected) in [
        ("\"gauge\"", "gauge"),
        ("\"rate\"", "gauge"),
        ("\"count\"", "gauge"),
        ("\"\"", "unknown"),
        ("null", "unknown"),
        ("7", "unknown"),
    ] {
        let body = format!(r#"{{"series":[{{"metric":"x","type":{written},"points":[[1,1]]}}]}}"#);
        assert_eq!(kind(body, decode_v1), expected, "{written}");
    }
    for (written, expected) in [
        ("0", "unknown"),
        ("1", "gauge"),
        ("2", "gauge"),
        ("3", "gauge"),
    ] {
        let body = format!(
            r#"{{"series":[{{"type":{written},"metric":"x","points":[{{"timestamp":1,"value":1}}]}}]}}"#
        );
        assert_eq!(kind(body, decode_v2_json), expected, "{written}");
    }
}

#[test]
fn tags_become_labels_each_name_once() {
    for (tags, labels) in [
        (r#""a:b""#, r#"host="h",a="b""#),
        (r#""url:http://x:80/y""#, r#"host="h",url="http://x:80/y""#),
        (
            r#""alone","empty:""#,
            r#"host="h",alone="true",empty="true""#,
        ),
        (r#""", ":x""#, r#"host="h""#),
        (
            r#""role:web","role:api","role:db""#,
            r#"host="h",role="db""#,
        ),
        (r#""host:other","host:h""#, r#"host="h""#),
        (
            r#""exported_host:a","host:b""#,
            r#"host="h",exported_host="b""#,
        ),
        (r#""host:h""#, r#"host="h""#),
        (r#""host:other""#, r#"host="h",exported_host="other""#),
        (
            r#""é\n:ü\u0041""#,
            r#"host="h",é
="üA""#,
        ),
    ] {
        let body = format!(
            r#"{{"series":[{{"metric":"x","points":[[1,1]],"tags":[{tags}],"host":"h"}}]}}"#
        );
        assert_eq!(v1(&body), [format!("0: x{{{labels}}} 1 @1000")], "{tags}");
    }
    let body =
        r#"{"series":[{"metric":"x","points":[[1,1]],"tags":null,"host":"","device":"sda"}]}"#;
    assert_eq!(v1(body), [r#"0: x{device="sda"} 1 @1000"#]);
}

#[test]
fn a_point_without_a_time_is_now() {
    let body = r#"{"series":[{"metric":"x","points":[[0,1],[null,2]]}]}"#;
    assert_eq!(v1(body), ["0: x{} 1 @5000", "1: x{} 2 @5000"]);
    let body = r#"{"series":[{"metric":"x","points":[{"value":1},{"timestamp":0,"value":2}]}]}"#;
    assert_eq!(v2(body), ["0: x{} 1 @5000", "1: x{} 2 @5000"]);
}

#[test]
fn a_bad_point_costs_itself_and_a_bad_series_its_points() {
    for (points, expected) in [
        (
            r#"[1,"x"]"#,
            r#"1! x value_invalid: a point's value is the string "x", not a number"#,
        ),
        (r#"[1]"#, "1! x value_missing: a point has no value"),
        (
            r#"[[],1]"#,
            "1! x timestamp_invalid: a point's timestamp is an array, not a number of seconds",
        ),
        (
            r#"[1700000000000,1]"#,
            "1! x timestamp_invalid: timestamp 1700000000000 is not in seconds since 1970",
        ),
        (r#"[1,null]"#, "ignored 1 no_value"),
    ] {
        let body = format!(r#"{{"series":[{{"metric":"x","points":[[1,1],{points}]}}]}}"#);
        assert_eq!(v1(&body), ["0: x{} 1 @1000", expected], "{points}");
    }
    for (series, expected) in [
        (
            r#"{"points":[[1,1],[2,2]]}"#,
            "0!  metric_name_missing: metric is missing",
        ),
        (
            r#"{"metric":{},"points":[[1,1],[2,2]]}"#,
            "0!  metric_name_invalid: metric is an object, not a string",
        ),
        (
            r#"{"metric":"x","points":[[1,1],[2,2]],"tags":"a:b"}"#,
            r#"0! x sample_invalid: tags is the string "a:b", not an array"#,
        ),
        (
            r#"{"metric":"x","points":[[1,1],[2,2]],"tags":[1]}"#,
            "0! x labels_invalid: a tag is the number 1, not a string",
        ),
    ] {
        let body = format!(r#"{{"series":[{series},{{"metric":"y","points":[[3,3]]}}]}}"#);
        let second = expected.replacen('0', "1", 1);
        assert_eq!(
            v1(&body),
            ["2: y{} 3 @3000", expected, second.as_str()],
            "{series}"
        );
    }
    let body = r#"{"series":[7,{"metric":"x","points":3},{"metric":"y","points":[[3,1e999]]},{"metric":"z","points":[]}]}"#;
    assert_eq!(
        v1(body),
        [
            "0!  sample_invalid: it is the number 7, not an object",
            "1! x sample_invalid: points is the number 3, not an array",
            "2! y sample_invalid: number out of range",
            "ignored 1 no_value",
        ]
    );
}

#[test]
fn a_body_that_is_no_list_of_series_is_refused_whole() {
    for (body, expected) in [
        ("", "the body is empty"),
        ("{}", "the body has no field series"),
        ("[]", "the body is an array, not an object"),
        (
            "1234",
            "the body is the number 1234, not an object with series",
        ),
        (
            "foobar",
            "the body is not JSON: expected ident at line 1, column 2",
        ),
        (
            r#"{"series":123}"#,
            "series is the number 123, not an array",
        ),
        (r#"{"series":123"#, "series is the number 123, not an array"),
        (
            r#"{"series":[{"#,
            "the body breaks off within the JSON at line 1, column 12",
        ),
    ] {
        for decode in [decode_v1, decode_v2_json, decode_distributions] {
            let refusal = decode(body.as_bytes(), OPTIONS).unwrap_err();
            assert_eq!(
                (refusal.code, refusal.message.as_str()),
                (Code::BodyInvalid, expected)
            );
        }
    }
}

#[test]
fn of_many_tags_with_one_name_the_last_counts_too() {
    let mut tags: Vec<String> = (0..900)
        .map(|tag| format!("\"t{}:{tag}\"", tag % 50))
        .collect();
    tags.push("\"host:other\"".to_owned());
    let body = format!(
        r#"{{"series":[{{"metric":"x","points":[[1,1]],"host":"h","tags":[{}]}}]}}"#,
        tags.join(",")
    );
    let line = v1(&body).remove(0);
    assert_eq!(line.matches("=\"").count(), 52, "{line}");
    assert!(line.contains("t49=\"899\""), "{line}");
    assert!(
        line.contains("exported_host=\"other\",host=\"h\""),
        "{line}"
    );
}

/// A series is kept for its samples: a body of those without any must not grow in memory.
#[test]
fn a_series_whose_points_have_no_values_is_counted_and_not_kept() {
    let series = r#"{"metric":"x","points":[[1,null],[2,null]]}"#;
    let body = format!(r#"{{"series":[{series},{series}]}}"#);
    let decoded = decode_v1(body.as_bytes(), OPTIONS).unwrap();
    assert_eq!(shown(&decoded), ["ignored 4 no_value"]);
    assert!(decoded.batch.all_series().is_empty());
}

/// However many of its points have no value, none behind them is forgotten.
#[test]
fn a_point_behind_very_many_without_a_value_counts() {
    let body = format!(
        r#"{{"series":[{{"metric":"x","points":[{}[7,1]]}}]}}"#,
        "[1,null],".repeat(1500)
    );
    assert_eq!(v1(&body), ["0: x{} 1 @7000", "ignored 1500 no_value"]);
}

#[test]
fn there_is_a_limit_on_points_and_on_tags() {
    let options = Options {
        max_samples: 2,
        ..OPTIONS
    };
    let body = |points: &str| format!(r#"{{"series":[{{"metric":"x","points":[{points}]}}]}}"#);
    assert!(decode_v1(body("[1,1],[2,2]").as_bytes(), options).is_ok());
    let refusal = decode_v1(body("[1,1],[2,2],[3,3]").as_bytes(), options).unwrap_err();
    assert_eq!(refusal.code, Code::TooManySamples);
    let tags: Vec<String> = (0..2000).map(|tag| format!("\"t{tag}:1\"")).collect();
    let body = format!(
        r#"{{"series":[{{"metric":"x","points":[[1,1]],"tags":[{}]}}]}}"#,
        tags.join(",")
    );
    assert_eq!(
        v1(&body),
        ["0! x too_many_labels: the series has 2000 tags, the limit is 1000"]
    );
}

fn payload() -> MetricPayload {
    MetricPayload {
        series: vec![MetricSeries {
            resources: vec![
                Resource {
                    r#type: "host".into(),
                    name: "web-1".into(),
                },
                Resource {
                    r#type: "device".into(),
                    name: "sda".into(),
                },
            ],
            metric: "system.disk.used".into(),
            tags: vec!["env:prod".into(), "canary".into()],
            points: vec![
                MetricPoint {
                    value: 1.5,
                    timestamp: 1_700_000_000,
                },
                MetricPoint {
                    value: 0.0,
                    timestamp: 1_700_000_010,
                },
            ],
            r#type: 3,
            unit: "byte".into(),
            source_type_name: "System".into(),
            interval: 10,
        }],
    }
}

#[test]
fn the_agent_s_protobuf_means_the_same_as_the_json() {
    let body = payload().encode_to_vec();
    let decoded = decode_v2_protobuf(&body, OPTIONS).unwrap();
    let json = r#"{"series":[{"resources":[{"type":"host","name":"web-1"},{"type":"device","name":"sda"}],
        "metric":"system.disk.used","tags":["env:prod","canary"],"type":3,"unit":"byte","interval":10,
        "points":[{"timestamp":1700000000,"value":1.5},{"timestamp":1700000010,"value":0}],"source_type_name":"System"}]}"#;
    let json = decode_v2_json(json.as_bytes(), OPTIONS).unwrap();
    assert_eq!(decoded, json);
    assert_eq!(
        shown(&decoded)[0],
        r#"0: system.disk.used{host="web-1",device="sda",source_type_name="System",env="prod",canary="true"} 1.5 @1700000000000"#
    );
    assert_eq!(decode_v2_protobuf(b"", OPTIONS).unwrap().objects, 0);
}

#[test]
fn a_series_that_is_no_message_is_refused_alone() {
    let mut body = vec![0x0a, 3, 0x12, 1, 0xff];
    body.extend(payload().encode_to_vec());
    let lines = shown(&decode_v2_protobuf(&body, OPTIONS).unwrap());
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[2],
        "0!  sample_invalid: the series cannot be read: a string is not UTF-8"
    );
    let refusal = decode_v2_protobuf(br#"{"series":[]}"#, OPTIONS).unwrap_err();
    assert_eq!(refusal.code, Code::BodyInvalid);
}

#[test]
fn what_is_no_metric_is_counted() {
    let lines = |what, body: &str| shown(&pass(body.as_bytes(), what, 10).unwrap());
    assert_eq!(
        lines(Passed::ServiceChecks, r#"{"check":"ok"}"#),
        ["ignored 1 service_check"]
    );
    assert_eq!(
        lines(Passed::ServiceChecks, "[{},{}]"),
        ["ignored 2 service_check"]
    );
    assert_eq!(lines(Passed::Event, "{}"), ["ignored 1 event"]);
    assert_eq!(
        lines(
            Passed::Intake,
            r#"{"events":{"api":[{},{}],"x":[{}]},"os":"linux"}"#
        ),
        ["ignored 3 event"]
    );
    assert!(lines(Passed::Intake, "not JSON").is_empty());
    assert!(lines(Passed::Metadata, "{}").is_empty());
    assert_eq!(
        lines(Passed::Intake, r#"{"metrics":[["x",1,1,{}]]}"#),
        ["0!  sample_invalid: metrics on /intake/ are of an agent of version 5; upgrade it"]
    );
}

proptest! {
    #[test]
    fn what_was_written_comes_back_from_protobuf(
        series in prop::collection::vec(
            ("[a-z.é]{1,8}", prop::collection::vec("[a-z]{1,3}:[a-z:]{1,5}", 0..4),
             prop::collection::vec((1_i64..10_000_000_000, prop::num::f64::NORMAL), 1..5)),
            0..5,
        )
    ) {
        let payload = MetricPayload {
            series: series.iter().map(|(metric, tags, points)| MetricSeries {
                metric: metric.clone(),
                tags: tags.clone(),
                points: points.iter().map(|&(timestamp, value)| MetricPoint { value, timestamp }).collect(),
                ..MetricSeries::default()
            }).collect(),
        };
        let body = payload.encode_to_vec();
        let decoded = decode_v2_protobuf(&body, OPTIONS).unwrap();
        let found: Vec<(i64, u64)> = decoded.batch.samples().iter().map(|sample| {
            let model::Value::Float(value) = sample.value else { panic!("a float") };
            (sample.at_ms, value.to_bits())
        }).collect();
        let expected: Vec<(i64, u64)> = series.iter().flat_map(|(_, _, points)| points)
            .map(|(seconds, value)| (seconds * 1000, value.to_bits())).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn whatever_comes_it_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let bodies = [
            br#"{"series":[{"metric":"x","points":[[1,"2"],[3,[4]]],"tags":["a:b"],"type":"count"}]}"#.to_vec(),
            br#"{"series":[{"metric":"x","points":[{"timestamp":1,"value":2}],"resources":[{"type":"a","name":"b"}]}]}"#.to_vec(),
            payload().encode_to_vec(),
            bytes,
        ];
        for mut body in bodies {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
            for decode in [decode_v1, decode_v2_json, decode_distributions, decode_v2_protobuf, decode_sketches] {
                if let Ok(decoded) = decode(&body, OPTIONS) {
                    shown(&decoded);
                }
            }
            drop(pass(&body, Passed::Intake, 10));
        }
    }
}
