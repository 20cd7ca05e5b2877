//! The admin listener: for probes, scrapers and people, not for the public.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::health::Health;
use crate::telemetry::MetricsHandle;

const PATHS: [(&str, &str); 11] = [
    ("/livez", "200 while the process runs"),
    (
        "/readyz",
        "200 when it should get traffic; 503 and the reasons when not",
    ),
    ("/metrics", "what it counted, for Prometheus"),
    (
        "/api/v1/overview",
        "what flows and where it is, as one snapshot; the page at / shows it to browsers",
    ),
    (
        "/api/v1/live",
        "the last minutes, and a snapshot each second, as server-sent events",
    ),
    (
        "/api/v1/names",
        "metric names that this process knows of (?search=&limit=)",
    ),
    (
        "/api/v1/rejections",
        "why data is missing: what was refused lately (?source=&metric=&reason=&tenant=&since=&limit=)",
    ),
    (
        "/api/v1/cardinality",
        "how many series there are, and who makes most of them (?limit=)",
    ),
    (
        "/api/v1/heat",
        "which metric names and partitions get most, and what to spread (?limit=)",
    ),
    (
        "/api/v1/explain",
        "POST a body: what would become of it (?path=)",
    ),
    ("/docs", "all of this in full; for programs /openapi.json"),
];

/// The version of the text format that Prometheus asks for.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/livez`, `/readyz` and `/metrics`.
///
/// Alive does not depend on anything outside: restarting this process does not bring Kafka back.
pub fn router(health: Health, metrics: MetricsHandle) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(move || async move { readyz(&health) }))
        .route(
            "/metrics",
            get(move || async move { ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics.render()) }),
        )
}

/// What there is, for people without a browser.
#[must_use]
pub fn index() -> String {
    PATHS.iter().fold(
        "Sluice, for operators\n\n".to_owned(),
        |text, (path, what)| text + &format!("{path:20} {what}\n"),
    )
}

fn readyz(health: &Health) -> Response {
    let reasons = health.reasons();
    let (status, text) = if reasons.is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let reasons: Vec<Value> = reasons
        .into_iter()
        .map(|(condition, reason)| json!({ "condition": condition, "reason": reason }))
        .collect();
    (status, Json(json!({ "status": text, "reasons": reasons }))).into_response()
}

/// The answer where there is nothing.
#[must_use]
pub fn not_found(request: &Request) -> Response {
    let known = PATHS.map(|(path, _)| path).join(", ");
    // A path may be as long as a header may be; an answer repeats the start.
    let path: String = request.uri().path().chars().take(100).collect();
    // A standalone has more.
    let error = format!("there is no {path} here; /docs lists what there is, such as {known}");
    let body = json!({ "error": error, "code": "not_found" });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

#[cfg(test)]
mod tests;
