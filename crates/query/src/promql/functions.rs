//! Functions by name.

use promql_parser::label::MatchOp;
use promql_parser::parser::{Call, Expr};

use super::evaluation::{Evaluation, nameless};
use super::over_time::{self, Growth, Name, Window};
use super::value::{Row, Value, absent, joined};
use super::{histogram, rewrite};
use crate::error::{Error, invalid};
use crate::labels::Labels;

/// What a call comes to.
pub(super) fn call(evaluation: &mut Evaluation<'_>, call: &Call) -> Result<Value, Error> {
    let arguments: Vec<&Expr> = call.args.args.iter().map(|argument| &**argument).collect();
    let name = call.func.name;
    if let Some(rows) = of_range(evaluation, name, &arguments)? {
        return Ok(Value::Vector(rows));
    }
    if let [vector, rest @ ..] = arguments.as_slice()
        && let Some(rows) = of_values(evaluation, name, vector, rest)?
    {
        return Ok(Value::Vector(rows));
    }
    match (name, arguments.as_slice()) {
        ("time", []) => {
            let times = evaluation.timing.steps.times();
            Ok(Value::Scalar(times.map(over_time::seconds).collect()))
        }
        ("pi", []) => evaluation.constant(std::f64::consts::PI),
        ("vector", [number]) => {
            let values = evaluation.scalar(number)?;
            let labels = Labels::default();
            Ok(Value::Vector(vec![Row { labels, values }]))
        }
        ("scalar", [vector]) => scalar(evaluation, vector),
        ("absent", [vector]) => is_missing(evaluation, vector),
        ("timestamp", [vector]) => timestamp(evaluation, vector),
        ("sort", [vector]) => sort(evaluation, vector, |a, b| a.total_cmp(&b)),
        ("sort_desc", [vector]) => sort(evaluation, vector, |a, b| b.total_cmp(&a)),
        ("histogram_quantile", [share, vector]) => {
            let shares = evaluation.scalar(share)?;
            histogram::quantile(evaluation, &shares, vector).map(Value::Vector)
        }
        ("label_replace", [vector, target, text, source, pattern]) => {
            rewrite::replace(evaluation, vector, [target, text, source, pattern]).map(Value::Vector)
        }
        ("label_join", [vector, target, separator, sources @ ..]) => {
            rewrite::join(evaluation, vector, target, separator, sources).map(Value::Vector)
        }
        _ => invalid(format!(
            "the function {name} is not supported here; docs/queries.md lists those that are"
        )),
    }
}

