//! `/prometheus/api/v1/…`: Prometheus's query API over the recent window and the archive together.

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};
use promql_parser::parser::Expr;
use serde_json::{Value as Document, json};

use super::form::Form;
use super::{Queries, retry_later, shown_number};
use crate::answer::Page;
use crate::ask::parse;
use crate::error::{Error, invalid};
use crate::labels::Labels;
use crate::promql::{Evaluation, Steps, Timing, Value};
use crate::source::{Found, From, Keep, Selection, Sources, TextsOf};

const API: &str = "prometheus";
const JSON: &str = "application/json";

/// As many steps as Prometheus allows: enough for a minute's resolution over a week.
const MAX_STEPS: i64 = 11_000;

/// How far back labels and series are looked for when nobody says.
const DAY_MS: i64 = 86_400_000;

/// The version of Prometheus whose API this is, for clients that ask before they use it.
const VERSION: &str = "2.42.0";

/// The routes.
pub(super) fn routes() -> Router<Queries> {
    Router::new()
        .route("/prometheus/api/v1/query", get(instant).post(instant))
        .route("/prometheus/api/v1/query_range", get(range).post(range))
        .route("/prometheus/api/v1/series", get(series).post(series))
        .route("/prometheus/api/v1/labels", get(labels).post(labels))
        .route("/prometheus/api/v1/label/{name}/values", get(values))
        .route("/prometheus/api/v1/metadata", get(metadata))
        .route("/prometheus/api/v1/status/buildinfo", get(build))
        .route("/prometheus", get(here))
        .route("/prometheus/", get(here))
        .route("/prometheus/-/healthy", get(here))
        .route("/prometheus/-/ready", get(here))
        // Clients ask for these whether they are wanted or not; there are none.
        .route(
            "/prometheus/api/v1/query_exemplars",
            get(nothing).merge(post(nothing)),
        )
        .route("/prometheus/api/v1/rules", get(no_groups))
        .route("/prometheus/api/v1/alerts", get(no_alerts))
}

/// What clients look at to see whether anybody is there.
async fn here() -> &'static str {
    "Prometheus's query API is below /prometheus/api/v1/\n"
}

async fn nothing() -> Json<Document> {
    Json(json!({"status": "success", "data": []}))
}

async fn no_groups() -> Json<Document> {
    Json(json!({"status": "success", "data": {"groups": []}}))
}

async fn no_alerts() -> Json<Document> {
    Json(json!({"status": "success", "data": {"alerts": []}}))
}

async fn build() -> Json<Document> {
    let data = json!({
        "version": VERSION,
        "revision": concat!("sluice-", env!("CARGO_PKG_VERSION")),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    });
    Json(json!({"status": "success", "data": data}))
}

fn refusal(error: &Error) -> Response {
    let (status, kind) = error.prometheus();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({"status": "error", "errorType": kind, "error": error.to_string()});
    let mut response = (status, Json(body)).into_response();
    retry_later(&mut response);
    response
}

/// Reads the form and has the question answered. What is written is the value of `data`, and what to warn of.
async fn answer(
    queries: Queries,
    request: Request,
    question: impl FnOnce(&Form, &Sources, Defaults, &mut Page<'_>) -> Result<Vec<String>, Error>
    + Send
    + 'static,
) -> Response {
    let shared = &queries.0;
    let form = match Form::read(shared, request).await {
        Ok(form) => form,
        Err(error) => return refusal(&error),
    };
    let defaults = Defaults {
        now_ms: shared.clock.now_ms(),
        lookback_ms: i64::try_from(shared.config.lookback.0.as_millis()).unwrap_or(i64::MAX),
    };
    let question = move |sources: &Sources, page: &mut Page<'_>| {
        page.text("{\"status\":\"success\",\"data\":")?;
        let warnings = question(&form, sources, defaults, page)?;
        if !warnings.is_empty() {
            page.text(",\"warnings\":")?;
            page.json(&warnings)?;
        }
        page.text("}")?;
        // They are said already.
        Ok(Vec::new())
    };
    let answer = shared.answer(API, JSON, question).await;
    answer.unwrap_or_else(|error| refusal(&error))
}

/// What a request does not say.
#[derive(Debug, Clone, Copy)]
struct Defaults {
    now_ms: i64,
    lookback_ms: i64,
}

