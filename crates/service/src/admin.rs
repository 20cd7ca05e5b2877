//! The admin listener: for probes, scrapers and people, not for the public.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::health::Health;
use crate::telemetry::MetricsHandle;

const PATHS: [(&str, &str); 6] = [
    ("/livez", "200 while the process runs"),
    (
        "/readyz",
        "200 when it should get traffic; 503 and the reasons when not",
    ),
    ("/metrics", "what it counted, for Prometheus"),
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
];

/// The version of the text format that Prometheus asks for.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/livez`, `/readyz`, `/metrics`, and at `/` a list of them.
///
/// Alive does not depend on anything outside: restarting this process does not bring Kafka back.
pub fn router(health: Health, metrics: MetricsHandle) -> Router {
    Router::new()
        .route("/", get(|| async { index() }))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(move || async move { readyz(&health) }))
        .route(
            "/metrics",
            get(move || async move { ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics.render()) }),
        )
        .fallback(|uri: Uri| async move { not_found(&uri) })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
}

fn index() -> String {
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

fn not_found(uri: &Uri) -> Response {
    let known = PATHS.map(|(path, _)| path).join(", ");
    let error = format!("there is no {} here, only {known}", uri.path());
    let body = json!({ "error": error, "code": "not_found" });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

fn method_not_allowed() -> Response {
    let body = json!({ "error": "only GET is allowed here", "code": "method_not_allowed" });
    (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response()
}

#[cfg(test)]
mod tests;