/// Functions of a range.
fn of_range(
    evaluation: &mut Evaluation<'_>,
    name: &str,
    arguments: &[&Expr],
) -> Result<Option<Vec<Row>>, Error> {
    type Function = fn(Window<'_>) -> Option<f64>;
    let function: Function = match name {
        "rate" => |window| over_time::growth(window, Growth::Rate),
        "increase" => |window| over_time::growth(window, Growth::Increase),
        "delta" => |window| over_time::growth(window, Growth::Delta),
        "irate" => over_time::instant_rate,
        "idelta" => over_time::instant_delta,
        "changes" => |window| {
            Some(over_time::times(window, |before, after| {
                before.to_bits() != after.to_bits() && !(before.is_nan() && after.is_nan())
            }))
        },
        "resets" => |window| Some(over_time::times(window, |before, after| after < before)),
        "deriv" => |window| {
            let (first_ms, _) = *window.samples.first()?;
            over_time::line(window, first_ms).map(|(_, slope)| slope)
        },
        "avg_over_time" => |window| Some(over_time::mean(window)),
        "sum_over_time" => |window| Some(over_time::sum(window)),
        "count_over_time" => |window| Some(over_time::number(window.samples.len())),
        "min_over_time" => |window| over_time::best(window, |value, best| value < best),
        "max_over_time" => |window| over_time::best(window, |value, best| value > best),
        "stddev_over_time" => |window| Some(over_time::variance_of(window).sqrt()),
        "stdvar_over_time" => |window| Some(over_time::variance_of(window)),
        "last_over_time" => |window| window.samples.last().map(|(_, value)| *value),
        "present_over_time" => |_| Some(1.0),
        "quantile_over_time" => {
            return parametrised(evaluation, arguments, |share, window| {
                Some(over_time::quantile_of(share, window))
            });
        }
        "predict_linear" => {
            let &[range, ahead] = arguments else {
                return Ok(None);
            };
            // From the time of the question, wherever the range lies.
            let times: Vec<i64> = evaluation.timing.steps.times().collect();
            return parametrised(evaluation, &[ahead, range], |ahead, window| {
                let now_ms = *times.get(window.step)?;
                let (level, slope) = over_time::line(window, now_ms)?;
                Some(level + slope * ahead)
            });
        }
        _ => return Ok(None),
    };
    let [range] = arguments else {
        return Ok(None);
    };
    let ranges = evaluation.ranges(range)?;
    let named = if name == "last_over_time" {
        Name::Kept
    } else {
        Name::Dropped
    };
    evaluation.over(ranges, named, function).map(Some)
}

/// Functions of a number and a range.
fn parametrised(
    evaluation: &mut Evaluation<'_>,
    arguments: &[&Expr],
    function: impl Fn(f64, Window<'_>) -> Option<f64>,
) -> Result<Option<Vec<Row>>, Error> {
    let [number, range] = arguments else {
        return Ok(None);
    };
    let numbers = evaluation.scalar(number)?;
    let ranges = evaluation.ranges(range)?;
    let rows = evaluation.over(ranges, Name::Dropped, |window| {
        function(*numbers.get(window.step)?, window)
    });
    rows.map(Some)
}

/// Functions of each value.
fn of_values(
    evaluation: &mut Evaluation<'_>,
    name: &str,
    vector: &Expr,
    rest: &[&Expr],
) -> Result<Option<Vec<Row>>, Error> {
    let simple: Option<fn(f64) -> f64> = match name {
        "abs" => Some(f64::abs),
        "ceil" => Some(f64::ceil),
        "floor" => Some(f64::floor),
        "exp" => Some(f64::exp),
        "ln" => Some(f64::ln),
        "log2" => Some(f64::log2),
        "log10" => Some(f64::log10),
        "sqrt" => Some(f64::sqrt),
        "sgn" => Some(|value| {
            if value == 0.0 || value.is_nan() {
                value
            } else {
                value.signum()
            }
        }),
        "sin" => Some(f64::sin),
        "cos" => Some(f64::cos),
        "tan" => Some(f64::tan),
        "deg" => Some(f64::to_degrees),
        "rad" => Some(f64::to_radians),
        _ => None,
    };
    if let Some(function) = simple {
        let rows = evaluation.vector(vector)?;
        let rows = rows.into_iter();
        let rows = rows.map(|row| nameless(row).map(|_, value| function(value)));
        return joined(rows.collect()).map(Some);
    }
    // With numbers beside them.
    let function: fn(f64, f64, f64) -> f64 = match (name, rest.len()) {
        ("round", 0) => |value, _, _| round(value, 1.0),
        ("round", 1) => |value, to, _| round(value, to),
        ("clamp", 2) => |value, min, max| {
            if min > max {
                absent()
            } else {
                clamp(value, min, max)
            }
        },
        ("clamp_min", 1) => |value, min, _| clamp(value, min, f64::INFINITY),
        ("clamp_max", 1) => |value, max, _| clamp(value, f64::NEG_INFINITY, max),
        _ => return Ok(None),
    };
    let rows = evaluation.vector(vector)?;
    let mut numbers = Vec::new();
    for number in rest {
        numbers.push(evaluation.scalar(number)?);
    }
    let number = |at: usize, step: usize| {
        let numbers = numbers.get(at).and_then(|numbers| numbers.get(step));
        numbers.copied().unwrap_or(f64::NAN)
    };
    let rows = rows.into_iter().map(|row| {
        nameless(row).map(|step, value| function(value, number(0, step), number(1, step)))
    });
    joined(rows.collect()).map(Some)
}

/// To a multiple; halves go up, as in Prometheus.
fn round(value: f64, to: f64) -> f64 {
    let inverse = 1.0 / to;
    (value * inverse + 0.5).floor() / inverse
}

fn clamp(value: f64, min: f64, max: f64) -> f64 {
    if value.is_nan() || min.is_nan() || max.is_nan() {
        return f64::NAN;
    }
    value.min(max).max(min)
}

/// The value of the only series.
fn scalar(evaluation: &mut Evaluation<'_>, vector: &Expr) -> Result<Value, Error> {
    let rows = evaluation.vector(vector)?;
    let numbers = (0..evaluation.count()).map(|step| {
        let mut values = rows.iter().filter_map(|row| row.get(step));
        match (values.next(), values.next()) {
            (Some(value), None) => value,
            _ => f64::NAN,
        }
    });
    Ok(Value::Scalar(numbers.collect()))
}

/// One, with the labels that were asked for, where there is no series.
fn is_missing(evaluation: &mut Evaluation<'_>, vector: &Expr) -> Result<Value, Error> {
    let rows = evaluation.vector(vector)?;
    let mut asked = Vec::new();
    if let Expr::VectorSelector(selector) = vector {
        let matchers = &selector.matchers.matchers;
        let equal = matchers.iter().filter(|matcher| {
            matcher.op == MatchOp::Equal
                && matcher.name != model::NAME_LABEL
                && matchers
                    .iter()
                    .filter(|other| other.name == matcher.name)
                    .count()
                    == 1
        });
        asked.extend(equal.map(|matcher| (matcher.name.clone(), matcher.value.clone())));
    }
    let values = (0..evaluation.count()).map(|step| {
        let is_there = rows.iter().any(|row| row.get(step).is_some());
        if is_there { absent() } else { 1.0 }
    });
    let row = Row {
        values: values.collect(),
        labels: Labels::of(asked),
    };
    joined(vec![row]).map(Value::Vector)
}

/// When each value was sampled.
fn timestamp(evaluation: &mut Evaluation<'_>, vector: &Expr) -> Result<Value, Error> {
    let mut inner = vector;
    while let Expr::Paren(paren) = inner {
        inner = &paren.expr;
    }
    let rows = match inner {
        Expr::VectorSelector(selector) => {
            evaluation.newest(selector, |at_ms, _| over_time::seconds(at_ms))?
        }
        // What is calculated, is so at each step.
        other => {
            let times: Vec<i64> = evaluation.timing.steps.times().collect();
            let rows = evaluation.vector(other)?.into_iter();
            let time = |step: usize| {
                times
                    .get(step)
                    .copied()
                    .map_or(f64::NAN, over_time::seconds)
            };
            rows.map(|row| row.map(|step, _| time(step))).collect()
        }
    };
    joined(rows.into_iter().map(nameless).collect()).map(Value::Vector)
}

/// By value, where there is one step; over a range series have no order.
fn sort(
    evaluation: &mut Evaluation<'_>,
    vector: &Expr,
    order: impl Fn(f64, f64) -> std::cmp::Ordering,
) -> Result<Value, Error> {
    let mut rows = evaluation.vector(vector)?;
    if evaluation.count() == 1 {
        let value = |row: &Row| row.get(0).unwrap_or(f64::NAN);
        // What is no number comes last, either way.
        rows.sort_by(|a, b| {
            let (a, b) = (value(a), value(b));
            a.is_nan().cmp(&b.is_nan()).then_with(|| order(a, b))
        });
    }
    Ok(Value::Vector(rows))
}
