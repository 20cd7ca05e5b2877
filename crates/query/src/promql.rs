//! PromQL, as far as it is supported: every expression is evaluated for all steps of its time at once.

mod aggregation;
mod binary;
mod evaluation;
mod functions;
mod histogram;
mod matching;
mod over_time;
mod rewrite;
mod selector;
mod value;

pub(crate) use evaluation::{Evaluation, Steps, Timing};
pub(crate) use over_time::quantile;
pub(crate) use value::{Value, is_absent};

#[cfg(test)]
mod tests;
