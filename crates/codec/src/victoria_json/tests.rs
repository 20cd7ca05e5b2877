//! Lines as the exporter writes them, what its importer takes beside, and what is wrong with others.

use proptest::prelude::*;
use serde_json::json;

use super::{LineNumbers, decode};
use crate::shown::shown;
use model::Code;

const MANY: usize = 10_000;

fn plain(body: &str) -> Vec<String> {
    shown(&decode(body.as_bytes(), MANY).unwrap().0)
}

#[test]
fn a_line_is_a_series_with_all_its_samples() {
    let body = r#"{"metric":{"__name__":"up","job":"node_exporter","instance":"localhost:9100"},"values":[0,0.5,-1e3],"timestamps":[1549891472010,1549891487724,1549891503438]}"#;
    assert_eq!(
        plain(body),
        [
            r#"0: up{job="node_exporter",instance="localhost:9100"} 0 @1549891472010"#,
            r#"1: up{job="node_exporter",instance="localhost:9100"} 0.5 @1549891487724"#,
            r#"2: up{job="node_exporter",instance="localhost:9100"} -1000 @1549891503438"#,
        ]
    );
}

#[test]
fn fields_come_in_any_order_and_unknown_ones_are_passed_over() {
    let body = r#"{"timestamps":[2],"x":{"y":[[{}]]},"values":[1.5],"metric":{"__name__":"a\"b"}}"#;
    assert_eq!(plain(body), [r#"0: a"b{} 1.5 @2"#]);
}

#[test]
fn blank_lines_carriage_returns_and_a_missing_last_newline_are_fine() {
    let body = "\r\n{\"metric\":{\"__name__\":\"a\"},\"values\":[1],\"timestamps\":[1]}\r\n\n{\"metric\":{\"__name__\":\"b\"},\"values\":[2],\"timestamps\":[2]}";
    let (decoded, lines) = decode(body.as_bytes(), MANY).unwrap();
    assert_eq!(shown(&decoded), ["0: a{} 1 @1", "1: b{} 2 @2"]);
    assert_eq!([0, 1].map(|index| lines.line_of(index)), [2, 4]);
    for empty in ["", "\n\n", "\r\n \n"] {
        assert!(plain(empty).is_empty());
    }
}

/// A series is kept for its samples: a body of those without any must not grow in memory.
#[test]
fn a_line_without_any_value_is_counted_and_not_kept() {
    let line = r#"{"metric":{"__name__":"x","l":"v"},"values":[null,null],"timestamps":[1,2]}"#;
    let body = format!("{line}\n{line}\n{}", line.replace("null,null", "null,1"));
    let (decoded, _) = decode(body.as_bytes(), MANY).unwrap();
    assert_eq!(
        shown(&decoded),
        [r#"0: x{l="v"} 1 @2"#, "ignored 5 no_value"]
    );
    assert_eq!(decoded.batch.all_series().len(), 1);
}

#[test]
fn what_json_has_no_number_for_is_written_as_the_exporter_writes_it() {
    let body = r#"{"metric":{"__name__":"x"},"values":["Infinity","-Infinity","Inf","-inf","NaN","nan",null,"null",7],"timestamps":[1,2,3,4,5,6,7,8,9]}"#;
    assert_eq!(
        plain(body),
        [
            "0: x{} inf @1",
            "1: x{} -inf @2",
            "2: x{} inf @3",
            "3: x{} -inf @4",
            "4: x{} NaN @5",
            "5: x{} NaN @6",
            "6: x{} 7 @9",
            "ignored 2 no_value",
        ]
    );
}

#[test]
fn infinities_without_quotes_are_read_as_old_exporters_write_them() {
    let good = r#"{"metric":{"__name__":"y"},"values":[1],"timestamps":[1]}"#;
    let body = r#"{"metric":{"__name__":"x","a":"-Inf,\"+Inf\\"},"values":[+Inf,1,-Inf,NaN,-2,"x",null],"timestamps":[1,2,3,4,5,6,7]}"#;
    let body = format!("{good}\n{body}\n{good}");
    let labels = r#"a="-Inf,\"+Inf\\""#;
    assert_eq!(
        plain(&body),
        [
            "0: y{} 1 @1".to_owned(),
            format!("1: x{{{labels}}} inf @1"),
            format!("2: x{{{labels}}} 1 @2"),
            format!("3: x{{{labels}}} -inf @3"),
            format!("4: x{{{labels}}} NaN @4"),
            format!("5: x{{{labels}}} -2 @5"),
            "7: y{} 1 @1".to_owned(),
            r#"6! x value_invalid: values[5] is the string "x", not a number"#.to_owned(),
            "ignored 1 no_value".to_owned(),
        ]
    );
}

#[test]
fn a_bad_element_costs_one_sample() {
    let body = r#"{"metric":{"__name__":"x"},"values":[1,"two",3,4],"timestamps":[1,2,"3",4.0]}"#;
    assert_eq!(
        plain(body),
        [
            "0: x{} 1 @1",
            "3: x{} 4 @4",
            r#"1! x value_invalid: values[1] is the string "two", not a number"#,
            r#"2! x timestamp_invalid: timestamps[2] is the string "3", not a whole number of Unix milliseconds"#,
        ]
    );
}

#[test]
fn a_bad_line_costs_all_that_it_has_and_no_other_line() {
    let good = r#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1]}"#;
    let cases = [
        (
            r#"{"metric":{"__name__":"y"},"values":[1,2],"timestamps":[1]}"#,
            "1! y sample_invalid: values has 2 elements, but timestamps has 1",
        ),
        (
            r#"{"metric":{"__name__":"y"}}"#,
            "1! y value_missing: values and timestamps are missing or empty",
        ),
        (
            r#"{"metric":{"__name__":"y","a":1},"values":[1],"timestamps":[1]}"#,
            r#"1! y labels_invalid: label "a" is the number 1, not a string"#,
        ),
        (
            r#"{"metric":["y"],"values":[1],"timestamps":[1]}"#,
            "1!  labels_invalid: metric is an array, not an object of strings",
        ),
        (
            r#"{"metric":{"__name__":"y"},"values":{},"timestamps":[1]}"#,
            "1! y sample_invalid: values is an object, not an array",
        ),
        ("[1]", "1!  sample_invalid: it is an array, not an object"),
        ("3", "1!  sample_invalid: it is the number 3, not an object"),
        (
            r#"{"metric":{"__name__":"y"},"values":[1],"timest"#,
            "1! y sample_invalid: the JSON breaks off",
        ),
    ];
    for (bad, expected) in cases {
        let lines = plain(&format!("{good}\n{bad}\n{good}"));
        assert_eq!(lines[0], "0: x{} 1 @1", "{bad}");
        assert!(lines.contains(&expected.to_owned()), "{bad}: {lines:#?}");
        assert!(lines[1].ends_with("x{} 1 @1"), "{bad}: {lines:#?}");
    }
}

#[test]
fn an_object_with_garbage_behind_is_not_stored_half() {
    let body = r#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1]} {"metric":{}}"#;
    assert_eq!(
        plain(body),
        ["0! x sample_invalid: not JSON: trailing characters at column 59"]
    );
}

#[test]
fn a_number_out_of_range_is_the_fault_of_its_line() {
    let good = r#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1]}"#;
    let body = format!("{}\n{good}", good.replace("[1],", "[1e999],"));
    let lines = plain(&body);
    assert_eq!(lines[0], "1: x{} 1 @1");
    assert!(lines[1].starts_with("0! x sample_invalid: not JSON: number out of range"));
}

#[test]
fn a_line_that_is_not_utf_8_is_refused_alone() {
    let good = br#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1]}"#;
    let body = [b"{\"\xff\n", good.as_slice()].concat();
    let (decoded, lines) = decode(&body, MANY).unwrap();
    assert_eq!(
        shown(&decoded),
        [
            "1: x{} 1 @1",
            "0!  sample_invalid: the line is not UTF-8 at its byte 3"
        ]
    );
    assert_eq!([0, 1].map(|index| lines.line_of(index)), [1, 2]);
}

#[test]
fn there_is_a_limit_on_samples_within_a_line_and_over_all() {
    let line = |samples: usize| {
        let numbers = vec![1; samples];
        json!({"metric": {"__name__": "x"}, "values": numbers, "timestamps": numbers}).to_string()
    };
    let over = |body: String| decode(body.as_bytes(), 10).map(|(decoded, _)| decoded.objects);
    assert_eq!(over(line(10)), Ok(10));
    for body in [line(11), format!("{}\n{}", line(5), line(6))] {
        assert_eq!(over(body).unwrap_err().code, Code::TooManySamples);
    }
}

#[test]
fn brackets_without_end_are_refused_without_an_overflow() {
    let body = format!("{{\"x\":{}", "[".repeat(1 << 20));
    assert_eq!(plain(&body).len(), 1);
    let body = format!("{{\"values\":{}", "[{\"a\":".repeat(1 << 18));
    assert_eq!(plain(&body).len(), 1);
}

#[test]
fn an_unknown_object_has_no_line() {
    assert_eq!(LineNumbers::default().line_of(3), 0);
}

proptest! {
    #[test]
    fn what_was_exported_comes_back(
        series in prop::collection::vec(
            ("[a-z_.\"\\\\é]{1,8}", prop::collection::btree_map("[a-z]{1,5}", "\\PC{1,8}", 0..4),
             prop::collection::vec((any::<i64>(), prop::num::f64::NORMAL), 1..6)),
            0..5,
        )
    ) {
        let mut body = String::new();
        let mut expected = Vec::new();
        for (name, labels, samples) in &series {
            let mut metric = serde_json::Map::new();
            metric.insert("__name__".to_owned(), name.as_str().into());
            for (label, value) in labels {
                metric.insert(label.clone(), value.as_str().into());
            }
            let (times, values): (Vec<i64>, Vec<f64>) = samples.iter().copied().unzip();
            body += &json!({"metric": metric, "values": values, "timestamps": times}).to_string();
            body.push('\n');
            expected.extend(samples.iter().map(|(at_ms, value)| (*at_ms, value.to_bits())));
        }
        let (decoded, _) = decode(body.as_bytes(), MANY).unwrap();
        let found: Vec<(i64, u64)> = decoded.batch.samples().iter().map(|sample| {
            let model::Value::Float(value) = sample.value else { panic!("a float") };
            (sample.at_ms, value.to_bits())
        }).collect();
        prop_assert_eq!(found, expected);
        for ((name, labels, _), decoded_series) in series.iter().zip(decoded.batch.all_series()) {
            prop_assert_eq!(name.as_str(), decoded_series.name.as_ref());
            prop_assert_eq!(labels.len(), decoded.batch.labels(decoded_series).len());
        }
    }

    #[test]
    fn whatever_comes_it_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = br#"{"metric":{"__name__":"up","job":"a"},"values":[0,null,"NaN",1e3],"timestamps":[1,2,3,4]}
{"metric":{"__name__":"u\\"p"},"values":[+Inf,-Inf],"timestamps":[1,2]}
{"metric":{"__name__":"up"},"values":[0],"timestamps":[1]}"#.to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        for body in [&bytes, &body] {
            if let Ok((decoded, _)) = decode(body, MANY) {
                shown(&decoded);
            }
        }
    }
}
