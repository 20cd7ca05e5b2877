//! Operators between two expressions.

use promql_parser::parser::BinaryExpr;
use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_DIV, T_EQLC, T_GTE, T_GTR, T_LSS, T_LTE, T_MOD, T_MUL, T_NEQ, T_POW, T_SUB,
    TokenId,
};

use super::evaluation::{Evaluation, nameless};
use super::matching;
use super::value::{Row, Value, absent, joined};
use crate::error::{Error, invalid};

/// What an operator does with two numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operator {
    /// A new number.
    Gives(fn(f64, f64) -> f64),
    /// Keeps the left one, or not.
    Keeps(fn(f64, f64) -> bool),
    /// One or zero, by the same test.
    Tells(fn(f64, f64) -> bool),
}

impl Operator {
    fn of(token: TokenId, is_bool: bool) -> Option<Self> {
        let compare = |test: fn(f64, f64) -> bool| {
            if is_bool {
                Self::Tells(test)
            } else {
                Self::Keeps(test)
            }
        };
        #[expect(clippy::float_cmp, reason = "that is the question")]
        let operator = match token {
            T_ADD => Self::Gives(|a, b| a + b),
            T_SUB => Self::Gives(|a, b| a - b),
            T_MUL => Self::Gives(|a, b| a * b),
            T_DIV => Self::Gives(|a, b| a / b),
            T_MOD => Self::Gives(|a, b| a % b),
            T_POW => Self::Gives(f64::powf),
            T_ATAN2 => Self::Gives(f64::atan2),
            T_EQLC => compare(|a, b| a == b),
            T_NEQ => compare(|a, b| a != b),
            T_GTR => compare(|a, b| a > b),
            T_LSS => compare(|a, b| a < b),
            T_GTE => compare(|a, b| a >= b),
            T_LTE => compare(|a, b| a <= b),
            _ => return None,
        };
        Some(operator)
    }

    /// Of two numbers; `kept` is what stays when a test is passed.
    pub(super) fn apply(self, left: f64, right: f64, kept: f64) -> f64 {
        match self {
            Self::Gives(function) => function(left, right),
            Self::Keeps(test) if test(left, right) => kept,
            Self::Keeps(_) => absent(),
            Self::Tells(test) => f64::from(u8::from(test(left, right))),
        }
    }

    /// Whether what comes out still is a sample of the metric.
    pub(super) fn keeps_name(self) -> bool {
        matches!(self, Self::Keeps(_))
    }
}

/// What two expressions with an operator between them come to.
pub(super) fn evaluate(
    evaluation: &mut Evaluation<'_>,
    binary: &BinaryExpr,
) -> Result<Value, Error> {
    let left = evaluation.evaluate(&binary.lhs)?;
    let right = evaluation.evaluate(&binary.rhs)?;
    if binary.op.is_set_operator() {
        let (Value::Vector(left), Value::Vector(right)) = (left, right) else {
            return invalid(format!("{} stands between series alone", binary.op));
        };
        let rows = matching::set(evaluation, binary, left, right)?;
        return Ok(Value::Vector(rows));
    }
    let Some(operator) = Operator::of(binary.op.id(), binary.return_bool()) else {
        return invalid(format!("the operator {} is not supported here", binary.op));
    };
    match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => {
            if operator.keeps_name() {
                return invalid("a comparison of two numbers needs bool, such as 1 <bool 2");
            }
            let numbers = left.iter().zip(&right);
            let numbers = numbers.map(|(left, right)| operator.apply(*left, *right, *left));
            Ok(Value::Scalar(numbers.collect()))
        }
        (Value::Vector(rows), Value::Scalar(numbers)) => {
            with_numbers(rows, &numbers, operator, |value, number| {
                operator.apply(value, number, value)
            })
        }
        (Value::Scalar(numbers), Value::Vector(rows)) => {
            with_numbers(rows, &numbers, operator, |value, number| {
                operator.apply(number, value, value)
            })
        }
        (Value::Vector(left), Value::Vector(right)) => {
            matching::combine(evaluation, binary, operator, left, right).map(Value::Vector)
        }
        (Value::Text(_), _) | (_, Value::Text(_)) => {
            invalid(format!("{} does not stand beside a text", binary.op))
        }
    }
}

fn with_numbers(
    rows: Vec<Row>,
    numbers: &[f64],
    operator: Operator,
    apply: impl Fn(f64, f64) -> f64,
) -> Result<Value, Error> {
    let rows = rows.into_iter().map(|row| {
        let row = if operator.keeps_name() {
            row
        } else {
            nameless(row)
        };
        row.map(|step, value| apply(value, numbers.get(step).copied().unwrap_or(f64::NAN)))
    });
    joined(rows.collect()).map(Value::Vector)
}
