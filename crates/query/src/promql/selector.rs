//! Selectors: the samples that a part of an expression is about.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use promql_parser::parser::{AtModifier, Expr, Offset, SubqueryExpr, VectorSelector};

use super::evaluation::{Evaluation, Steps, Timing};
use super::value::{Row, absent, is_absent};
use crate::ask::conditions;
use crate::error::{Error, invalid};
use crate::labels::Matching;
use crate::source::{From, Keep, Selection, Series};

/// How far a subquery's steps are apart when it does not say.
const SUBQUERY_STEP_MS: i64 = 60_000;

/// A subquery has no more steps than a query.
const MAX_SUBQUERY_STEPS: i64 = 11_000;

/// Series with samples, and the time behind each step that counts.
#[derive(Debug)]
pub(crate) struct Ranges {
    pub(crate) series: Vec<Series>,
    pub(crate) range_ms: i64,
    /// For each step when its range ends.
    pub(crate) ends: Vec<i64>,
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn moment(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}

/// For each step the time that a selector is about.
fn ends(timing: &Timing, offset: Option<&Offset>, at: Option<&AtModifier>) -> Vec<i64> {
    let offset_ms = match offset {
        Some(Offset::Pos(back)) => millis(*back),
        Some(Offset::Neg(ahead)) => -millis(*ahead),
        None => 0,
    };
    let fixed = at.map(|at| match at {
        AtModifier::Start => timing.whole.0,
        AtModifier::End => timing.whole.1,
        AtModifier::At(time) => moment(*time),
    });
    let times = timing.steps.times();
    times
        .map(|time| fixed.unwrap_or(time).saturating_sub(offset_ms))
        .collect()
}

impl Evaluation<'_> {
    fn fetch(
        &mut self,
        selector: &VectorSelector,
        ends: &[i64],
        back_ms: i64,
    ) -> Result<Vec<Series>, Error> {
        let (Some(first), Some(last)) = (ends.iter().min(), ends.iter().max()) else {
            return Ok(Vec::new());
        };
        let selection = Selection {
            matching: Matching::any_of(vec![conditions(selector)?], self.tenant.clone()),
            // What is as old as the range is long does not count.
            from_ms: first.saturating_sub(back_ms).saturating_add(1),
            to_ms: *last,
            want: Keep::Samples,
        };
        let found = self.sources.select(From::Both, &selection, self.budget)?;
        for warning in found.warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        Ok(found.series)
    }

    /// The newest value of each series at each step, unless it is too old or the series has ended.
    pub(super) fn latest(&mut self, selector: &VectorSelector) -> Result<Vec<Row>, Error> {
        self.newest(selector, |_, value| value)
    }

    /// The same, of which something else is wanted than the value.
    pub(super) fn newest(
        &mut self,
        selector: &VectorSelector,
        get: impl Fn(i64, f64) -> f64,
    ) -> Result<Vec<Row>, Error> {
        let lookback_ms = self.timing.lookback_ms;
        let ends = ends(&self.timing, selector.offset.as_ref(), selector.at.as_ref());
        let mut rows = Vec::new();
        for series in self.fetch(selector, &ends, lookback_ms)? {
            let mut next = 0;
            let values = ends.iter().map(|end_ms| {
                while let Some((at_ms, _)) = series.samples.get(next)
                    && at_ms <= end_ms
                {
                    next += 1;
                }
                let newest = next.checked_sub(1).and_then(|at| series.samples.get(at));
                match newest {
                    Some(&(at_ms, value))
                        if at_ms > end_ms.saturating_sub(lookback_ms) && !is_absent(value) =>
                    {
                        get(at_ms, value)
                    }
                    _ => absent(),
                }
            });
            let row = Row {
                values: values.collect(),
                labels: series.labels,
            };
            self.budget
                .give_back(series.samples.capacity() * size_of::<(i64, f64)>());
            if !row.is_empty() {
                rows.push(self.take(row)?);
            }
        }
        Ok(rows)
    }

    /// The samples behind each step: of a selector with a range, or of an expression that is evaluated again and again.
    pub(crate) fn ranges(&mut self, expression: &Expr) -> Result<Ranges, Error> {
        match expression {
            Expr::Paren(inner) => self.ranges(&inner.expr),
            Expr::MatrixSelector(matrix) => {
                let selector = &matrix.vs;
                let range_ms = millis(matrix.range);
                let ends = ends(&self.timing, selector.offset.as_ref(), selector.at.as_ref());
                let mut series = self.fetch(selector, &ends, range_ms)?;
                for series in &mut series {
                    series.samples.retain(|(_, value)| !is_absent(*value));
                }
                Ok(Ranges {
                    series,
                    range_ms,
                    ends,
                })
            }
            Expr::Subquery(subquery) => self.subquery(subquery),
            _ => invalid("a range such as x[5m] is expected"),
        }
    }

    fn subquery(&mut self, subquery: &SubqueryExpr) -> Result<Ranges, Error> {
        let ends = ends(&self.timing, subquery.offset.as_ref(), subquery.at.as_ref());
        let range_ms = millis(subquery.range);
        let step_ms = subquery.step.map_or(SUBQUERY_STEP_MS, millis).max(1);
        let first = ends.iter().min().copied().unwrap_or_default();
        let last = ends.iter().max().copied().unwrap_or_default();
        // At multiples of its step, after the beginning of the first range.
        let start_ms = first.saturating_sub(range_ms);
        let start_ms = (start_ms.div_euclid(step_ms) + 1).saturating_mul(step_ms);
        let count = last.saturating_sub(start_ms).div_euclid(step_ms) + 1;
        if count > MAX_SUBQUERY_STEPS {
            return invalid(format!(
                "a subquery has {count} steps, the limit is {MAX_SUBQUERY_STEPS}"
            ));
        }
        let steps = Steps {
            start_ms,
            step_ms,
            count: usize::try_from(count).unwrap_or(0),
        };
        let outer = self.timing;
        self.timing = Timing { steps, ..outer };
        let rows = self.vector(&subquery.expr);
        self.timing = outer;
        let rows = rows?;
        let mut series = Vec::with_capacity(rows.len());
        for row in rows {
            self.budget.take(steps.count * size_of::<(i64, f64)>())?;
            let samples = steps.times().zip(row.values);
            series.push(Series {
                labels: row.labels,
                kind: model::MetricType::Unspecified,
                samples: samples.filter(|(_, value)| !is_absent(*value)).collect(),
            });
        }
        Ok(Ranges {
            series,
            range_ms,
            ends,
        })
    }
}
