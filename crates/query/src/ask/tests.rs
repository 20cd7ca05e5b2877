//! Parameters are read as documented, and a wrong one is named.

use super::*;
use crate::budget::plenty;

const NOW_MS: i64 = 1_795_257_343_000;

fn asked(text: &str) -> Result<Question, String> {
    let question = Question::parse(
        text,
        Takes::Aggregates,
        Begins::AnHourAgo,
        Format::Json,
        NOW_MS,
        &mut plenty(),
    );
    question.map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    asked(text).unwrap_err()
}

#[test]
fn every_parameter_is_read() {
    let asked = asked(
        "metric_name=cpu%20x&label=host:a:b&match=%7Bregion%3D~%22eu.*%22%7D&tenant=t&from=-15m&to=now&limit=5\
         &format=csv&aggregate=p95,mean,p95&step=1m&by=host,region",
    );
    let asked = asked.unwrap();
    let series =
        crate::labels::labels(&[("__name__", "cpu x"), ("host", "a:b"), ("region", "eu-1")]);
    assert!(asked.matching.want(|name| series.get(name)));
    assert!(!asked.matching.want(|_| "other"));
    assert_eq!(asked.matching.tenant(), Some("t"));
    assert_eq!((asked.from_ms, asked.to_ms), (NOW_MS - 900_000, NOW_MS));
    assert_eq!(
        (asked.limit, asked.format, asked.step_ms),
        (5, Format::Csv, Some(60_000))
    );
    assert_eq!(asked.aggregates, [Aggregate::Mean, Aggregate::P95]);
    assert_eq!(
        asked.by.unwrap().into_iter().collect::<Vec<_>>(),
        ["host", "region"]
    );
}

#[test]
fn times_are_milliseconds_or_dates_and_the_archive_begins_an_hour_ago() {
    let of = |text: &str| {
        let asked = asked(&format!("aggregate=mean{text}")).unwrap();
        (asked.from_ms, asked.to_ms)
    };
    assert_eq!(of(""), (NOW_MS - 3_600_000, i64::MAX));
    assert_eq!(of("&to=1000"), (1000 - 3_600_000, 1000));
    assert_eq!(of("&from=1970-01-01T00:00:01.5Z&to=2000"), (1500, 2000));
}

#[test]
fn a_wrong_parameter_is_named() {
    for (text, why) in [
        (
            "label=host",
            "label=host is not of the form label=NAME:VALUE",
        ),
        ("limit=0", "limit=0 is not a number from 1 to 100000"),
        (
            "",
            "aggregate is missing; give some of count, sum, min, max, mean, median, std_dev, p95, p99, rate, such as aggregate=mean,p95",
        ),
        (
            "aggregate=mode",
            "aggregate has \"mode\", known are count, sum, min, max, mean, median, std_dev, p95, p99, rate",
        ),
        (
            "aggregate=mean&step=60",
            "step=60 is not a duration with its unit, such as 60s or 5m",
        ),
        (
            "aggregate=mean&format=xml",
            "format=xml is none of json, csv, arrow",
        ),
        (
            "aggregate=mean&from=2000&to=1000",
            "from (2000) is after to (1000)",
        ),
        (
            "aggregate=mean&from=yesterday",
            "from=yesterday is no time; write Unix milliseconds, RFC 3339 such as 2026-11-22T10:00:00Z, now, or -15m",
        ),
        (
            "metric=cpu",
            "unknown parameter \"metric\"; known are metric_name, label, match, tenant, from, to, limit, format, aggregate, step, by",
        ),
        (
            "match=rate(x[5m])",
            "\"rate(x[5m])\" is not a selector such as cpu{host=~\"web-.*\"}",
        ),
    ] {
        assert_eq!(refused(text), why, "{text}");
    }
    let rows = Question::parse(
        "step=1m",
        Takes::Rows,
        Begins::Anywhere,
        Format::Json,
        NOW_MS,
        &mut plenty(),
    );
    assert!(
        rows.unwrap_err()
            .to_string()
            .starts_with("unknown parameter \"step\"")
    );
}

