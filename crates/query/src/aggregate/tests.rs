//! Aggregates are what their names say.

use super::*;
use crate::budget::plenty;
use crate::labels::labels;

fn series(host: &str, samples: &[(i64, f64)]) -> Series {
    Series {
        labels: labels(&[("__name__", "x"), ("host", host)]),
        kind: model::MetricType::Unspecified,
        samples: samples.to_vec(),
    }
}

fn groups(names: &str, step_ms: Option<i64>, by: Option<&[&str]>, series: &[Series]) -> Vec<Group> {
    let aggregates = Aggregate::list(names).unwrap();
    let by: Option<BTreeSet<String>> =
        by.map(|by| by.iter().map(|name| (*name).to_owned()).collect());
    let grouping = Grouping {
        aggregates: &aggregates,
        step_ms,
        by: by.as_ref(),
    };
    grouping.groups(series, 500, &mut plenty()).unwrap()
}

#[test]
fn one_row_has_every_aggregate() {
    let samples = [
        (1000, 2.0),
        (2000, 4.0),
        (3000, f64::NAN),
        (4000, 4.0),
        (6000, 10.0),
    ];
    let all = "count,sum,min,max,mean,median,std_dev,p95,p99,rate";
    let groups = groups(all, None, None, &[series("a", &samples)]);
    let [group] = groups.as_slice() else {
        panic!("{groups:?}")
    };
    let [(at_ms, values)] = group.rows.as_slice() else {
        panic!("{groups:?}")
    };
    assert_eq!(*at_ms, 500);
    let expected = [4.0, 20.0, 2.0, 10.0, 5.0, 4.0, 3.0, 9.1, 9.82, 8.0 / 5.0];
    for (value, expected) in values.iter().zip(expected) {
        assert!((value.unwrap() - expected).abs() < 1e-9, "{values:?}");
    }
}

#[test]
fn steps_begin_at_multiples_and_a_rate_goes_on_from_the_step_before() {
    let samples = [
        (59_000, 10.0),
        (61_000, 14.0),
        (119_000, 2.0),
        (120_000, 5.0),
    ];
    let groups = groups("count,rate", Some(60_000), None, &[series("a", &samples)]);
    // From 10 to 14, and from nothing to 2: the counter began anew.
    let rows = [
        (0, vec![Some(1.0), None]),
        (60_000, vec![Some(2.0), Some(6.0 / 60.0)]),
        (120_000, vec![Some(1.0), Some(3.0)]),
    ];
    assert_eq!(groups[0].rows, rows);
}

#[test]
fn groups_share_the_labels_that_were_named_and_rates_add_up() {
    let one = series("a", &[(1000, 1.0), (2000, 2.0)]);
    let other = series("b", &[(1000, 5.0), (3000, 9.0)]);
    let found = groups(
        "count,max,rate",
        None,
        Some(&[]),
        &[one.clone(), other.clone()],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].labels, labels(&[("__name__", "x")]));
    assert_eq!(
        found[0].rows,
        [(500, vec![Some(4.0), Some(9.0), Some(3.0)])]
    );
    assert_eq!(
        groups("count", None, Some(&["host"]), &[one, other]).len(),
        2
    );
}

#[test]
fn a_value_that_does_not_change_has_no_deviation() {
    let samples: Vec<(i64, f64)> = (0..1000).map(|at| (at, 0.1)).collect();
    let groups = groups("std_dev,mean", None, None, &[series("a", &samples)]);
    assert_eq!(groups[0].rows[0].1, [Some(0.1), Some(0.0)]);
}
