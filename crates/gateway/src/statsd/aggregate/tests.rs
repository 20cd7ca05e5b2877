//! Nothing that was taken is lost or said twice, whatever the buffer does.

use std::collections::BTreeMap;

use codec::statsd::{Found, decode};
use codec::wire::v1::{Count, Histogram};
use model::{Limits, MetricType, Value};
use proptest::prelude::*;
use prost::Message as _;
use service::units::{Period, Size};

use super::super::flush::decoded;
use super::super::rules::Rules;
use super::{Aggregator, Scratch};
use crate::config::{Distributions, RecordFormat, SignedGauges, StatsdConfig, TimerUnit};

const START_MS: i64 = 1_700_000_000_000;

fn aggregator(config: &StatsdConfig) -> Aggregator {
    let rules = Rules::of(
        config,
        &Limits::default(),
        RecordFormat::Protobuf,
        "gw-1".to_owned(),
    );
    Aggregator::new(rules, config.max_memory.bytes())
}

/// Adds lines, and answers why some were not taken.
fn add(aggregator: &Aggregator, at_ms: i64, lines: &str) -> Vec<&'static str> {
    let (mut scratch, mut refused) = (Scratch::default(), Vec::new());
    decode(lines.as_bytes(), |_, found| match found {
        Found::Sample(sample) => {
            if let Err(reason) = aggregator.add(&sample, &mut scratch, at_ms) {
                refused.push(reason.as_str());
            }
        }
        other => panic!("{other:?}"),
    });
    refused
}

/// What a flush says, as `name{label="value"} value` with `@seconds` after the start where it is not now.
fn flush(aggregator: &Aggregator, at_ms: i64, is_confirmed: bool) -> Vec<String> {
    let mut said = Vec::new();
    for part in 0..aggregator.parts() {
        let items = aggregator.snapshot(part, at_ms);
        let decoded = decoded(&items, at_ms, &aggregator.rules);
        let batch = &decoded.batch;
        assert_eq!(decoded.objects as usize, items.len());
        for sample in batch.samples() {
            let series = batch.series(sample.series).unwrap();
            let labels: Vec<String> = batch
                .labels(series)
                .iter()
                .filter(|label| (&*label.name, &*label.value) != ("gateway", "gw-1"))
                .map(|label| format!("{}={}", label.name, label.value))
                .collect();
            let value = match sample.value {
                Value::Float(value) if value.to_bits() == super::super::flush::STALE.to_bits() => {
                    "ends".to_owned()
                }
                Value::Float(value) => value.to_string(),
                Value::Histogram(number) => {
                    let histogram = Histogram::decode(batch.histogram(number)).unwrap();
                    let Some(Count::CountInt(count)) = histogram.count else {
                        panic!("{histogram:?}")
                    };
                    format!("n={count} sum={:.3}", histogram.sum)
                }
                Value::Exemplar(_) => panic!("no exemplars here"),
            };
            let mut line = format!("{}{{{}}} {value}", series.name, labels.join(","));
            if sample.at_ms != at_ms {
                line += &format!(" @{}", (sample.at_ms - START_MS) / 1000);
            }
            said.push(line);
        }
        if is_confirmed {
            aggregator.confirm(part, &items);
        }
    }
    said.sort();
    said
}

fn flushed(config: &StatsdConfig, lines: &str) -> Vec<String> {
    let aggregator = aggregator(config);
    assert_eq!(add(&aggregator, START_MS, lines), [""; 0]);
    flush(&aggregator, START_MS, true)
}

#[test]
fn each_type_becomes_what_it_is() {
    let said = flushed(
        &StatsdConfig::default(),
        "hits:2|c|@0.1\nhits:1|c\nmarks:3|m\ntemp:20|g\ntemp:+2.5|g\ntemp:-1|g\nusers:a|s\nusers:b|s\nusers:a|s\n\
         took:100:300|ms\ntook:200|ms|@0.5\nsize:7|h\nsize:9|d",
    );
    assert_eq!(
        said,
        [
            "hits{} 21",
            "marks{} 3",
            "size{} n=2 sum=16.000",
            "temp{} 21.5",
            "took{} n=4 sum=0.800",
            "users{} 2",
        ]
    );
}

#[test]
fn types_and_units_are_told() {
    let aggregator = aggregator(&StatsdConfig::default());
    add(&aggregator, START_MS, "a:1|c\nb:1|g\nc:1|ms\nd:1|h\ne:1|s");
    let mut told = BTreeMap::new();
    for part in 0..aggregator.parts() {
        let items = aggregator.snapshot(part, START_MS);
        for series in decoded(&items, START_MS, &aggregator.rules)
            .batch
            .all_series()
        {
            told.insert(
                series.name.to_string(),
                (series.kind, series.unit.to_string()),
            );
        }
    }
    let told: Vec<_> = told.into_values().collect();
    let expected = [
        (MetricType::Counter, ""),
        (MetricType::Gauge, ""),
        (MetricType::Histogram, "seconds"),
        (MetricType::Histogram, ""),
        (MetricType::Gauge, ""),
    ];
    assert_eq!(told, expected.map(|(kind, unit)| (kind, unit.to_owned())));
}