#[test]
fn an_expression_that_no_person_writes_is_not_parsed() {
    for (text, why) in [
        ("(".repeat(65), "brackets in each other more than 64 deep"),
        ("-".repeat(600), "more than 512 operators and words"),
        (
            "x".repeat(20_000),
            "the expression has 20000 bytes, the limit is 16384",
        ),
        ("x{a=~\"(\"}".to_owned(), "illegal regex"),
        // What a quote in a comment begins is no text.
        (
            format!("# \"\n{}", "(".repeat(65)),
            "brackets in each other more than 64 deep",
        ),
        (
            format!("(a){}", "and(a)or(a)unless(a)".repeat(200)),
            "more than 512 operators and words",
        ),
        (
            format!("{{a=\"1\"}}{}", "or{a=\"1\"}".repeat(300)),
            "more than 512 operators and words",
        ),
        (
            "1".to_owned() + &"+1e+1".repeat(400),
            "more than 512 operators and words",
        ),
    ] {
        let error = parse(&text, &mut plenty()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    // Brackets within quotes are text.
    parse(&format!("x{{a=\"{}\"}}", "(".repeat(100)), &mut plenty()).unwrap();
    parse(&format!("x{{a='\\'{}'}}", "(".repeat(100)), &mut plenty()).unwrap();
}

#[test]
fn patterns_are_bounded_before_they_are_compiled() {
    let many = |count: usize, pattern: &str| {
        let one = format!("a=~{pattern},");
        format!("x{{{}}}", one.repeat(count))
    };
    for text in [
        many(500, "\"\\\\w{150}\""),
        many(1, "\"\\\\w{150}\""),
        many(1, "# \"\n `\\w{150}`"),
        many(1, "'\\x5cw{150}'"),
        many(1, "\"((a{100}){100}){100}\""),
    ] {
        let error = parse(&text, &mut plenty()).unwrap_err().to_string();
        assert!(error.contains("is too large when compiled"), "{error}");
    }
    let error = parse(&many(33, "\"a\""), &mut plenty())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("more than 32 regular expressions"),
        "{error}"
    );
    // Those of all selectors of a request together.
    let mut budget = plenty();
    parse(&many(20, "\"a.*\""), &mut budget).unwrap();
    parse(&many(20, "\"a.*\""), &mut budget).unwrap_err();
    // What people write fits.
    for pattern in [
        "\\w+-\\w+\\.\\w+",
        "web-.*",
        "(?i)a|b|c",
        "\\d{1,3}(\\.\\d{1,3}){3}",
    ] {
        parse(
            &many(1, &format!("\"{}\"", pattern.replace('\\', "\\\\"))),
            &mut plenty(),
        )
        .unwrap();
    }
    let hosts: Vec<String> = (0..900)
        .map(|host| format!("web-{host:03}-example"))
        .collect();
    parse(&many(1, &format!("\"{}\"", hosts.join("|"))), &mut plenty()).unwrap();
}

#[test]
fn a_duration_that_none_has_is_refused_and_no_panic() {
    for text in [
        "step=inf",
        "step=NaN",
        "step=nan",
        "step=1e300s",
        "step=4000000000y",
        "from=-inf",
        "from=-nan",
        "from=-4000000000y",
    ] {
        let why = refused(&format!("aggregate=mean&{text}"));
        let is_named = why.contains("is not a duration") || why.contains("is no time");
        assert!(is_named, "{text}: {why}");
    }
    for text in [
        "x[1e300]",
        "x[1e+300]",
        "x[5m:1e300]",
        "x offset inf",
        "x offset -1e300",
        "x offset\n NaN",
        "x[4000000000y]",
        "x[0x7fffffffffffffff]",
    ] {
        let error = parse(text, &mut plenty()).unwrap_err().to_string();
        assert!(
            error.contains("is no duration such as 5m"),
            "{text}: {error}"
        );
    }
    for text in [
        "x[300]",
        "x[1h30m:1m] offset -5m",
        "x[0x10]",
        "x offset 5m > 1e300",
        "1e-3 + 1e+300",
    ] {
        parse(text, &mut plenty()).unwrap();
    }
}

#[test]
fn a_backslash_before_what_is_no_escape_is_refused_and_no_panic() {
    for text in [
        "x{host=\"\\é\"}",
        "x{host!='\\\u{fffd}'}",
        "\"\\\\\\é\"",
        "{\"\\é\"}",
        "x{host=~\"a\\é",
    ] {
        let error = parse(text, &mut plenty()).unwrap_err().to_string();
        assert!(error.contains("which is no escape"), "{text}: {error}");
    }
    for text in ["x{host=\"\\\\é\\n\"}", "x # \\é"] {
        parse(text, &mut plenty()).unwrap();
    }
}

#[test]
fn what_accept_says_is_the_format() {
    assert_eq!(accepted("text/csv"), Format::Csv);
    assert_eq!(
        accepted("application/json, application/vnd.apache.arrow.stream;q=0.5"),
        Format::Arrow
    );
    assert_eq!(accepted("*/*"), Format::Json);
}
