//! An expression, evaluated for every step of its time.

use promql_parser::parser::{Expr, UnaryExpr};

use super::value::{Row, Value, joined, take_row};
use super::{aggregation, binary, functions};
use crate::budget::Budget;
use crate::error::{Error, invalid};
use crate::source::Sources;

/// How deep the tree of an expression may be.
const MAX_DEPTH: usize = 600;

/// The times for which an expression is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) start_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) count: usize,
}

impl Steps {
    /// One time.
    pub(crate) const fn once(at_ms: i64) -> Self {
        Self {
            start_ms: at_ms,
            step_ms: 1,
            count: 1,
        }
    }

    /// All of them.
    pub(crate) fn times(self) -> impl Iterator<Item = i64> {
        (0_i64..).take(self.count).map(move |step| {
            self.start_ms
                .saturating_add(step.saturating_mul(self.step_ms))
        })
    }

    /// The last one.
    pub(crate) fn end_ms(self) -> i64 {
        self.times().last().unwrap_or(self.start_ms)
    }
}

/// When: the steps of a part of an expression, and those of all of it, which `@ start()` and `@ end()` speak of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) steps: Steps,
    pub(crate) whole: (i64, i64),
    pub(crate) lookback_ms: i64,
}

impl Timing {
    /// Of a whole expression.
    pub(crate) fn of(steps: Steps, lookback_ms: i64) -> Self {
        Self {
            steps,
            whole: (steps.start_ms, steps.end_ms()),
            lookback_ms,
        }
    }
}

/// What evaluating needs.
#[derive(Debug)]
pub(crate) struct Evaluation<'a> {
    pub(crate) sources: &'a Sources,
    /// Samples of this tenant alone.
    pub(crate) tenant: Option<String>,
    pub(crate) timing: Timing,
    pub(crate) budget: &'a mut Budget,
    pub(crate) warnings: Vec<String>,
    pub(crate) depth: usize,
}

impl<'a> Evaluation<'a> {
    /// Of an expression at these times.
    pub(crate) fn new(
        sources: &'a Sources,
        tenant: Option<String>,
        timing: Timing,
        budget: &'a mut Budget,
    ) -> Self {
        Self {
            sources,
            tenant,
            timing,
            budget,
            warnings: Vec::new(),
            depth: 0,
        }
    }

    /// How many steps there are.
    pub(super) fn count(&self) -> usize {
        self.timing.steps.count
    }

    /// What the expression comes to.
    pub(crate) fn evaluate(&mut self, expression: &Expr) -> Result<Value, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return invalid("the expression is nested too deep");
        }
        self.budget.step()?;
        let value = self.any(expression);
        self.depth -= 1;
        value
    }

    fn any(&mut self, expression: &Expr) -> Result<Value, Error> {
        match expression {
            Expr::NumberLiteral(number) => self.constant(number.val),
            Expr::StringLiteral(text) => Ok(Value::Text(text.val.clone())),
            Expr::Paren(inner) => self.evaluate(&inner.expr),
            Expr::Unary(negated) => self.negated(negated),
            Expr::VectorSelector(selector) => self.latest(selector).map(Value::Vector),
            Expr::Call(call) => functions::call(self, call),
            Expr::Aggregate(aggregate) => {
                aggregation::aggregate(self, aggregate).map(Value::Vector)
            }
            Expr::Binary(binary) => binary::evaluate(self, binary),
            Expr::MatrixSelector(_) | Expr::Subquery(_) => invalid(
                "a range such as x[5m] stands alone in an instant query, or within a function such as rate(x[5m])",
            ),
            Expr::Extension(_) => invalid("this extension of PromQL is not supported"),
        }
    }

    /// A number for all steps.
    pub(super) fn constant(&mut self, number: f64) -> Result<Value, Error> {
        let count = self.count();
        self.budget.take(count * size_of::<f64>())?;
        Ok(Value::Scalar(vec![number; count]))
    }

    fn negated(&mut self, negated: &UnaryExpr) -> Result<Value, Error> {
        match self.evaluate(&negated.expr)? {
            Value::Scalar(numbers) => Ok(Value::Scalar(
                numbers.iter().map(|number| -number).collect(),
            )),
            Value::Vector(rows) => {
                let rows = rows
                    .into_iter()
                    .map(|row| nameless(row).map(|_, value| -value));
                joined(rows.collect()).map(Value::Vector)
            }
            Value::Text(_) => invalid("a text has no sign"),
        }
    }

    /// Series that an expression comes to.
    pub(super) fn vector(&mut self, expression: &Expr) -> Result<Vec<Row>, Error> {
        match self.evaluate(expression)? {
            Value::Vector(rows) => Ok(rows),
            Value::Scalar(_) => invalid("a number stands where series are expected"),
            Value::Text(_) => invalid("a text stands where series are expected"),
        }
    }

    /// Numbers that an expression comes to.
    pub(super) fn scalar(&mut self, expression: &Expr) -> Result<Vec<f64>, Error> {
        match self.evaluate(expression)? {
            Value::Scalar(numbers) => Ok(numbers),
            Value::Vector(_) => invalid("series stand where a number is expected"),
            Value::Text(_) => invalid("a text stands where a number is expected"),
        }
    }

    /// A text that an expression comes to.
    pub(super) fn text(&mut self, expression: &Expr) -> Result<String, Error> {
        match self.evaluate(expression)? {
            Value::Text(text) => Ok(text),
            Value::Scalar(_) | Value::Vector(_) => invalid("a text in quotes is expected"),
        }
    }

    /// Uses memory for a row.
    pub(super) fn take(&mut self, row: Row) -> Result<Row, Error> {
        take_row(self.budget, &row.labels, row.values.len())?;
        Ok(row)
    }
}

/// Without the metric's name: what was calculated is not that metric any more.
pub(super) fn nameless(row: Row) -> Row {
    Row {
        labels: row.labels.without_name(),
        values: row.values,
    }
}