#[test]
fn the_order_of_tags_makes_no_other_series() {
    let said = flushed(
        &StatsdConfig::default(),
        "a:1|c|#x:1,y:2\na:2|c|#y:2,x:1\na;y=2;x=1:4|c\na:8|c|#x:0,y:2,x:1\na:16|c|#x:1\na:32|c|#gateway:mine",
    );
    assert_eq!(
        said,
        ["a{exported_gateway=mine} 32", "a{x=1,y=2} 15", "a{x=1} 16"]
    );
}

#[test]
fn a_counter_begins_with_zero_where_its_first_line_came() {
    let aggregator = aggregator(&StatsdConfig::default());
    add(&aggregator, START_MS, "hits:5|c");
    assert_eq!(
        flush(&aggregator, START_MS + 4000, true),
        ["hits{} 0 @0", "hits{} 5"]
    );
    assert_eq!(flush(&aggregator, START_MS + 9000, true), ["hits{} 5"]);
}

#[test]
fn the_zero_is_said_until_it_is_confirmed() {
    let aggregator = aggregator(&StatsdConfig::default());
    add(&aggregator, START_MS, "hits:3|c");
    let zero = "hits{} 0 @0".to_owned();
    assert!(flush(&aggregator, START_MS + 10_000, false).contains(&zero));
    assert!(flush(&aggregator, START_MS + 20_000, true).contains(&zero));
    assert!(!flush(&aggregator, START_MS + 30_000, true).contains(&zero));
}

#[test]
fn what_can_be_said_only_once_is_kept_until_it_is_confirmed() {
    let config = StatsdConfig {
        distributions: Distributions::Quantiles,
        quantiles: vec![1.0],
        ..StatsdConfig::default()
    };
    let aggregator = aggregator(&config);
    add(
        &aggregator,
        START_MS,
        "u:a|s\nt:1|h\npast:3|c|T1699999990\npast:4|c|T1699999990\nold:-7|g|T1699999990",
    );
    let first = [
        "old{} -7 @-10",
        "past{} 7 @-10",
        "t_count{} 1",
        "t_sum{} 1",
        "t{quantile=1} 0.9892280131939755",
        "u{} 1",
    ];
    assert_eq!(flush(&aggregator, START_MS, false), first);
    add(&aggregator, START_MS, "u:b|s");
    let second = flush(&aggregator, START_MS, true);
    assert!(
        second.contains(&"u{} 2".to_owned()) && second.contains(&"past{} 7 @-10".to_owned()),
        "{second:?}"
    );
    let third = ["t_count{} 1", "t_sum{} 1", "t{quantile=1} NaN", "u{} 0"];
    assert_eq!(flush(&aggregator, START_MS, true), third);
}

#[test]
fn lines_during_a_flush_belong_to_the_next() {
    let aggregator = aggregator(&StatsdConfig::default());
    add(&aggregator, START_MS, "u:a|s\npast:1|c|T1699999990");
    let parts: Vec<_> = (0..aggregator.parts())
        .map(|part| aggregator.snapshot(part, START_MS))
        .collect();
    add(&aggregator, START_MS, "u:b|s\nu:c|s\npast:1|c|T1699999990");
    for (part, items) in parts.iter().enumerate() {
        aggregator.confirm(part, items);
    }
    assert_eq!(
        flush(&aggregator, START_MS, true),
        ["past{} 2 @-10", "u{} 2"]
    );
}

#[test]
fn distributions_are_what_the_setting_says() {
    let classic = StatsdConfig {
        distributions: Distributions::Classic,
        buckets: vec![0.1, 1.0],
        ..StatsdConfig::default()
    };
    let said = flushed(&classic, "t:100:500:5000|ms|#le:x");
    assert_eq!(
        said,
        [
            "t_bucket{exported_le=x,le=+Inf} 3",
            "t_bucket{exported_le=x,le=0.1} 1",
            "t_bucket{exported_le=x,le=1} 2",
            "t_count{exported_le=x} 3",
            "t_sum{exported_le=x} 5.6",
        ]
    );
    let milliseconds = StatsdConfig {
        timers: TimerUnit::Milliseconds,
        ..StatsdConfig::default()
    };
    assert_eq!(flushed(&milliseconds, "t:100|ms"), ["t{} n=1 sum=100.000"]);
    let values = StatsdConfig {
        signed_gauges: SignedGauges::Value,
        ..StatsdConfig::default()
    };
    assert_eq!(flushed(&values, "g:5|g\ng:-3|g"), ["g{} -3"]);
    let json = Rules::of(
        &StatsdConfig::default(),
        &Limits::default(),
        RecordFormat::Json,
        String::new(),
    );
    assert_eq!(json.distributions, Distributions::Classic);
}

