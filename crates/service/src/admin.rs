//! The admin listener: for probes, scrapers and people, not for the public.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::health::Health;
use crate::telemetry::MetricsHandle;

/// `/livez`, `/readyz`, `/metrics`, and a list of them.
pub fn router(health: Health, metrics: MetricsHandle) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(move || async move { readyz(&health) }))
        .route("/metrics", get(move || async move { metrics.render() }))
}

fn readyz(health: &Health) -> Response {
    let reasons = health.reasons();
    let status = if reasons.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(json!({ "ready": reasons.is_empty() }))).into_response()
}
