//! Lines that are refused, with their numbers and reasons.

use super::*;

fn refusal(line: &str) -> String {
    let decoded = decoded(line, &options());
    assert_eq!(shown(&decoded), [""; 0], "{line:?}");
    assert_eq!(decoded.batch.open_labels(), 0, "{line:?}");
    let [refused] = decoded.refused.as_slice() else {
        panic!("{line:?}: {:?}", decoded.refused);
    };
    format!(
        "{}: {}",
        refused.refusal.code.as_str(),
        refused.refusal.message
    )
}

/// Lines, and why they are refused.
const REASONS: &[(&str, &str)] = &[
    (
        "cpu",
        "sample_invalid: the line has no fields; it is `measurement,tag=value field=1 timestamp`",
    ),
    (
        "cpu,host=a",
        "sample_invalid: the line has no fields; it is `measurement,tag=value field=1 timestamp`",
    ),
    (
        "cpu,host=a ",
        "sample_invalid: the line has no fields; it is `measurement,tag=value field=1 timestamp`",
    ),
    (",host=a x=1", "sample_invalid: the measurement is missing"),
    (
        "cpu, x=1",
        "sample_invalid: a tag has no name: nothing, or a space, follows a comma",
    ),
    (
        "cpu,,, x=1",
        "sample_invalid: a tag has no name: nothing, or a space, follows a comma",
    ),
    (
        "cpu,host=a,=us x=1i",
        "sample_invalid: a tag has no name: nothing, or a space, follows a comma",
    ),
    (
        "cpu,host x=1",
        "sample_invalid: tag \"host\" has no value; leave it out",
    ),
    (
        "cpu,host= x=1",
        "sample_invalid: tag \"host\" has no value; leave it out",
    ),
    (
        "cpu,host=a,zone=,b=c x=1",
        "sample_invalid: tag \"zone\" has no value; leave it out",
    ),
    (
        "cpu,host=f=o x=1",
        "sample_invalid: the value of tag \"host\" has an equals sign; write it as \\=",
    ),
    ("cpu =1", "sample_invalid: a field has no name"),
    ("cpu x=1,=2", "sample_invalid: a field has no name"),
    ("cpu x=1,", "sample_invalid: a field has no name"),
    ("cpu x", "value_missing: field \"x\" has no value"),
    ("cpu x=", "value_missing: field \"x\" has no value"),
    (
        "cpu x= 1700000000000000000",
        "value_missing: field \"x\" has no value",
    ),
    ("cpu x=,y=1", "value_missing: field \"x\" has no value"),
    (
        "cpu 1700000000000000000",
        "value_missing: field \"1700000000000000000\" has no value",
    ),
    (
        "cpu x=Happy",
        "value_invalid: field \"x\" is \"Happy\", which is no number, boolean or quoted text",
    ),
    (
        "cpu x=NaN",
        "value_invalid: field \"x\" is \"NaN\", which is no number, boolean or quoted text",
    ),
    (
        "cpu x=inf",
        "value_invalid: field \"x\" is \"inf\", which is no number, boolean or quoted text",
    ),
    (
        "cpu x=1e9999",
        "value_invalid: field \"x\" is \"1e9999\", which is out of range",
    ),
    (
        "cpu x=9223372036854775808i",
        "value_invalid: field \"x\" is \"9223372036854775808i\", which is out of range",
    ),
    (
        "cpu x=-9223372036854775809i",
        "value_invalid: field \"x\" is \"-9223372036854775809i\", which is out of range",
    ),
    (
        "cpu x=18446744073709551616u",
        "value_invalid: field \"x\" is \"18446744073709551616u\", which is out of range",
    ),
    (
        "cpu x=\"test",
        "value_invalid: field \"x\" has no closing quote",
    ),
    (
        "cpu x=\"test\"\"",
        "value_invalid: field \"x\" goes on behind its closing quote; write a quote within it as \\\"",
    ),
    (
        "cpu x=\"blah\"=123,r 1531703600000000000",
        "value_invalid: field \"x\" goes on behind its closing quote; write a quote within it as \\\"",
    ),
    (
        "cpu x=1 soon",
        "timestamp_invalid: timestamp \"soon\" is not an integer of 64 bits, as it would have to be there",
    ),
    (
        "cpu x=1 +1",
        "timestamp_invalid: timestamp \"+1\" is not an integer of 64 bits, as it would have to be there",
    ),
    (
        "cpu x=1 1.5",
        "timestamp_invalid: timestamp \"1.5\" is not an integer of 64 bits, as it would have to be there",
    ),
    (
        "cpu x=1 y=2",
        "timestamp_invalid: timestamp \"y=2\" is not an integer of 64 bits, as it would have to be there",
    ),
    (
        "a v=1 0\\",
        "timestamp_invalid: timestamp \"0\\\\\" is not an integer of 64 bits, as it would have to be there",
    ),
    (
        "cpu x=1 9223372036854775808",
        "timestamp_invalid: timestamp \"9223372036854775808\" is not an integer of 64 bits, as it would have to be there",
    ),
    (
        "cpu x=1 1700000000000000000 9",
        "sample_invalid: \"9\" stands behind the timestamp",
    ),
    (
        "cpu x=1 1700000000",
        "timestamp_in_seconds: timestamp 1700000000 is read in nanoseconds, but looks like seconds; say precision=s",
    ),
    (
        "cpu x=1 1700000000000",
        "timestamp_in_seconds: timestamp 1700000000000 is read in nanoseconds, but looks like milliseconds; say precision=ms",
    ),
];

