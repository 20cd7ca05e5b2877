//! Buckets are where Prometheus looks for them, and nothing is lost by merging.

use proptest::prelude::*;
use prost::Message as _;

use super::{Exponential, MOST_BUCKETS, index};
use crate::wire::v1::{Count, Histogram, ZeroCount};

fn observed(values: &[f64]) -> Exponential {
    let mut histogram = Exponential::default();
    for value in values {
        histogram.observe(*value, 1.0);
    }
    histogram
}

fn message(histogram: &Exponential) -> Histogram {
    Histogram::decode(histogram.message(2000, 1000).as_slice()).unwrap()
}

/// Bucket indices with their counts, as a reader of the message sees them.
fn buckets(message: &Histogram) -> Vec<(i32, i64)> {
    let mut buckets = Vec::new();
    let mut deltas = message.positive_deltas.iter();
    let (mut index, mut count) = (0, 0);
    for span in &message.positive_spans {
        index += span.offset;
        for _ in 0..span.length {
            count += deltas.next().unwrap();
            buckets.push((index, count));
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    buckets
}

#[test]
fn a_bound_belongs_to_the_bucket_below_it() {
    // Schema 0: (0.5, 1] is 0, (1, 2] is 1, (2, 4] is 2.
    assert_eq!(
        [0.6, 1.0, 1.1, 2.0, 4.0].map(|value| index(value, 0)),
        [0, 0, 1, 1, 2]
    );
    assert_eq!(
        [1.0, 2.0, 4.0, 0.5].map(|value| index(value, 3)),
        [0, 8, 16, -8]
    );
    assert_eq!([4.0, 16.0, 17.0].map(|value| index(value, -1)), [1, 2, 3]);
}

#[test]
fn the_message_says_what_was_observed() {
    let message = message(&observed(&[1.0, 1.0, 1.05, 2.0, 0.0, -3.0]));
    assert_eq!(buckets(&message), [(0, 2), (1, 1), (8, 1)]);
    assert_eq!(message.count, Some(Count::CountInt(6)));
    assert_eq!(message.zero_count, Some(ZeroCount::ZeroCountInt(1)));
    assert_eq!(message.negative_deltas, [1]);
    assert!((message.sum - 2.05).abs() < 1e-9);
    assert_eq!((message.timestamp, message.start_timestamp), (2000, 1000));
    assert_eq!(message.schema, 3);
}

#[test]
fn too_many_buckets_are_merged_in_pairs() {
    let values: Vec<f64> = (0..1000)
        .map(|n| f64::from(n).mul_add(0.1, -40.0).exp2())
        .collect();
    let histogram = observed(&values);
    assert!(histogram.buckets() <= MOST_BUCKETS);
    let message = message(&histogram);
    assert_eq!(message.schema, 0);
    assert_eq!(message.count, Some(Count::CountInt(1000)));
    let total: i64 = buckets(&message).iter().map(|(_, count)| count).sum();
    assert_eq!(total, 1000);
}

#[test]
fn the_smallest_and_the_largest_double_fit() {
    let histogram = observed(&[f64::MIN_POSITIVE, 5e-324, f64::MAX, -f64::MAX, 1e-38]);
    assert!((histogram.count() - 5.0).abs() < 1e-9);
    assert_eq!(message(&histogram).count, Some(Count::CountInt(5)));
}

#[test]
fn a_quantile_is_near_the_value() {
    let values: Vec<f64> = (1..=1000).map(f64::from).collect();
    let histogram = observed(&values);
    for (share, value) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (1.0, 1000.0)] {
        let found = histogram.quantile(share);
        assert!((found / value - 1.0).abs() < 0.06, "{share}: {found}");
    }
    assert!(Exponential::default().quantile(0.5).is_nan());
    let mut fine = Exponential::fine();
    (1..=9).for_each(|value| fine.observe(f64::from(value), 1.0));
    assert!((fine.quantile(0.5) / 5.0 - 1.0).abs() < 0.012);
}

#[test]
fn weights_count_as_so_many() {
    let mut histogram = Exponential::default();
    histogram.observe(0.2, 10.0);
    histogram.observe(0.2, 1.0 / 0.3);
    assert_eq!(message(&histogram).count, Some(Count::CountInt(13)));
    assert!((histogram.sum() - 0.2 * (10.0 + 1.0 / 0.3)).abs() < 1e-9);
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![-1e6..1e6, -1.0..1.0, proptest::num::f64::NORMAL, Just(0.0)]
}

proptest! {
    #[test]
    fn merging_is_observing_both(
        left in proptest::collection::vec(any_value(), 0..300),
        right in proptest::collection::vec(any_value(), 0..300),
    ) {
        let mut merged = observed(&left);
        merged.merge(observed(&right));
        let all: Vec<f64> = left.into_iter().chain(right).collect();
        let all = observed(&all);
        prop_assert!((merged.count() - all.count()).abs() < 1e-6);
        prop_assert!(merged.positive.is_sorted_by_key(|(index, _)| *index));
        prop_assert!(merged.positive.len() <= MOST_BUCKETS);
        prop_assert_eq!(message(&merged).count, message(&all).count);
    }
}

#[test]
fn merging_buckets_takes_nothing_from_a_count() {
    let mut histogram = Exponential::default();
    let mut before = 0;
    // Half observations, each of which has been rounded up in what was said.
    for number in 0..2_u32 * 160 {
        histogram.observe(1.09_f64.powi(number.cast_signed()), 1.5);
        let Some(Count::CountInt(count)) = message(&histogram).count else {
            panic!("not whole");
        };
        assert!(count >= before, "{count} after {before}");
        before = count;
    }
}
