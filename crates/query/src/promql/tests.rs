//! What a real Prometheus cannot be asked in tests of its own: stale series, edges, and what is not supported.

use promql_parser::parser::Expr;

use super::*;
use crate::ask::parse;
use crate::budget::plenty;
use crate::error::Error;
use crate::source::Sources;
use crate::testing::{Given, sources, sources_of};

fn evaluate(sources: &Sources, text: &str, steps: Steps) -> Result<Value, Error> {
    let mut budget = plenty();
    let expression: Expr = parse(text, &mut budget)?;
    let timing = Timing::of(steps, 300_000);
    Evaluation::new(sources, None, timing, &mut budget).evaluate(&expression)
}

/// Labels and values of each series, as text.
fn shown(sources: &Sources, text: &str, steps: Steps) -> Vec<String> {
    let value = evaluate(sources, text, steps).unwrap_or_else(|error| panic!("{text}: {error}"));
    let Value::Vector(rows) = value else {
        return vec![format!("{value:?}")];
    };
    let rows = rows.iter().map(|row| {
        let labels: Vec<String> = row
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let values = (0..steps.count).map(|step| {
            row.get(step)
                .map_or("-".to_owned(), |value| value.to_string())
        });
        format!(
            "{} {}",
            labels.join(","),
            values.collect::<Vec<_>>().join(" ")
        )
    });
    rows.collect()
}

const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

fn minutes(count: usize) -> Steps {
    Steps {
        start_ms: 60_000,
        step_ms: 60_000,
        count,
    }
}

#[test]
fn a_series_ends_at_its_stale_marker_or_five_minutes_after_its_last_sample() {
    let given: &[Given<'_>] = &[
        (
            "x",
            &[("a", "1")],
            &[(60_000, 1.0), (120_000, STALE), (240_000, 3.0)],
        ),
        ("x", &[("a", "2")], &[(60_000, 7.0)]),
    ];
    let sources = sources(given);
    assert_eq!(
        shown(&sources, "x", minutes(7)),
        [
            "__name__=x,a=1 1 - - 3 3 3 3",
            "__name__=x,a=2 7 7 7 7 7 - -"
        ]
    );
    // A marker is no sample.
    assert_eq!(
        shown(&sources, "count_over_time(x{a=\"1\"}[10m])", minutes(4)),
        ["a=1 1 1 1 2"]
    );
}

#[test]
fn a_range_has_its_end_and_not_its_beginning() {
    let sources = sources(&[("x", &[], &[(60_000, 1.0), (120_000, 2.0), (180_000, 3.0)])]);
    assert_eq!(
        shown(&sources, "count_over_time(x[2m])", Steps::once(180_000)),
        [" 2"]
    );
    assert_eq!(
        shown(
            &sources,
            "sum_over_time(x[1m] offset 1m)",
            Steps::once(180_000)
        ),
        [" 2"]
    );
    assert_eq!(
        shown(&sources, "sum_over_time(x[1m] @ 60)", minutes(2)),
        [" 1 1"]
    );
}

#[test]
fn names_that_alone_tell_series_apart_are_missed_when_they_are_dropped() {
    let sources = sources(&[("x", &[], &[(60_000, 1.0)]), ("y", &[], &[(60_000, 2.0)])]);
    let failed = evaluate(&sources, "{__name__=~\"x|y\"} * 2", minutes(1));
    assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
    assert_eq!(
        shown(&sources, "{__name__=~\"x|y\"} > 1", minutes(1)),
        ["__name__=y 2"]
    );
}