#[test]
fn each_reason_names_what_was_found() {
    for (line, reason) in REASONS {
        assert_eq!(refusal(line), *reason, "{line}");
    }
}

#[test]
fn what_is_no_number_is_refused_in_every_spelling() {
    for text in [
        "-", "-i", "-.", ".", "1.0i", "1ii", "1a", "-e-e-e", "42+3", "-123u", "--1u", ".1a",
        "0.-1", "1.1.1", "a", "9ie10", "9e10i", "e5", "1e", "0x10", "+1", "+1i", "1_000", "i", "u",
        "tRUE", "infinity", "-inf", "1,5x", "\u{661}",
    ] {
        let reason = refusal(&format!("cpu x={text}"));
        assert!(reason.starts_with("value_"), "{text}: {reason}");
    }
}

#[test]
fn a_timestamp_in_a_too_large_unit_is_recognised() {
    let at = |precision: Precision, raw| precision.at_ms(raw, NOW_MS).unwrap_err();
    let refusal = at(Precision::Second, 1_700_000_000_123_456_789);
    assert_eq!(
        refusal.message,
        "timestamp 1700000000123456789 is read in seconds, but looks like nanoseconds; say precision=ns"
    );
    let refusal = at(Precision::Hour, i64::MIN);
    assert_eq!(refusal.code, Code::TimestampInvalid);
    assert_eq!(
        refusal.message,
        "timestamp -9223372036854775808 is out of range in hours"
    );
}

#[test]
fn a_bad_line_costs_only_itself_and_is_numbered_as_editors_do() {
    let body =
        "# head\nm1 value=12.0\nm2 value=2a.0\n\nm3,t value=1\nm4 value=42.0 x\nm5\nm6 value=6\n";
    let decoded = decoded(body, &options());
    assert_eq!(shown(&decoded), ["m1{} 12", "m6{} 6"]);
    let lines: Vec<u32> = decoded
        .refused
        .iter()
        .map(|refused| refused.index)
        .collect();
    assert_eq!(lines, [2, 4, 5, 6]);
    assert_eq!(decoded.objects, 6);
}

#[test]
fn what_stands_in_the_text_of_a_bad_line_is_not_taken_for_a_line() {
    let body = "m s=\"\nevil x=1\n\",bad=zz,t=\"\nevil x=2\n\"\ngood x=3";
    let found = decoded(body, &options());
    assert_eq!(shown(&found), ["good_x{} 3"]);
    assert_eq!(found.refused.len(), 1);
    let found = decoded("good x=1\nm s=\"never closed\nevil x=2", &options());
    assert_eq!(shown(&found), ["good_x{} 1"]);
}