async fn instant(State(queries): State<Queries>, request: Request) -> Response {
    answer(queries, request, |form, sources, defaults, page| {
        let at_ms = form.time("time")?.unwrap_or(defaults.now_ms);
        let expression = page.within(|budget| parse(form.need("query")?, budget))?;
        let timing = Timing::of(Steps::once(at_ms), defaults.lookback_ms);
        let tenant = form.tenant.clone();
        if is_range(&expression) {
            let (ranges, warnings) = page.within(|budget| {
                let mut evaluation = Evaluation::new(sources, tenant, timing, budget);
                let ranges = evaluation.ranges(&expression)?;
                Ok((ranges, evaluation.warnings))
            })?;
            let start_ms = ranges.ends.first().copied().unwrap_or(at_ms) - ranges.range_ms;
            page.text("{\"resultType\":\"matrix\",\"result\":[")?;
            let mut number = 0;
            for series in &ranges.series {
                let samples = series.samples.iter().copied();
                let mut samples = samples.filter(|(at_ms, _)| *at_ms > start_ms).peekable();
                if samples.peek().is_some() {
                    page.comma(number)?;
                    number += 1;
                    many(&series.labels, samples, page)?;
                }
            }
            page.text("]}")?;
            return Ok(warnings);
        }
        let (value, warnings) = evaluated(&expression, sources, tenant, timing, page)?;
        match value {
            Value::Scalar(numbers) => {
                let number = numbers.first().copied().unwrap_or(f64::NAN);
                page.text("{\"resultType\":\"scalar\",\"result\":")?;
                pair(at_ms, number, page)?;
            }
            Value::Text(text) => {
                page.text(&format!(
                    "{{\"resultType\":\"string\",\"result\":[{},",
                    seconds(at_ms)
                ))?;
                page.json(&text)?;
                page.text("]")?;
            }
            Value::Vector(rows) => {
                page.text("{\"resultType\":\"vector\",\"result\":[")?;
                let found = rows
                    .iter()
                    .filter_map(|row| Some((&row.labels, row.get(0)?)));
                for (number, (labels, value)) in found.enumerate() {
                    page.comma(number)?;
                    page.text("{\"metric\":")?;
                    metric(labels, page)?;
                    page.text(",\"value\":")?;
                    pair(at_ms, value, page)?;
                    page.text("}")?;
                }
                page.text("]")?;
            }
        }
        page.text("}")?;
        Ok(warnings)
    })
    .await
}

fn is_range(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(inner) => is_range(&inner.expr),
        Expr::MatrixSelector(_) | Expr::Subquery(_) => true,
        _ => false,
    }
}

fn evaluated(
    expression: &Expr,
    sources: &Sources,
    tenant: Option<String>,
    timing: Timing,
    page: &mut Page<'_>,
) -> Result<(Value, Vec<String>), Error> {
    page.within(|budget| {
        let mut evaluation = Evaluation::new(sources, tenant, timing, budget);
        let value = evaluation.evaluate(expression)?;
        Ok((value, evaluation.warnings))
    })
}

async fn range(State(queries): State<Queries>, request: Request) -> Response {
    answer(queries, request, |form, sources, defaults, page| {
        let expression = page.within(|budget| parse(form.need("query")?, budget))?;
        form.need("start")?;
        form.need("end")?;
        let start_ms = form.time("start")?.unwrap_or_default();
        let end_ms = form.time("end")?.unwrap_or_default();
        let step_ms = form.duration("step")?;
        if end_ms < start_ms {
            return invalid("end is before start");
        }
        let count = (end_ms - start_ms) / step_ms + 1;
        if count > MAX_STEPS {
            return invalid(format!(
                "{count} steps for each series are more than {MAX_STEPS}; make step longer, or the time shorter"
            ));
        }
        if is_range(&expression) {
            return invalid("a range such as x[5m] has no value at each step; use a function such as rate(x[5m])");
        }
        let steps = Steps {
            start_ms,
            step_ms,
            count: usize::try_from(count).unwrap_or(1),
        };
        let timing = Timing::of(steps, defaults.lookback_ms);
        let (value, warnings) = evaluated(&expression, sources, form.tenant.clone(), timing, page)?;
        page.text("{\"resultType\":\"matrix\",\"result\":[")?;
        match value {
            Value::Text(_) => return invalid("a text has no value at each step"),
            Value::Scalar(numbers) => {
                many(&Labels::default(), steps.times().zip(numbers), page)?;
            }
            Value::Vector(mut rows) => {
                rows.retain(|row| !row.is_empty());
                rows.sort_by(|a, b| a.labels.cmp(&b.labels));
                for (number, row) in rows.iter().enumerate() {
                    page.comma(number)?;
                    let values = steps.times().enumerate();
                    let values = values.filter_map(|(step, at_ms)| Some((at_ms, row.get(step)?)));
                    many(&row.labels, values, page)?;
                }
            }
        }
        page.text("]}")?;
        Ok(warnings)
    })
    .await
}

fn seconds(at_ms: i64) -> String {
    let (whole, rest) = (at_ms.div_euclid(1000), at_ms.rem_euclid(1000));
    if rest == 0 {
        return whole.to_string();
    }
    // Before the epoch the whole and the rest have other signs.
    let sign = if at_ms < 0 { "-" } else { "" };
    let (whole, rest) = (at_ms.unsigned_abs() / 1000, at_ms.unsigned_abs() % 1000);
    format!("{sign}{whole}.{rest:03}")
}

fn pair(at_ms: i64, value: f64, page: &mut Page<'_>) -> Result<(), Error> {
    page.text(&format!("[{},\"{}\"]", seconds(at_ms), shown_number(value)))
}

fn metric(labels: &Labels, page: &mut Page<'_>) -> Result<(), Error> {
    page.text("{")?;
    for (number, (name, value)) in labels.iter().enumerate() {
        page.comma(number)?;
        page.json(name)?;
        page.text(":")?;
        page.json(value)?;
    }
    page.text("}")
}

