//! Operators that take series together by their labels.

use std::collections::BTreeMap;

use model::NAME_LABEL;
use promql_parser::parser::token::{
    T_AVG, T_BOTTOMK, T_COUNT, T_COUNT_VALUES, T_GROUP, T_MAX, T_MIN, T_QUANTILE, T_STDDEV,
    T_STDVAR, T_SUM, T_TOPK,
};
use promql_parser::parser::{AggregateExpr, Expr, LabelModifier};

use super::evaluation::Evaluation;
use super::over_time::{ascending, number, quantile, variance};
use super::value::{Row, absent, joined};
use crate::error::{Error, invalid};
use crate::labels::Labels;

/// What an aggregation comes to.
pub(super) fn aggregate(
    evaluation: &mut Evaluation<'_>,
    aggregate: &AggregateExpr,
) -> Result<Vec<Row>, Error> {
    let groups = |rows: Vec<Row>| {
        let mut groups: BTreeMap<Labels, Vec<Row>> = BTreeMap::new();
        for row in rows {
            let labels = group_labels(&row.labels, aggregate.modifier.as_ref());
            groups.entry(labels).or_default().push(row);
        }
        groups
    };
    let parameter = |evaluation: &mut Evaluation<'_>| match &aggregate.param {
        Some(parameter) => evaluation.scalar(parameter),
        None => invalid("the aggregation lacks its parameter"),
    };
    let operator = aggregate.op.id();
    match operator {
        T_TOPK | T_BOTTOMK => {
            let most = parameter(evaluation)?;
            let groups = groups(evaluation.vector(&aggregate.expr)?);
            return ranked(evaluation, groups, &most, operator == T_TOPK);
        }
        T_COUNT_VALUES => {
            let label = text_parameter(evaluation, aggregate.param.as_deref())?;
            let groups = groups(evaluation.vector(&aggregate.expr)?);
            return counted(evaluation, groups, &label);
        }
        _ => {}
    }
    let shares = match operator {
        T_QUANTILE => parameter(evaluation)?,
        _ => Vec::new(),
    };
    let function: fn(&[f64], f64) -> f64 = match operator {
        T_SUM => |values, _| values.iter().sum(),
        T_AVG => |values, _| values.iter().sum::<f64>() / number(values.len()),
        T_COUNT => |values, _| number(values.len()),
        T_GROUP => |_, _| 1.0,
        T_MIN => |values, _| best(values, |value, best| value < best),
        T_MAX => |values, _| best(values, |value, best| value > best),
        T_STDDEV => |values, _| variance(values.iter().copied()).sqrt(),
        T_STDVAR => |values, _| variance(values.iter().copied()),
        T_QUANTILE => |values, share| {
            let mut sorted = values.to_vec();
            sorted.sort_unstable_by(ascending);
            quantile(share, &sorted)
        },
        _ => {
            return invalid(format!(
                "the operator {} is not supported here",
                aggregate.op
            ));
        }
    };
    let mut rows = Vec::new();
    for (labels, members) in groups(evaluation.vector(&aggregate.expr)?) {
        let mut values = Vec::with_capacity(evaluation.count());
        let mut at_step = Vec::with_capacity(members.len());
        for step in 0..evaluation.count() {
            evaluation.budget.steps(members.len())?;
            at_step.clear();
            at_step.extend(members.iter().filter_map(|row| row.get(step)));
            let share = shares.get(step).copied().unwrap_or_default();
            values.push(if at_step.is_empty() {
                absent()
            } else {
                function(&at_step, share)
            });
        }
        rows.push(evaluation.take(Row { labels, values })?);
    }
    Ok(rows)
}

/// The labels that a group has in common.
fn group_labels(labels: &Labels, modifier: Option<&LabelModifier>) -> Labels {
    match modifier {
        None => Labels::default(),
        Some(LabelModifier::Include(by)) => {
            labels.only(|name| by.labels.iter().any(|known| known == name))
        }
        Some(LabelModifier::Exclude(without)) => labels
            .only(|name| name != NAME_LABEL && !without.labels.iter().any(|known| known == name)),
    }
}

fn best(values: &[f64], is_better: impl Fn(f64, f64) -> bool) -> f64 {
    let best = values.iter().copied().reduce(|best, value| {
        if is_better(value, best) || best.is_nan() {
            value
        } else {
            best
        }
    });
    best.unwrap_or(f64::NAN)
}

/// The series with the largest or smallest values of each group, step by step.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large or too small becomes the largest or smallest number"
)]
fn ranked(
    evaluation: &mut Evaluation<'_>,
    groups: BTreeMap<Labels, Vec<Row>>,
    most: &[f64],
    is_largest: bool,
) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for mut members in groups.into_values() {
        for (step, most) in most.iter().enumerate() {
            evaluation.budget.steps(members.len())?;
            let values = members.iter().enumerate();
            let mut order: Vec<(f64, usize)> = values
                .filter_map(|(number, row)| Some((row.get(step)?, number)))
                .collect();
            order.sort_by(|(a, _), (b, _)| {
                let by_value = if is_largest {
                    b.total_cmp(a)
                } else {
                    a.total_cmp(b)
                };
                a.is_nan().cmp(&b.is_nan()).then(by_value)
            });
            for (_, number) in order.iter().skip(*most as usize) {
                let row = members.get_mut(*number);
                if let Some(value) = row.and_then(|row| row.values.get_mut(step)) {
                    *value = absent();
                }
            }
        }
        members.retain(|row| !row.is_empty());
        if evaluation.count() == 1 {
            let value = |row: &Row| row.get(0).unwrap_or(f64::NAN);
            members.sort_by(|a, b| {
                let (a, b) = (value(a), value(b));
                let by_value = if is_largest {
                    b.total_cmp(&a)
                } else {
                    a.total_cmp(&b)
                };
                a.is_nan().cmp(&b.is_nan()).then(by_value)
            });
        }
        rows.extend(members);
    }
    Ok(rows)
}

fn text_parameter(
    evaluation: &mut Evaluation<'_>,
    parameter: Option<&Expr>,
) -> Result<String, Error> {
    match parameter {
        Some(parameter) => evaluation.text(parameter),
        None => invalid("count_values lacks the label that values become"),
    }
}

/// How many series of each group have each value.
fn counted(
    evaluation: &mut Evaluation<'_>,
    groups: BTreeMap<Labels, Vec<Row>>,
    label: &str,
) -> Result<Vec<Row>, Error> {
    let count = evaluation.count();
    let mut rows = Vec::new();
    for (labels, members) in groups {
        let mut by_value: BTreeMap<String, Row> = BTreeMap::new();
        for step in 0..count {
            for value in members.iter().filter_map(|row| row.get(step)) {
                evaluation.budget.step()?;
                let text = crate::http::shown_number(value);
                if !by_value.contains_key(&text) {
                    let row = Row {
                        labels: labels.with(label, &text),
                        values: vec![absent(); count],
                    };
                    let row = evaluation.take(row)?;
                    by_value.insert(text.clone(), row);
                }
                let row = by_value.get_mut(&text);
                if let Some(known) = row.and_then(|row| row.values.get_mut(step)) {
                    *known = if super::is_absent(*known) {
                        1.0
                    } else {
                        *known + 1.0
                    };
                }
            }
        }
        rows.extend(by_value.into_values());
    }
    joined(rows)
}
