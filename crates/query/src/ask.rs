//! What a request asks for, in words that its sender wrote.

mod shape;

use std::collections::BTreeSet;

use model::NAME_LABEL;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector};
use promql_parser::util::parse_duration;

use crate::aggregate::Aggregate;
use crate::budget::Budget;
use crate::error::{Error, invalid};
use crate::labels::Matching;

/// An expression may be as long as this, in bytes: the longest that dashboards have are a tenth of it.
const MAX_EXPRESSION_BYTES: usize = 16 << 10;

const DEFAULT_LIMIT: usize = 1000;
const DEFAULT_AGGREGATE_LIMIT: usize = 10_000;
const MAX_LIMIT: usize = 100_000;

/// How far back the archive is read when nobody says.
const HOUR_MS: i64 = 3_600_000;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
    Arrow,
}

/// A question of our own API.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) matching: Matching,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) limit: usize,
    pub(crate) format: Format,
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) step_ms: Option<i64>,
    pub(crate) by: Option<BTreeSet<String>>,
}

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Samples, or series.
    Rows,
    /// Aggregates, too.
    Aggregates,
}

/// Where a question without a time begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    Anywhere,
    AnHourAgo,
}

impl Question {
    /// Reads a query string.
    pub(crate) fn parse(
        text: &str,
        takes: Takes,
        begins: Begins,
        accept: Format,
        now_ms: i64,
        budget: &mut Budget,
    ) -> Result<Self, Error> {
        let mut matchers: Vec<Matcher> = Vec::new();
        let (mut from_ms, mut to_ms, mut limit, mut tenant) = (None, None, None, None);
        let (mut aggregates, mut step_ms, mut by) = (Vec::new(), None, None);
        let mut format = accept;
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let equal = |name: &str, value: &str| Matcher::new(MatchOp::Equal, name, value);
            let is_aggregating = takes == Takes::Aggregates;
            match name.as_ref() {
                "metric_name" => matchers.push(equal(NAME_LABEL, &value)),
                "label" => match value.split_once(':') {
                    Some((label, value)) => matchers.push(equal(label, value)),
                    None => {
                        return invalid(format!(
                            "label={value} is not of the form label=NAME:VALUE"
                        ));
                    }
                },
                "match" => matchers.extend(selector(&value, budget)?),
                "tenant" => tenant = Some(value.into_owned()),
                "from" => from_ms = Some(time(&name, &value, now_ms)?),
                "to" => to_ms = Some(time(&name, &value, now_ms)?),
                "limit" => limit = Some(count(&value)?),
                "format" => format = named_format(&value)?,
                "aggregate" if is_aggregating => aggregates = Aggregate::list(&value)?,
                "step" if is_aggregating => step_ms = Some(step(&value)?),
                "by" if is_aggregating => {
                    let names = value.split(',').filter(|name| !name.is_empty());
                    by = Some(names.map(str::to_owned).collect());
                }
                other => return invalid(unknown(other, takes)),
            }
        }
        if takes == Takes::Aggregates && aggregates.is_empty() {
            return invalid(format!(
                "aggregate is missing; give some of {}, such as aggregate=mean,p95",
                Aggregate::names()
            ));
        }
        let to_ms = to_ms.unwrap_or(i64::MAX);
        let from_ms = from_ms.unwrap_or(match begins {
            Begins::Anywhere => i64::MIN,
            Begins::AnHourAgo => to_ms.min(now_ms).saturating_sub(HOUR_MS),
        });
        if from_ms > to_ms {
            return invalid(format!("from ({from_ms}) is after to ({to_ms})"));
        }
        let usual = match takes {
            Takes::Rows => DEFAULT_LIMIT,
            Takes::Aggregates => DEFAULT_AGGREGATE_LIMIT,
        };
        Ok(Self {
            matching: Matching::any_of(vec![matchers], tenant),
            from_ms,
            to_ms,
            limit: limit.unwrap_or(usual),
            format,
            aggregates,
            step_ms,
            by,
        })
    }
}

fn unknown(name: &str, takes: Takes) -> String {
    let known = "metric_name, label, match, tenant, from, to, limit, format";
    let more = match takes {
        Takes::Rows => "",
        Takes::Aggregates => ", aggregate, step, by",
    };
    let name: String = name.chars().take(100).collect();
    format!("unknown parameter {name:?}; known are {known}{more}")
}

