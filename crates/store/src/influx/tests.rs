//! What is sent, what answers mean, and what real servers make of it.

mod real;

use http::{HeaderMap, StatusCode};

use super::answer::meaning;
use super::lines::{Lines, left_out};
use super::{Config, Influx};
use crate::bound::Bound;
use crate::endpoint::{Answer, Meaning};
use crate::fixtures::{Series, batch};
use crate::{LeftOut, Write as _, WriteError};

const AT: i64 = 1_700_000_000_000;

fn lines_in(measurement: Option<&str>, series: &Series) -> String {
    let batch = batch(0, vec![series.at(0, 0)]);
    let mut lines = Lines::new(measurement, "value", Bound::of(&batch));
    lines.push(&batch.items[0]).unwrap();
    String::from_utf8(lines.finish()).unwrap()
}

#[track_caller]
fn check_lines(name: &str, labels: &[(&str, &str)], value: f64, expected: &str) {
    let lines = lines_in(None, &Series::new(name, labels, &[(AT, value)]));
    assert_eq!(lines, format!("{expected} {AT}\n"));
}

#[test]
fn a_sample_is_a_line() {
    check_lines("up", &[], 1.0, "up value=1.0");
    check_lines(
        "cpu",
        &[("host", "a"), ("zone", "b")],
        -0.5,
        "cpu,host=a,zone=b value=-0.5",
    );
    check_lines("big", &[], 1e300, "big value=1e300");
    check_lines("small", &[], 5e-324, "small value=5e-324");
}

#[test]
fn what_means_something_to_the_protocol_is_escaped() {
    check_lines(
        "a b,c=d",
        &[("k =,", "v =,\"")],
        1.0,
        "a\\ b\\,c=d,k\\ \\=\\,=v\\ \\=\\,\" value=1.0",
    );
    check_lines("#comment", &[], 1.0, "\\#comment value=1.0");
    check_lines(
        "x",
        &[("path", "C:\\a\\"), ("root", "\\"), ("text", "two\nlines")],
        1.0,
        "x,path=C:\\a,text=two\\nlines value=1.0",
    );
}

#[test]
fn a_backslash_that_servers_read_differently_is_left_out() {
    check_lines(
        "a\\ b\\,c\\",
        &[("k\\=\\\\", "a\\ b\\\\,c\\=\\\\d\\e")],
        1.0,
        "a\\ b\\,c,k\\==a\\ b\\,c\\=\\d\\e value=1.0",
    );
    check_lines(
        "x",
        &[("text", "two\\\nlines")],
        1.0,
        "x,text=two\\nlines value=1.0",
    );
    // Of nothing but backslashes something must stay.
    check_lines("\\\\", &[("a", "\\\\")], 1.0, "_ value=1.0");
    let series = Series::new("requests\\", &[], &[(1, 2.0)]);
    assert_eq!(lines_in(Some("m\\"), &series), "m requests=2.0 1\n");
}

