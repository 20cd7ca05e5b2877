//! `GET /api/v1/cardinality` of the admin listener: how many series there are, and who makes most of them.

use std::sync::{Arc, OnceLock};

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use gateway::QuotasHandle;
use serde_json::json;

use crate::listed::limit;

/// The gateway of this process, once there is one. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown(Arc<OnceLock<QuotasHandle>>);

impl Shown {
    /// From now on this gateway is asked.
    pub(crate) fn is(&self, quotas: QuotasHandle) {
        // A process has one gateway.
        self.0.set(quotas).unwrap_or_default();
    }
}

/// The route.
pub(crate) fn router(shown: Shown) -> Router {
    let show = async move |RawQuery(query): RawQuery| match limit(query.as_deref()) {
        Ok(limit) => answer(&shown, limit),
        Err(refusal) => *refusal,
    };
    Router::new().route("/api/v1/cardinality", get(show))
}

fn answer(shown: &Shown, limit: usize) -> Response {
    let missing = |why: &str| {
        let body = json!({ "error": why, "code": "not_found" });
        (StatusCode::NOT_FOUND, Json(body)).into_response()
    };
    let Some(quotas) = shown.0.get() else {
        return missing("there is no gateway in this process, or not yet");
    };
    match quotas.cardinality(limit) {
        Some(report) => Json(report).into_response(),
        None => missing("series are not counted: cardinality.enabled is false"),
    }
}
