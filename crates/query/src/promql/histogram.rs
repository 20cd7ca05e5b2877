//! Quantiles of classic histograms: series that differ in their label `le` alone.

use std::collections::BTreeMap;

use promql_parser::parser::Expr;

use super::evaluation::Evaluation;
use super::value::{Row, absent};
use crate::error::Error;
use crate::labels::Labels;

const BOUND: &str = "le";

/// For each group of buckets the value below which that share of the observations is.
pub(super) fn quantile(
    evaluation: &mut Evaluation<'_>,
    shares: &[f64],
    buckets: &Expr,
) -> Result<Vec<Row>, Error> {
    let mut groups: BTreeMap<Labels, Vec<(f64, Row)>> = BTreeMap::new();
    for row in evaluation.vector(buckets)? {
        // Series without a bound are no buckets.
        if let Ok(bound) = row.labels.get(BOUND).parse::<f64>() {
            let labels = row.labels.only(|name| name != BOUND).without_name();
            groups.entry(labels).or_default().push((bound, row));
        }
    }
    let mut rows = Vec::with_capacity(groups.len());
    for (labels, mut buckets) in groups {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut values = Vec::with_capacity(shares.len());
        for (step, share) in shares.iter().enumerate() {
            evaluation.budget.steps(buckets.len())?;
            let at_step: Vec<(f64, f64)> = buckets
                .iter()
                .filter_map(|(bound, row)| Some((*bound, row.get(step)?)))
                .collect();
            values.push(if at_step.is_empty() {
                absent()
            } else {
                of_buckets(*share, at_step)
            });
        }
        rows.push(evaluation.take(Row { labels, values })?);
    }
    rows.retain(|row| !row.is_empty());
    Ok(rows)
}

/// Of cumulative buckets, sorted by their bounds.
pub(super) fn of_buckets(share: f64, buckets: Vec<(f64, f64)>) -> f64 {
    if share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    // Bounds that are the same but for their writing are one; counts that fall by rounding do not.
    let mut merged: Vec<(f64, f64)> = Vec::with_capacity(buckets.len());
    for (bound, count) in buckets {
        match merged.last_mut() {
            Some(last) if last.0.total_cmp(&bound).is_eq() => last.1 += count,
            _ => merged.push((bound, count)),
        }
    }
    let mut most = f64::NEG_INFINITY;
    for (_, count) in &mut merged {
        most = most.max(*count);
        *count = most;
    }
    let [below @ .., (end, all)] = merged.as_slice() else {
        return f64::NAN;
    };
    let is_whole = *end == f64::INFINITY && !below.is_empty();
    if !is_whole || *all <= 0.0 || all.is_nan() {
        return f64::NAN;
    }
    let rank = share * all;
    let Some(at) = below.iter().position(|(_, count)| *count >= rank) else {
        return below.last().map_or(f64::NAN, |(bound, _)| *bound);
    };
    let before = at.checked_sub(1).and_then(|before| below.get(before));
    match (before, below.get(at)) {
        (None, Some((bound, _))) if *bound <= 0.0 => *bound,
        (before, Some((bound, count))) => {
            let (start, counted) = before.copied().unwrap_or((0.0, 0.0));
            start + (bound - start) * ((rank - counted) / (count - counted))
        }
        (_, None) => f64::NAN,
    }
}