#[test]
fn a_series_ends_when_nothing_comes_any_more_but_not_before_all_of_it_is_stored() {
    let config = StatsdConfig {
        expire_after: Period::secs(60),
        ..StatsdConfig::default()
    };
    let aggregator = aggregator(&config);
    let empty_bytes = aggregator.used_bytes();
    add(&aggregator, START_MS, "a:1|c\nb:1|ms");
    flush(&aggregator, START_MS + 1000, false);
    assert_eq!(
        flush(&aggregator, START_MS + 70_000, true),
        ["a{} 0 @0", "a{} 1", "b{} n=1 sum=0.001"]
    );
    assert_eq!(
        flush(&aggregator, START_MS + 80_000, false),
        ["a{} ends", "b{} ends"]
    );
    add(&aggregator, START_MS + 81_000, "a:1|c");
    assert_eq!(
        flush(&aggregator, START_MS + 90_000, true),
        ["a{} 2", "b{} ends"]
    );
    assert_eq!(flush(&aggregator, START_MS + 200_000, true), ["a{} ends"]);
    assert_eq!(flush(&aggregator, START_MS + 210_000, true), [""; 0]);
    assert_eq!(aggregator.used_bytes(), empty_bytes);
}

#[test]
fn what_is_not_taken_says_why_and_changes_nothing() {
    let aggregator = aggregator(&StatsdConfig::default());
    add(&aggregator, START_MS, "a:1|c\nb:1|g");
    assert_eq!(
        add(&aggregator, START_MS, "a:1|g\na:1|ms\nb:1|c"),
        ["type_conflict"; 3]
    );
    assert_eq!(add(&aggregator, START_MS, "a:2:-1|c"), ["negative_count"]);
    assert_eq!(
        add(&aggregator, START_MS, "a:1e308|c|@0.01"),
        ["sum_too_large"]
    );
    assert_eq!(
        add(&aggregator, START_MS, "t:1e308:1e308|h"),
        ["sum_too_large"]
    );
    assert_eq!(
        add(&aggregator, START_MS, "a:1|c|#__name__:x"),
        ["label_name_invalid"]
    );
    assert_eq!(
        add(&aggregator, START_MS, "a\tb:1|c"),
        ["metric_name_invalid"]
    );
    let many: Vec<String> = (0..31).map(|n| format!("tag{n}:x")).collect();
    assert_eq!(
        add(&aggregator, START_MS, &format!("a:1|c|#{}", many.join(","))),
        ["too_many_labels"]
    );
    assert_eq!(flush(&aggregator, START_MS, true), ["a{} 1", "b{} 1"]);
}

#[test]
fn memory_has_a_bound_and_what_is_held_already_goes_on() {
    let config = StatsdConfig {
        max_memory: Size::mib(1),
        ..StatsdConfig::default()
    };
    let aggregator = aggregator(&config);
    add(&aggregator, START_MS, "first:1|c\nset:0|s\nhist:1|h");
    let mut full = 0;
    for number in 0..20_000 {
        full += add(
            &aggregator,
            START_MS,
            &format!("a:1|c|#id:{number}\nset:{number}|s"),
        )
        .len();
    }
    assert!(full > 10_000, "{full}");
    assert!(
        aggregator.used_bytes() < 1_100_000,
        "{}",
        aggregator.used_bytes()
    );
    assert_eq!(add(&aggregator, START_MS, "new:1|c"), ["memory_full"]);
    assert_eq!(
        add(&aggregator, START_MS, "first:1|c\nhist:1|h\nset:0|s"),
        [""; 0]
    );
    assert_eq!(
        add(&aggregator, START_MS, "hist:1:1000000|h"),
        ["memory_full"]
    );
    let said = flush(&aggregator, START_MS, true);
    assert!(said.contains(&"first{} 2".to_owned()));
    assert!(said.contains(&"hist{} n=2 sum=2.000".to_owned()));
}

#[derive(Debug, Clone)]
enum Step {
    Add {
        name: u8,
        host: u8,
        value: u32,
        rate: u8,
    },
    Flush {
        is_confirmed: bool,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, 0..3_u8, 0..1000_u32, 1..=10_u8)
            .prop_map(|(name, host, value, rate)| Step::Add { name, host, value, rate }),
        1 => any::<bool>().prop_map(|is_confirmed| Step::Flush { is_confirmed }),
    ]
}

proptest! {
    #[test]
    fn counters_are_the_sum_of_their_increments_whatever_flushes_fail(steps in proptest::collection::vec(any_step(), 0..100)) {
        let aggregator = aggregator(&StatsdConfig::default());
        let mut sums: BTreeMap<(u8, u8), f64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add { name, host, value, rate } => {
                    let rate = f64::from(rate) / 10.0;
                    let line = format!("n{name}:{value}|c|@{rate}|#host:{host}");
                    prop_assert!(add(&aggregator, START_MS, &line).is_empty());
                    *sums.entry((name, host)).or_default() += f64::from(value) / rate;
                }
                Step::Flush { is_confirmed } => {
                    flush(&aggregator, START_MS, is_confirmed);
                }
            }
        }
        let expected: Vec<String> =
            sums.iter().map(|((name, host), sum)| format!("n{name}{{host={host}}} {sum}")).collect();
        prop_assert_eq!(flush(&aggregator, START_MS, true), expected);
    }
}
