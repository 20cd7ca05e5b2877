//! The text format.

use super::{Dialect, NOW_MS, decode, options, refused, shown, text};

#[test]
fn lines_become_samples_with_what_is_known_of_their_family() {
    let body = "\
# HELP http_requests_total The \\\\ total\\nnumber.
# TYPE http_requests_total counter
http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000
http_requests_total{method=\"post\",code=\"400\"}    3 1395066363000

# a comment
#another
msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem=\"division by zero\"} +Inf -3982045
# TYPE d histogram
d_bucket{le=\"0.05\"} 24054
d_bucket{le=\"+Inf\"} 144320
d_sum 53423
d_count 144320
# TYPE s summary
s{quantile=\"0.5\"} NaN
s_sum 1.7560473e+07
s_count 2693";
    let decoded = text(body);
    assert_eq!(decoded.objects, 12);
    assert_eq!(refused(&decoded), "");
    insta::assert_snapshot!(shown(&decoded), @r#"
    2: http_requests_total method="post" code="200" 1027.0 @1395066363000 counter ("The \\ total\nnumber.")
    3: http_requests_total method="post" code="400" 3.0 @1395066363000 counter ("The \\ total\nnumber.")
    7: msdos_file_access_time_seconds path="C:\\DIR\\FILE.TXT" error="Cannot find file:\n\"FILE.TXT\"" 1458255915.0
    8: metric_without_timestamp_and_labels 12.47
    9: something_weird problem="division by zero" inf @-3982045
    11: d_bucket le="0.05" 24054.0 histogram
    12: d_bucket le="+Inf" 144320.0 histogram
    13: d_sum 53423.0 histogram
    14: d_count 144320.0 histogram
    16: s quantile="0.5" NaN summary
    17: s_sum 17560473.0 summary
    18: s_count 2693.0 summary
    "#);
}

#[test]
fn blanks_are_where_prometheus_allows_them() {
    let body = "  go_x { a = \"1\" , b=\"2\", } 1\t2 \r\n\tgo_x{ } 2\r\ngo_x{a=\"}\"}3\n{ \"go.x\" , \"l l\"=\"v\" } 4\n{a=\"b\",\"x\\\"y\"} 5\n";
    let decoded = text(body);
    assert_eq!(refused(&decoded), "");
    insta::assert_snapshot!(shown(&decoded), @r#"
    0: go_x a="1" b="2" 1.0 @2
    1: go_x 2.0
    2: go_x a="}" 3.0
    3: go.x l l="v" 4.0
    4: x"y a="b" 5.0
    "#);
}

#[test]
fn a_bad_line_is_refused_alone_and_named() {
    let body = "good 1\na\na{b='c'} 1\na{b=\na{b=\"\na true\nempty{=\"\"} 0\n{A}0\n1_2 3\nfoo 1_2\nfoo 0x1p-3\nfoo 1e999\n\
foo 0 1_2\nfoo 0 1700000000.5\n{a=\"ok\"} 1\n{\"a\",\"b = \"c\"}\n{\"a\",b\\nc=\"d\"} 1\na.b 1\na{b=\"c\"d=\"e\"} 1\n\
a{b=\"c\",,d=\"e\"} 1\nx{\"y\"} 1\na 1 2 3\na 1 # nothing\n# TYPE x speed\ngood 2\n";
    let decoded = text(body);
    assert_eq!(decoded.batch.samples().len(), 2);
    assert_eq!(decoded.objects, 25);
    insta::assert_snapshot!(refused(&decoded), @r##"
    a value_missing line 2: there is no value
    a labels_invalid line 3: the value of label "b" is not in double quotes
    a labels_invalid line 4: the value of label "b" is not in double quotes
    a labels_invalid line 5: the value of label "b" does not end with a double quote
    a value_invalid line 6: the value "true" is not a number
    empty label_name_invalid line 7: a label name is empty
     labels_invalid line 8: after the label name "A" comes "}0", not =
     metric_name_invalid line 9: the line begins with '1', not with a metric name
    foo value_invalid line 10: the value "1_2" is not a number
    foo value_invalid line 11: the value "0x1p-3" is not a number
    foo value_invalid line 12: the value "1e999" is not a number
    foo timestamp_invalid line 13: the timestamp "1_2" is not a whole number of Unix milliseconds
    foo timestamp_in_seconds line 14: the timestamp "1700000000.5" is not a whole number of Unix milliseconds; it looks like seconds, which are OpenMetrics: say so with the content type application/openmetrics-text
     metric_name_missing line 15: the series has no metric name
    a labels_invalid line 16: after the label name "b = " comes "c\"}", not =
    a labels_invalid line 17: after the label name "b" comes "\\nc=\"d\"} 1", not =
    a metric_name_invalid line 18: the metric name has '.' after "a"; other characters than a-z, A-Z, 0-9, _ and : need quotes, such as {"a.b"}
    a labels_invalid line 19: after a label comes "d=\"e\"} 1", not a comma or }
    a labels_invalid line 20: a label name cannot begin with ",d=\"e\"} 1"
    x metric_name_invalid line 21: the series has two metric names, "x" and "y"
    a sample_invalid line 22: "3" follows where the line should end
    a sample_invalid line 23: "# nothing" is no exemplar, which would be # {labels} value [timestamp]
     metadata_invalid line 24: the type of "x" is "speed"; it can be counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown
    "##);
}

#[test]
fn a_line_that_is_not_utf_8_is_refused_alone() {
    let body = b"a 1\nb{x=\"\xff\"} 2\nc{x=\"\xc3\xa9\"} 3\n";
    let decoded = decode(body, &options(Dialect::Text), 10).unwrap();
    assert_eq!(shown(&decoded), "0: a 1.0\n2: c x=\"é\" 3.0");
    assert_eq!(
        refused(&decoded),
        " sample_invalid line 2: the line is not UTF-8"
    );
}

#[test]
fn families_may_be_mixed_and_repeated() {
    let body = "# TYPE a counter\n# TYPE b histogram\na 1\nb_sum 2\na 3\nc 4\nc 5\na 6\n# TYPE a gauge\na 7\nb_count 8\nb_total 9\n";
    let decoded = text(body);
    insta::assert_snapshot!(shown(&decoded), @r#"
    2: a 1.0 counter
    3: b_sum 2.0 histogram
    4: a 3.0 counter
    5: c 4.0
    6: c 5.0
    7: a 6.0 counter
    9: a 7.0 gauge
    10: b_count 8.0 histogram
    11: b_total 9.0
    "#);
}

#[test]
fn metadata_without_samples_is_handed_on() {
    let decoded = text(
        "# HELP a Of a.\n# TYPE a counter\n# TYPE b info\nc 1\n# TYPE c gauge\n# HELP\n# HELP #\n# TYPE\n",
    );
    let families: Vec<String> = decoded
        .families
        .iter()
        .map(|family| format!("{} {} {:?}", family.name, family.kind.as_str(), family.help))
        .collect();
    assert_eq!(
        families,
        ["a counter \"Of a.\"", "b_info info \"\"", "c gauge \"\""]
    );
}

#[test]
fn an_exemplar_is_read_here_too() {
    let decoded = text("# TYPE a counter\na 1 1500 # {id=\"x\"} 0.5 1.5\na 2 #{id=\"y\"}  3\n");
    insta::assert_snapshot!(shown(&decoded), @r#"
    1: a 1.0 @1500 counter
    1: a exemplar 0.5 id="x" @1500 counter
    2: a 2.0 counter
    2: a exemplar 3.0 id="y" counter
    "#);
}

#[test]
fn an_empty_body_is_no_samples() {
    for body in ["", "\n", "\n\n# x", "#", "\r\n"] {
        let decoded = text(body);
        assert_eq!(
            (decoded.objects, decoded.batch.samples().len()),
            (0, 0),
            "{body:?}"
        );
    }
}

#[test]
fn more_lines_than_may_be_are_refused_as_a_whole() {
    let refusal = decode(b"a 1\nb x\nc 3\n", &options(Dialect::Text), 2).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the body has more than 2 samples; send it in parts"
    );
    let refusal = decode(
        b"# TYPE a gauge\n# TYPE b gauge\n",
        &options(Dialect::Text),
        1,
    )
    .unwrap_err();
    assert_eq!(refusal.code, model::Code::TooManySamples);
}

#[test]
fn a_long_help_with_escapes_is_not_copied_without_end() {
    let help = "\\n".repeat(10_000);
    let lines: String = (0..900)
        .map(|number| format!("a{{x=\"{number}\"}} 1\n"))
        .collect();
    let body = format!("# HELP a {help}\n{lines}");
    let decoded = text(&body);
    let copied: usize = decoded
        .batch
        .all_series()
        .iter()
        .map(|series| series.help.len())
        .sum();
    assert!(copied <= 4 * body.len(), "{copied}");
    assert_eq!(decoded.batch.samples().len(), 900);
}

#[test]
fn numbers_are_what_go_takes_for_them() {
    let good = [
        "1",
        "-1",
        "+1",
        "1.",
        ".5",
        "1e3",
        "1E+03",
        "inf",
        "-INF",
        "+Infinity",
        "nan",
        "NaN",
        "0001",
    ];
    for number in good {
        let body = format!("a {number}\n");
        assert_eq!(text(&body).refused, [], "{number}");
    }
    for number in [
        "0x1", "1_0", "1e999", "-1e999", "+nan", "-NaN", "e5", ".", "1d", "∞", "infin",
    ] {
        let body = format!("a {number} {NOW_MS}\n");
        assert_eq!(text(&body).refused.len(), 1, "{number}");
    }
}