#[test]
fn text_can_be_refused_by_a_setting() {
    let options = Options {
        strings: Strings::Refuse,
        ..options()
    };
    let decoded = decoded("m x=1,s=\"a\"\nm x=2", &options);
    assert_eq!(shown(&decoded), ["m_x{} 2"]);
    assert_eq!(
        told(&decoded),
        [
            "0 value_invalid field \"s\" is text, and influx.strings: refuse takes numbers and booleans only"
        ]
    );
    assert_eq!(decoded.ignored, []);
}

#[test]
fn a_line_that_is_not_utf8_is_refused_and_its_neighbours_are_not() {
    let decoded = decode(
        b"a x=1\nb\xff x=2\nc,t=\xfe x=3\nd s=\"\xfd\",x=4\n# \xfc\ne x=5",
        &options(),
    )
    .unwrap();
    assert_eq!(shown(&decoded), ["a_x{} 1", "d_x{} 4", "e_x{} 5"]);
    assert_eq!(
        told(&decoded),
        [
            "1 sample_invalid the measurement \"b\u{fffd}\" is not UTF-8",
            "2 sample_invalid the tag value \"\u{fffd}\" is not UTF-8",
        ]
    );
}

#[test]
fn a_body_of_too_many_lines_samples_or_fields_is_refused_whole() {
    let options = Options {
        max_samples: 3,
        ..options()
    };
    let too_many = |body: &str| decode(body.as_bytes(), &options).unwrap_err();
    let refusal = too_many("m a=1\nm a=1\nm a=1\nm a=1");
    assert_eq!(refusal.code, Code::TooManySamples);
    assert_eq!(
        refusal.message,
        "the body has more than 3 lines, the limit; send several smaller ones"
    );
    let refusal = too_many("m a=1,b=2\nm a=1,b=2");
    assert_eq!(
        refusal.message,
        "the body has more than 3 samples, the limit; send several smaller ones"
    );
    assert_eq!(
        too_many("m a=\"\",b=\"\",c=\"\",d=\"\"").code,
        Code::TooManySamples
    );
    assert_eq!(too_many("x\nx\nx\nx").code, Code::TooManySamples);
}

#[test]
fn a_long_measurement_does_not_become_many_long_names() {
    let long = "m".repeat(99);
    let body = format!("{long} value=1\n{long} a=1,b=2");
    let decoded = decoded(&body, &options());
    assert_eq!(shown(&decoded).len(), 1);
    assert_eq!(
        told(&decoded),
        [format!(
            "1 metric_name_too_long the metric name of measurement \"{}…\" and field \"a\" has 101 bytes, the limit is 100",
            "m".repeat(40)
        )]
    );
}

#[test]
fn only_the_first_hundred_sentences_are_kept() {
    let body = "x\n".repeat(150);
    let decoded = decoded(&body, &options());
    let told = decoded
        .refused
        .iter()
        .filter(|refused| !refused.refusal.message.is_empty());
    assert_eq!((decoded.refused.len(), told.count()), (150, 100));
}

/// Each field has a name of its own, which begins with the measurement.
#[test]
fn a_short_body_does_not_become_a_large_batch_of_names() {
    use std::fmt::Write as _;

    let options = Options {
        max_samples: 100_000,
        max_metric_name_bytes: 1024,
        ..options()
    };
    let mut line = "m".repeat(1000);
    for field in 0..20_000 {
        write!(line, "{}f{field}=1", if field == 0 { " " } else { "," }).unwrap();
    }
    let refusal = decode(line.as_bytes(), &options).unwrap_err();
    assert_eq!(refusal.code, Code::TooManySamples);
    assert!(
        refusal
            .message
            .starts_with("the metric names of all fields"),
        "{refusal}"
    );
    assert!(decode(line.replacen("mmmm", "", 200).as_bytes(), &options).is_ok());
}
