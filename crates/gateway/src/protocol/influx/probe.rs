//! What InfluxDB's clients ask before they write: whether it is there, and that their database exists.
//!
//! Nothing can be queried here. Statements that make a database succeed, because none needs to be made; those that
//! list something find nothing; all others are answered with an error, as InfluxDB does within a 200.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::{VERSION, v1, versioned};
use crate::body::{BodyLimits, linger};
use crate::error::Error;
use crate::protocol::Head;
use crate::router::App;

/// More statements than anybody sends before writing.
const MAX_QUERY_BYTES: usize = 64 << 10;

/// `GET /ping`: 204, or 200 and the version with `verbose=true`.
pub(crate) async fn ping(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let head = Head::of(&app, &parts);
    let is_verbose = !matches!(
        head.parameter("verbose").as_deref(),
        None | Some("" | "0" | "false")
    );
    versioned(if is_verbose {
        Json(json!({ "version": VERSION })).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    })
}

/// `GET /ready`: InfluxDB 2's. Whether a load balancer should send anything here is the admin listener's answer.
pub(crate) async fn ready() -> Response {
    versioned(Json(json!({ "status": "ready" })).into_response())
}

/// `GET` and `POST /query`: InfluxDB 1's.
pub(crate) async fn query(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, mut body) = request.into_parts();
    let head = Head::of(&app, &parts);
    let limits = BodyLimits {
        max_bytes: MAX_QUERY_BYTES,
        idle_timeout: app.body_limits.idle_timeout,
    };
    let received = match limits.admit(&body, app.pipeline.permits.empty()) {
        Ok(permit) => limits.read(&mut body, permit).await,
        Err(error) => Err(error),
    };
    let received = match received {
        Ok(received) => received,
        Err(error) => {
            if error.is_worth_hearing() {
                linger(&mut body, app.body_limits.max_bytes).await;
            }
            return failure(&error);
        }
    };
    let in_body = || {
        let mut pairs = form_urlencoded::parse(&received.bytes);
        let found = pairs.find(|(name, _)| name == "q");
        found.map(|(_, text)| text.into_owned())
    };
    let Some(text) = head.parameter("q").or_else(in_body) else {
        let error = Error::Parameter("missing required parameter \"q\"".to_owned());
        return failure(&error);
    };
    let results: Vec<Value> = statements(&text)
        .iter()
        .enumerate()
        .map(|(number, statement)| result(number, statement))
        .collect();
    versioned(Json(json!({ "results": results })).into_response())
}

fn failure(error: &Error) -> Response {
    crate::metrics::request_refused(error.code());
    let status = crate::answer::status_of(error.code());
    versioned(v1::failure(status, &error.to_string()))
}

/// Splits at semicolons that are not quoted.
fn statements(text: &str) -> Vec<&str> {
    let mut quote = None;
    text.split(|character| match (quote, character) {
        (None, '\'' | '"') => {
            quote = Some(character);
            false
        }
        (Some(open), found) if open == found => {
            quote = None;
            false
        }
        (None, ';') => true,
        _ => false,
    })
    .map(str::trim)
    .filter(|statement| !statement.is_empty())
    .collect()
}

fn result(number: usize, statement: &str) -> Value {
    let mut words = statement.split_whitespace().map(str::to_ascii_uppercase);
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    match (first.as_str(), second.as_str()) {
        ("SHOW", "DATABASES") => json!({
            "statement_id": number,
            "series": [{ "name": "databases", "columns": ["name"] }],
        }),
        ("SHOW", _) | ("CREATE", "DATABASE" | "RETENTION") => json!({ "statement_id": number }),
        _ => json!({
            "statement_id": number,
            "error": "metrics are only written here; query the store that they are drained into",
        }),
    }
}
