//! Columns that come and go, and the bounds.

use std::collections::BTreeMap;

use super::{History, MAX_COLUMNS, MAX_ROWS};
use crate::shapes;

fn point(values: &[(&str, f64)]) -> BTreeMap<String, f64> {
    let values = values.iter();
    values
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

fn shown(history: &History) -> shapes::History {
    serde_json::from_str(&history.json()).unwrap()
}

#[test]
fn every_column_has_a_value_or_null_for_every_row() {
    let mut history = History::default();
    history.add(1000, &point(&[("a", 1.5)]));
    history.add(2000, &point(&[("a", 2.0), ("b", 86_399.2)]));
    history.add(3000, &point(&[("b", f64::NAN)]));
    let shown = shown(&history);
    assert_eq!(shown.at_ms, [1000, 2000, 3000]);
    assert_eq!(shown.columns["a"], [Some(1.5), Some(2.0), None]);
    assert_eq!(shown.columns["b"], [None, Some(86_399.2), None]);
}

#[test]
fn rows_that_are_minutes_old_go_and_columns_without_a_value_with_them() {
    let mut history = History::default();
    history.add(0, &point(&[("old", 1.0), ("a", 1.0)]));
    for second in 1..=400 {
        history.add(second * 1000, &point(&[("a", 1.0)]));
    }
    let shown = shown(&history);
    assert!(shown.at_ms.len() <= MAX_ROWS);
    assert_eq!(shown.at_ms.first(), Some(&100_000));
    assert_eq!(shown.columns.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn there_are_never_more_columns_than_are_kept() {
    let mut history = History::default();
    for row in 0..3 {
        let many = (0..200).map(|at| (format!("tenant:{row}-{at}"), 1.0));
        history.add(row, &many.collect());
    }
    assert_eq!(shown(&history).columns.len(), MAX_COLUMNS);
}