fn count(value: &str) -> Result<usize, Error> {
    match value.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => invalid(format!(
            "limit={value} is not a number from 1 to {MAX_LIMIT}"
        )),
    }
}

fn named_format(value: &str) -> Result<Format, Error> {
    match value {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        "arrow" => Ok(Format::Arrow),
        _ => invalid(format!("format={value} is none of json, csv, arrow")),
    }
}

/// The format that a header `Accept` asks for, as far as there is one.
pub(crate) fn accepted(accept: &str) -> Format {
    let names = |name: &str| accept.split(',').any(|part| part.trim().starts_with(name));
    if names("text/csv") {
        Format::Csv
    } else if names("application/vnd.apache.arrow.stream") {
        Format::Arrow
    } else {
        Format::Json
    }
}

/// A duration with its unit, in milliseconds: a number alone could be anything.
pub(crate) fn duration(value: &str) -> Option<i64> {
    // What is a number, the parser would take for seconds, and panic at those that no duration has.
    let is_one =
        value.starts_with(|first: char| first.is_ascii_digit()) && value.parse::<f64>().is_err();
    let duration = is_one.then(|| parse_duration(value).ok())??;
    let millis = i64::try_from(duration.as_millis()).ok()?;
    (millis <= LATEST_MS).then_some(millis)
}

fn step(value: &str) -> Result<i64, Error> {
    let step = duration(value);
    match step {
        Some(step) if step > 0 => Ok(step),
        _ => invalid(format!(
            "step={value} is not a duration with its unit, such as 60s or 5m"
        )),
    }
}

/// The latest time that can be asked for, and the longest one: what is later has no date of four digits.
const LATEST_MS: i64 = 253_402_300_799_999;

/// Unix milliseconds, RFC 3339, `now`, or back from now.
fn time(name: &str, value: &str, now_ms: i64) -> Result<i64, Error> {
    if value == "now" {
        return Ok(now_ms);
    }
    if let Some(back) = value.strip_prefix('-').and_then(duration) {
        return Ok(now_ms.saturating_sub(back));
    }
    let at_ms = value.parse::<i64>().ok();
    let at_ms = at_ms.or_else(|| Some(value.parse::<jiff::Timestamp>().ok()?.as_millisecond()));
    match at_ms {
        Some(at_ms) if (-LATEST_MS..=LATEST_MS).contains(&at_ms) => Ok(at_ms),
        _ => invalid(format!(
            "{name}={value} is no time; write Unix milliseconds, RFC 3339 such as 2026-11-22T10:00:00Z, now, or -15m"
        )),
    }
}

/// The conditions of a selector.
pub(crate) fn selector(text: &str, budget: &mut Budget) -> Result<Vec<Matcher>, Error> {
    match parse(text, budget)? {
        Expr::VectorSelector(selector) if selector.offset.is_none() && selector.at.is_none() => {
            conditions(&selector)
        }
        _ => invalid(format!(
            "{} is not a selector such as cpu{{host=~\"web-.*\"}}",
            cut(text)
        )),
    }
}

/// The conditions of a selector that was parsed.
pub(crate) fn conditions(selector: &VectorSelector) -> Result<Vec<Matcher>, Error> {
    if !selector.matchers.or_matchers.is_empty() {
        return invalid("\"or\" between matchers is not supported; use =~ or the operator or");
    }
    Ok(matchers(selector))
}

/// The name as a condition, and the others.
pub(crate) fn matchers(selector: &VectorSelector) -> Vec<Matcher> {
    let name = selector.name.iter();
    let name = name.map(|name| Matcher::new(MatchOp::Equal, NAME_LABEL, name));
    name.chain(selector.matchers.matchers.iter().cloned())
        .collect()
}

/// An expression as a tree, if it is not larger than a person writes.
pub(crate) fn parse(text: &str, budget: &mut Budget) -> Result<Expr, Error> {
    if text.len() > MAX_EXPRESSION_BYTES {
        return invalid(format!(
            "the expression has {} bytes, the limit is {MAX_EXPRESSION_BYTES}",
            text.len()
        ));
    }
    shape::check(text, budget)?;
    promql_parser::parser::parse(text)
        .map_err(|why| Error::Invalid(format!("{}: {why}", cut(text))))
}

/// The beginning of a text, for messages.
pub(crate) fn cut(text: &str) -> String {
    let start: String = text.chars().take(100).collect();
    if start.len() < text.len() {
        format!("{start:?}…")
    } else {
        format!("{start:?}")
    }
}

#[cfg(test)]
mod tests;