fn many(
    labels: &Labels,
    samples: impl Iterator<Item = (i64, f64)>,
    page: &mut Page<'_>,
) -> Result<(), Error> {
    page.text("{\"metric\":")?;
    metric(labels, page)?;
    page.text(",\"values\":[")?;
    for (number, (at_ms, value)) in samples.enumerate() {
        page.comma(number)?;
        pair(at_ms, value, page)?;
    }
    page.text("]}")
}

/// The series of a request, from a day ago where it does not say.
fn selection(form: &Form, defaults: Defaults, page: &mut Page<'_>) -> Result<Selection, Error> {
    let to_ms = form.time("end")?;
    let from_ms = form.time("start")?;
    let from_ms =
        from_ms.unwrap_or_else(|| to_ms.unwrap_or(defaults.now_ms).saturating_sub(DAY_MS));
    let to_ms = to_ms.unwrap_or(i64::MAX);
    if to_ms < from_ms {
        return invalid("end is before start");
    }
    Ok(Selection {
        matching: page.within(|budget| form.matching(budget))?,
        from_ms,
        to_ms,
        want: Keep::Nothing,
    })
}

async fn series(State(queries): State<Queries>, request: Request) -> Response {
    answer(queries, request, |form, sources, defaults, page| {
        form.need("match[]")?;
        let (selection, limit) = (selection(form, defaults, page)?, form.limit()?);
        let found = page.within(|budget| sources.select(From::Both, &selection, budget))?;
        let Found {
            series,
            mut warnings,
        } = found;
        page.text("[")?;
        for (number, series) in series.iter().take(limit).enumerate() {
            page.comma(number)?;
            metric(&series.labels, page)?;
        }
        page.text("]")?;
        cut_at(limit, series.len(), &mut warnings);
        Ok(warnings)
    })
    .await
}

/// Says that there is more.
fn cut_at(limit: usize, all: usize, warnings: &mut Vec<String>) {
    if all > limit {
        warnings.push("results truncated due to limit".to_owned());
    }
}

async fn labels(State(queries): State<Queries>, request: Request) -> Response {
    texts(queries, request, TextsOf::Labels).await
}

async fn values(
    State(queries): State<Queries>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(name)) = name else {
        let why = "the label's name is no UTF-8 text";
        return refusal(&Error::Invalid(why.to_owned()));
    };
    // How names that are not of Prometheus's old characters are written in paths.
    let name = name.strip_prefix("U__").map_or(name.clone(), unescaped);
    texts(queries, request, TextsOf::Label(name)).await
}

/// A label's name as it was before `U__` and `_2e_`.
fn unescaped(escaped: &str) -> String {
    let mut name = String::new();
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once('_') {
        name.push_str(before);
        if let Some(after) = after.strip_prefix('_') {
            name.push('_');
            rest = after;
            continue;
        }
        let code = after.split_once('_');
        let char = code.and_then(|(hex, _)| char::from_u32(u32::from_str_radix(hex, 16).ok()?));
        match (char, code) {
            (Some(char), Some((_, after))) => {
                name.push(char);
                rest = after;
            }
            _ => {
                name.push('_');
                rest = after;
            }
        }
    }
    name.push_str(rest);
    name
}

async fn texts(queries: Queries, request: Request, of: TextsOf) -> Response {
    answer(queries, request, |form, sources, defaults, page| {
        let (selection, limit) = (selection(form, defaults, page)?, form.limit()?);
        let (found, mut warnings) = page.within(|budget| sources.texts(&selection, of, budget))?;
        page.text("[")?;
        for (number, text) in found.iter().take(limit).enumerate() {
            page.comma(number)?;
            page.json(text)?;
        }
        page.text("]")?;
        cut_at(limit, found.len(), &mut warnings);
        Ok(warnings)
    })
    .await
}

/// Types, units and help texts of metrics, as far as the recent window knows them.
async fn metadata(State(queries): State<Queries>, request: Request) -> Response {
    answer(queries, request, |form, sources, _, page| {
        let limit = form.limit()?;
        let matcher = form.get("metric").map(|name| {
            use promql_parser::label::{MatchOp, Matcher};
            Matcher::new(MatchOp::Equal, model::NAME_LABEL, name)
        });
        let selection = Selection {
            matching: crate::labels::Matching::any_of(
                vec![matcher.into_iter().collect()],
                form.tenant.clone(),
            ),
            from_ms: i64::MIN,
            to_ms: i64::MAX,
            want: Keep::Nothing,
        };
        let described = page.within(|budget| sources.descriptions(&selection, budget))?;
        page.text("{")?;
        for (number, (name, description)) in described.iter().take(limit).enumerate() {
            page.comma(number)?;
            page.json(name)?;
            page.text(&format!(
                ":[{{\"type\":\"{}\",\"help\":",
                description.kind.as_str()
            ))?;
            page.json(&description.help)?;
            page.text(",\"unit\":")?;
            page.json(&description.unit)?;
            page.text("}]")?;
        }
        page.text("}")?;
        Ok(Vec::new())
    })
    .await
}
