//! Expressions of PromQL from anywhere, for `crates/hostile`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use service::units::{Period, Size};
use store::recent::Recent;

use crate::ask::parse;
use crate::budget::Budget;
use crate::config::Config;
use crate::error::Error;
use crate::promql::{Evaluation, Steps, Timing};
use crate::source::Sources;

const LOOKBACK_MS: i64 = 300_000;

/// Asks over the window, at three times from `at_ms` on. Whether there was an answer; a refusal is none.
#[must_use]
pub fn ask(expression: &str, recent: &Recent, at_ms: i64) -> bool {
    evaluate(expression, recent, at_ms).is_ok()
}

fn evaluate(expression: &str, recent: &Recent, at_ms: i64) -> Result<(), Error> {
    let sources = Sources {
        recent: recent.clone(),
        archive: None,
    };
    let config = Config {
        max_memory: Size::mib(16),
        timeout: Period::secs(2),
        ..Config::default()
    };
    let steps = Steps {
        start_ms: at_ms,
        step_ms: 60_000,
        count: 3,
    };
    let mut budget = Budget::new(&config, Instant::now(), Arc::new(AtomicBool::new(false)));
    let expression = parse(expression, &mut budget)?;
    let timing = Timing::of(steps, LOOKBACK_MS);
    let mut evaluation = Evaluation::new(&sources, None, timing, &mut budget);
    evaluation.evaluate(&expression).map(drop)
}
