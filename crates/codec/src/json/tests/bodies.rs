//! Bodies as a whole.

use super::*;

const SEED: &str = r#"{"metrics": [{"metric_name": "cpu_usage_percent", "timestamp": 1700000000000,
  "value": 42.5, "labels": {"host": "web-01", "region": "us-east-1"}}]}"#;

#[test]
fn the_documented_body_is_read_without_copying_a_text() {
    let decoded = read(SEED);
    assert_eq!(
        lines(&decoded),
        ["cpu_usage_percent{host=web-01,region=us-east-1} 42.5 @1700000000000"]
    );
    assert_eq!((decoded.objects, decoded.refused.len()), (1, 0));
    let fast = body::fast(SEED, 1000).unwrap().unwrap();
    let series = &fast.batch.all_series()[0];
    assert!(matches!(series.name, std::borrow::Cow::Borrowed(_)));
    for label in fast.batch.labels(series) {
        assert!(matches!(label.value, std::borrow::Cow::Borrowed(_)));
    }
}

#[test]
fn an_empty_batch_is_a_batch() {
    let decoded = read(r#"{"metrics":[]}"#);
    assert_eq!((decoded.objects, decoded.batch.samples().len()), (0, 0));
}

#[test]
fn unknown_fields_are_passed_over_everywhere() {
    let decoded = read(
        r#"{"agent":{"v":[1,{"x":null}]},"metrics":[{"metric_name":"m","timestamp":1,"value":2,
        "labels":{},"extra":[[],{"a":{}}],"more":"\n"}],"z":true}"#,
    );
    assert_eq!(lines(&decoded), ["m{} 2 @1"]);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let mut body = b"\xef\xbb\xbf".to_vec();
    body.extend(SEED.as_bytes());
    assert_eq!(decode(&body, 10).unwrap().objects, 1);
}

#[test]
fn what_is_no_batch_is_said_so() {
    let invalid = Code::BodyInvalid;
    for empty in ["", " \r\n\t", "\u{feff}"] {
        refused_body(
            empty.as_bytes(),
            invalid,
            "the body is empty; send {\"metrics\": [{…}, …]}",
        );
    }
    refused_body(
        b"{}",
        invalid,
        "the body has no field metrics; send {\"metrics\": [{…}, …]}",
    );
    refused_body(
        br#"{"metric_name":"m","timestamp":1,"value":2,"labels":{}}"#,
        invalid,
        "the body has no field metrics; it looks like one sample, send it as {\"metrics\": [{…}]}",
    );
    refused_body(
        br#"[{"metric_name":"m"}]"#,
        invalid,
        "the body is an array; send it as {\"metrics\": […]}",
    );
    refused_body(
        b"\"metrics\"",
        invalid,
        "the body is the string \"metrics\", not an object with metrics",
    );
    refused_body(
        br#"{"metrics":{"a":1}}"#,
        invalid,
        "metrics is an object, not an array of samples (line 1, column 19)",
    );
    refused_body(
        br#"{"metrics":null}"#,
        invalid,
        "metrics is null, not an array of samples (line 1, column 16)",
    );
    refused_body(
        b"{\"metrics\":[],\n\"metrics\":[]}",
        invalid,
        "metrics appears twice (line 2, column 9)",
    );
}

#[test]
fn what_is_no_json_is_pointed_at() {
    let invalid = Code::BodyInvalid;
    refused_body(
        b"{\"metrics\":[\n  {\"value\" 1}]}",
        invalid,
        "the body is not JSON: expected `:` at line 2, column 12",
    );
    refused_body(
        br#"{"metrics":[{"value":1,}]}"#,
        invalid,
        "the body is not JSON: key must be a string at line 1, column 24",
    );
    refused_body(
        br#"{"metrics":[]} {"metrics":[]}"#,
        invalid,
        "the body is not JSON: trailing characters at line 1, column 16",
    );
    refused_body(
        br#"{"metrics":[{"value":1"#,
        invalid,
        "the body breaks off within the JSON at line 1, column 22",
    );
    refused_body(
        b"{\"metrics\":[{\"labels\":{\"a\":\"\xff\"}}]}",
        invalid,
        "the body is not UTF-8: byte 0xff at line 1, column 29",
    );
    refused_body(
        b"\x1f\x8b\x08\x00",
        invalid,
        "the body is not UTF-8: byte 0x8b at line 1, column 2",
    );
}