#[test]
fn a_batch_whose_labels_would_fill_the_memory_is_refused() {
    let long = "v".repeat(1 << 20);
    let points: Vec<(i64, f64)> = (0..65).map(|at| (at, 1.0)).collect();
    let item = Series::new("x", &[("label", &long)], &points).at(0, 0);
    let batch = batch(0, vec![item]);
    let mut lines = Lines::new(None, "value", Bound::of(&batch));
    let refused = lines.push(&batch.items[0]);
    assert!(
        matches!(
            refused,
            Err(WriteError::Refused {
                reason: "too_large",
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn one_measurement_has_the_metrics_as_its_fields() {
    let series = Series::new("http requests", &[("code", "200")], &[(1, 2.0), (3, 4.0)]);
    assert_eq!(
        lines_in(Some("all of it"), &series),
        "all\\ of\\ it,code=200 http\\ requests=2.0 1\nall\\ of\\ it,code=200 http\\ requests=4.0 3\n"
    );
}

#[test]
fn numbers_that_are_none_are_left_out_and_counted() {
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let values = [(1, stale), (2, 5.0), (3, f64::INFINITY), (4, f64::NAN)];
    let series = Series::new("x", &[], &values);
    assert_eq!(lines_in(None, &series), "x value=5.0 2\n");
    assert_eq!(left_out(&series.at(0, 0)), 3);
    let store = Influx::new(config("http://localhost/write"), "main").unwrap();
    assert_eq!(
        store.left_out(&batch(0, vec![series.at(0, 0)])),
        Some(LeftOut {
            reason: "not_finite",
            samples: 3
        })
    );
    let whole = Series::new("x", &[], &[(1, 1.0)]).at(0, 0);
    assert_eq!(store.left_out(&batch(0, vec![whole])), None);
}

#[test]
fn a_native_histogram_is_written_as_a_classic_one() {
    use prost::Message as _;
    let message = codec::wire::v1::Histogram {
        count: Some(codec::wire::v1::Count::CountInt(3)),
        sum: 4.5,
        schema: 0,
        zero_threshold: 0.001,
        zero_count: Some(codec::wire::v1::ZeroCount::ZeroCountInt(0)),
        positive_spans: vec![codec::wire::v1::BucketSpan {
            offset: 0,
            length: 2,
        }],
        positive_deltas: vec![1, 1],
        timestamp: 7,
        ..Default::default()
    };
    let mut series = Series::new("latency", &[("host", "a")], &[]);
    series.histograms = vec![(7, message.encode_to_vec())];
    let lines = lines_in(None, &series);
    for expected in [
        "latency_bucket,host=a,le=1.0 value=1.0 7\n",
        "latency_bucket,host=a,le=2.0 value=3.0 7\n",
        "latency_bucket,host=a,le=+Inf value=3.0 7\n",
        "latency_sum,host=a value=4.5 7\n",
        "latency_count,host=a value=3.0 7\n",
    ] {
        assert!(lines.contains(expected), "{lines}");
    }
    assert_eq!(left_out(&series.at(0, 0)), 0);
    let in_one = lines_in(Some("m"), &series);
    assert!(
        in_one.contains("m,host=a,le=2.0 latency_bucket=3.0 7\n"),
        "{in_one}"
    );
}

#[track_caller]
fn check_meaning(status: u16, words: &str, expected: Meaning) {
    let answer = Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        words: words.to_owned(),
    };
    assert_eq!(meaning(&answer), expected, "{status} {words}");
}

#[test]
fn answers_of_versions_1_to_3_mean_what_they_say() {
    let refused = Meaning::Refused;
    let conflict = "partial write: field type conflict: input field \"value\" on measurement \"cpu\" is type float, \
                    already exists as type string dropped=1";
    check_meaning(400, conflict, refused("type_conflict"));
    check_meaning(
        422,
        "failure writing points to database: partial write: field type conflict",
        refused("type_conflict"),
    );
    check_meaning(
        400,
        "partial write: points beyond retention policy dropped=1",
        refused("too_old"),
    );
    check_meaning(422, "points beyond retention policy", refused("too_old"));
    check_meaning(
        400,
        "partial write: max-series-per-database limit exceeded",
        refused("limit"),
    );
    check_meaning(
        400,
        "unable to parse 'x': missing fields",
        refused("invalid"),
    );
    check_meaning(
        400,
        "partial write of line protocol occurred",
        refused("invalid"),
    );
    check_meaning(413, "Request Entity Too Large", refused("too_large"));
    for (status, words) in [
        (400, "{\"error\":\"database is required\"}"),
        (401, "unable to parse authentication credentials"),
        (403, "\"u\" user is not authorized to write"),
        (404, "database not found: \"metrics\""),
        (404, "bucket \"b\" not found"),
        (500, "retention policy not found: two_weeks"),
        (301, ""),
    ] {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            words: words.to_owned(),
        };
        assert!(
            matches!(meaning(&answer), Meaning::Misconfigured(_)),
            "{status} {words}"
        );
    }
    for status in [408, 429, 500, 502, 503, 504] {
        check_meaning(status, "timeout", Meaning::Later);
    }
}

fn config(url: &str) -> Config {
    Config {
        url: url.to_owned(),
        ..Config::default()
    }
}

#[test]
fn the_unit_and_the_token_are_said_as_the_version_wants() {
    for (url, precision) in [
        ("http://h/write?db=a", "ms"),
        ("http://h/influx/api/v2/write?org=o&bucket=b", "ms"),
        ("http://h/api/v3/write_lp?db=a", "millisecond"),
    ] {
        let store = Influx::new(config(url), "main").unwrap();
        let expected = format!("{url}&precision={precision}");
        assert_eq!(store.shared.url.as_str(), expected);
    }
}

#[track_caller]
fn check_refused(config: &Config, key: &str, why: &str) {
    let (found, said) = config.check().unwrap_err();
    assert_eq!(found, key);
    assert!(said.contains(why), "{said}");
}

#[test]
fn settings_that_cannot_work_are_named() {
    check_refused(&config(""), "url", "required");
    check_refused(&config("http://h:8086"), "url", "/write");
    check_refused(&config("http://h/write?precision=s"), "url", "precision");
    let good = config("http://h/write?db=a");
    let with = |change: fn(&mut Config)| {
        let mut config = good.clone();
        change(&mut config);
        config
    };
    check_refused(&with(|it| it.field.clear()), "field", "empty");
    check_refused(&with(|it| it.field.push('\n')), "field", "line breaks");
    check_refused(
        &with(|it| it.measurement = Some(String::new())),
        "measurement",
        "empty",
    );
    check_refused(&with(|it| it.shards = 0), "shards", "more than 0");
    assert_eq!(good.check(), Ok(()));
}
