//! Quantiles as Prometheus would compute them.

use super::Buckets;

fn buckets(counts: &[(&str, f64)]) -> Buckets {
    let mut buckets = Buckets::default();
    for (bound, count) in counts {
        buckets.add(bound, *count);
    }
    buckets
}

fn is_near(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-9, "{found}");
}

#[test]
fn a_quantile_is_linear_within_its_bucket() {
    let buckets = buckets(&[("0.1", 50.0), ("0.2", 100.0), ("+Inf", 100.0)]);
    is_near(buckets.quantile(0.5), 0.1);
    is_near(buckets.quantile(0.75), 0.15);
    is_near(buckets.quantile(0.25), 0.05);
}

#[test]
fn what_is_beyond_the_last_bound_is_at_it() {
    let buckets = buckets(&[("0.1", 1.0), ("0.2", 1.0), ("+Inf", 10.0)]);
    is_near(buckets.quantile(0.99), 0.2);
}

#[test]
fn nothing_has_no_quantile() {
    assert!(Buckets::default().quantile(0.5).is_none());
    assert!(
        buckets(&[("0.1", 0.0), ("+Inf", 0.0)])
            .quantile(0.5)
            .is_none()
    );
}

#[test]
fn only_what_came_since_counts_of_all_labels_together() {
    let before = buckets(&[("0.1", 10.0), ("+Inf", 10.0)]);
    let mut now = buckets(&[("0.1", 10.0), ("0.2", 12.0), ("+Inf", 12.0)]);
    now.add("0.1", 0.0);
    now.add("0.2", 2.0);
    now.add("+Inf", 2.0);
    let since = now.since(&before);
    assert_eq!(
        since,
        buckets(&[("0.1", 0.0), ("0.2", 14.0), ("+Inf", 4.0)])
    );
    is_near(since.quantile(0.99), 0.1 + 0.1 * 3.96 / 14.0);
}