#[test]
fn numbers_that_json_has_not_are_recognised() {
    for (literal, column) in [
        ("NaN", 22),
        ("Infinity", 22),
        ("-Infinity", 23),
        ("nan", 23),
    ] {
        let body = format!(r#"{{"metrics":[{{"value":{literal},"timestamp":1}}]}}"#);
        let refusal = decode(body.as_bytes(), 3).unwrap_err();
        assert_eq!(refusal.code, Code::BodyInvalid);
        let message = refusal.message;
        assert!(
            message.ends_with(&format!(
                "at line 1, column {column}; JSON has no {literal}, leave the sample out"
            )),
            "{message}"
        );
    }
}

#[test]
fn the_number_of_samples_is_bounded() {
    let sample = r#"{"metric_name":"m","timestamp":1,"value":2,"labels":{}}"#;
    let body = |samples: &[&str]| format!(r#"{{"metrics":[{}]}}"#, samples.join(","));
    assert_eq!(decode(body(&[sample; 3]).as_bytes(), 3).unwrap().objects, 3);
    let too_many = "the body has more than 3 samples; send it in parts";
    for bodies in [
        body(&[sample; 4]),
        // Refused ones count too, whichever parser counts them.
        body(&["1", "2", "3", "4"]),
        body(&["1e999", "2", "3", "4"]),
        // So do the series of a histogram.
        body(&[r#"{"metric_name":"m","timestamp":1,"labels":{},
            "value":{"buckets":{"1":1,"2":2,"+Inf":3}}}"#]),
    ] {
        refused_body(bodies.as_bytes(), Code::TooManySamples, too_many);
    }
}

#[test]
fn nesting_without_end_does_no_harm() {
    let deep = 300_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let tower = format!("{}1{}", open.repeat(deep), close.repeat(deep));
        let sample = |field: &str| {
            format!(
                r#"{{"metrics":[{{"metric_name":"m","timestamp":1,"value":2,"labels":{{}},"{field}":{tower}}}]}}"#
            )
        };
        let body = format!(r#"{{"a":{tower},"metrics":[]}}"#);
        assert_eq!(decode(body.as_bytes(), 3).unwrap().objects, 0);
        let body = sample("unknown");
        assert_eq!(lines(&decode(body.as_bytes(), 3).unwrap()), ["m{} 2 @1"]);
        let body = sample("unit");
        let decoded = decode(body.as_bytes(), 3).unwrap();
        assert_eq!(decoded.refused[0].refusal.code, Code::MetadataInvalid);
        let body = format!(r#"{{"metrics":{tower}}}"#);
        let elements = decode(body.as_bytes(), 3).map(|decoded| decoded.refused.len());
        let expected = (open == "[").then_some(1);
        assert_eq!(
            elements.ok(),
            expected,
            "one bad element, or no array at all"
        );
        // Never closed.
        assert!(decode(open.repeat(deep).as_bytes(), 3).is_err());
        assert!(
            decode(
                format!(r#"{{"metrics":[{{"x":{}"#, open.repeat(deep)).as_bytes(),
                3
            )
            .is_err()
        );
    }
}

#[test]
fn only_the_refusals_that_an_answer_lists_have_their_sentence() {
    let body = format!("{{\"metrics\":[{}{{}}]}}", "{},".repeat(500));
    let decoded = read(&body);
    assert_eq!((decoded.objects, decoded.refused.len()), (501, 501));
    let has_sentence = |refused: &&model::Refused| !refused.refusal.message.is_empty();
    assert_eq!(decoded.refused.iter().filter(has_sentence).count(), 100);
}
