//! Regular expressions, as many and as large as one question may have.

use regex::{Error as Odd, Regex, RegexBuilder};

use crate::ask::cut;
use crate::budget::Budget;
use crate::error::{Error, invalid};

/// What a compiled expression may take, and is counted as: most are small.
const SIZES: [usize; 2] = [64 << 10, 1 << 20];

/// One that matches whole texts.
pub(crate) fn anchored(pattern: &str, budget: &mut Budget) -> Result<Regex, Error> {
    budget.pattern(pattern.len())?;
    let whole = format!("^(?:{pattern})$");
    for size in SIZES {
        match RegexBuilder::new(&whole).size_limit(size).build() {
            Ok(regex) => {
                budget.take(size)?;
                return Ok(regex);
            }
            Err(Odd::CompiledTooBig(_)) => budget.look()?,
            Err(error) => {
                let error = error.to_string();
                // Above it is the pattern, with a line that points at the place.
                let why = error.lines().last().unwrap_or_default();
                return invalid(format!("illegal regex for {}: {why}", cut(pattern)));
            }
        }
    }
    invalid(format!(
        "the regular expression {} is too large when compiled; repeat less, or write [0-9A-Za-z_] for \\w",
        cut(pattern)
    ))
}