#[test]
fn the_same_series_of_two_tenants_are_told_apart_by_a_label() {
    let one: &[Given<'_>] = &[("x", &[], &[(60_000, 1.0)])];
    let other: &[Given<'_>] = &[("x", &[], &[(60_000, 2.0)])];
    let sources = sources_of(&[(Some("a"), one), (Some("b"), other)]);
    assert_eq!(
        shown(&sources, "sum by (__tenant_id__) (x)", minutes(1)),
        ["__tenant_id__=a 1", "__tenant_id__=b 2"]
    );
    assert_eq!(
        shown(&sources, "x{__tenant_id__=\"b\"}", minutes(1)),
        ["__name__=x,__tenant_id__=b 2"]
    );
}

#[test]
fn what_is_not_supported_says_so() {
    let sources = sources(&[("x", &[], &[(60_000, 1.0)])]);
    for (text, why) in [
        ("nonsense(x)", "unknown function with name 'nonsense'"),
        ("hour(x)", "the function hour is not supported here"),
        ("x[5m]", "stands alone in an instant query"),
        ("sum(x[5m])", "expected type vector"),
        (
            "x[5m:1ms] + 1",
            "must contain only scalar and instant vector types",
        ),
        (
            "max_over_time(x[5d:1s])",
            "a subquery has 432000 steps, the limit is 11000",
        ),
        ("{a=\"1\" or b=\"2\"}", "between matchers is not supported"),
        (
            "\"a\" + 1",
            "must contain only scalar and instant vector types",
        ),
    ] {
        let error = evaluate(&sources, text, minutes(1)).unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
        assert!(matches!(error, Error::Invalid(_)), "{text}: {error:?}");
    }
}

#[test]
fn label_replace_has_bounded_patterns_too() {
    let sources = sources(&[("x", &[("a", "1")], &[(60_000, 1.0)])]);
    let nested = |count: usize, pattern: &str| {
        (0..count).fold("x".to_owned(), |inner, _| {
            format!("label_replace({inner}, \"b\", \"$1\", \"a\", \"{pattern}\")")
        })
    };
    assert_eq!(
        shown(&sources, &nested(2, "(.*)"), minutes(1)),
        ["__name__=x,a=1,b=1 1"]
    );
    for text in [nested(1, "(\\\\w{150})"), nested(40, "(.*)")] {
        let error = evaluate(&sources, &text, minutes(1)).unwrap_err();
        assert!(error.to_string().contains("regular expression"), "{error}");
    }
}

#[test]
fn many_operators_are_evaluated_on_a_thread_of_the_pool() {
    let text = format!("{}1", "1+".repeat(500));
    let pool = crate::pool::Pool::new(crate::Config::default());
    let asked = pool.run(move |budget| {
        let sources = sources(&[]);
        let expression = parse(&text, budget)?;
        let timing = Timing::of(minutes(1), 300_000);
        Evaluation::new(&sources, None, timing, budget).evaluate(&expression)
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let value = runtime.block_on(asked).unwrap();
    assert!(matches!(value, Value::Scalar(numbers) if numbers == [501.0]));
}

#[test]
fn quantiles_of_buckets_that_are_none_are_no_numbers() {
    let of = |share, buckets: &[(f64, f64)]| histogram::of_buckets(share, buckets.to_vec());
    let good = [(1.0, 5.0), (2.0, 10.0), (f64::INFINITY, 10.0)];
    assert!((of(0.75, &good) - 1.5).abs() < 1e-12);
    assert!(of(-0.1, &good).is_infinite() && of(-0.1, &good) < 0.0);
    assert!(of(1.1, &good).is_infinite() && of(1.1, &good) > 0.0);
    // All above the last bound there is.
    assert!((of(0.9, &[(1.0, 0.0), (f64::INFINITY, 4.0)]) - 1.0).abs() < 1e-12);
    assert!(of(0.5, &good[..2]).is_nan());
    assert!(of(0.5, &[(1.0, 0.0), (f64::INFINITY, 0.0)]).is_nan());
    assert!(of(0.5, &[(f64::INFINITY, 9.0)]).is_nan());
}

#[test]
fn a_prediction_is_from_the_time_of_the_question_also_with_an_offset() {
    let samples: Vec<(i64, f64)> = (0..=60).map(|at| (at * 1000, at as f64)).collect();
    let sources = sources(&[("x", &[], &samples)]);
    for text in [
        "predict_linear(x[1m], 60)",
        "predict_linear(x[1m] offset 20s, 60)",
        "predict_linear(x[1m] @ 40, 60)",
    ] {
        let value = shown(&sources, &format!("round({text})"), minutes(1));
        assert_eq!(value, [" 120"], "{text}");
    }
}

#[test]
fn a_quantile_has_what_is_no_number_first() {
    let given: &[Given<'_>] = &[
        ("x", &[("a", "1")], &[(59_000, f64::NAN), (60_000, 1.0)]),
        ("x", &[("a", "2")], &[(60_000, 2.0)]),
        ("x", &[("a", "3")], &[(60_000, f64::NAN)]),
    ];
    let sources = sources(given);
    for (text, expected) in [
        ("quantile(1, x)", " 2"),
        ("quantile(0.5, x)", " 1"),
        ("quantile(0, x)", " NaN"),
        ("quantile_over_time(1, x{a=\"1\"}[5m])", "a=1 1"),
    ] {
        assert_eq!(shown(&sources, text, minutes(1)), [expected], "{text}");
    }
}
