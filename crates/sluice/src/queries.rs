//! Questions about what `sluice standalone` keeps, on both listeners.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::any;
use query::Queries;
use serde_json::json;
use store::parquet::Archive;
use store::recent::Recent;
use tower::ServiceExt as _;

use crate::settings::Settings;
use crate::stores::Opened;

/// The answers of this process, once there are some. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown(Arc<OnceLock<Router>>);

impl Shown {
    /// From now on these are asked.
    pub(crate) fn is(&self, queries: &Queries) {
        let router = query::router(queries.clone())
            .method_not_allowed_fallback(async |method: Method| not_allowed(&method))
            .fallback(async |uri: Uri| not_found(&uri));
        // A process has one window.
        self.0.set(router).unwrap_or_default();
    }
}

/// What answers about this window and this archive.
pub(crate) fn queries(settings: &Settings, recent: Recent, archive: Option<Archive>) -> Queries {
    Queries::new(
        settings.queries.clone(),
        recent,
        archive,
        Arc::new(service::clock::now_ms),
        &settings.tenancy.header,
    )
}

/// The archive that a store is.
pub(crate) fn archive(store: &Opened) -> Option<Archive> {
    match store {
        Opened::Store(store) => store.archive().cloned(),
        Opened::Mirror(_) => None,
    }
}

/// The same routes for the admin listener, which is open before there is anything to ask.
pub(crate) fn router(shown: Shown) -> Router {
    let ask = any(async move |request: Request| match shown.0.get() {
        // A router cannot fail.
        Some(router) => router.clone().oneshot(anew(request)).await.into_response(),
        None => not_found(request.uri()),
    });
    Router::new()
        .route("/api/v1/recent/{*rest}", ask.clone())
        .route("/api/v1/archive/{*rest}", ask.clone())
        .route("/prometheus", ask.clone())
        .route("/prometheus/", ask.clone())
        .route("/prometheus/{*rest}", ask)
}

/// The request without what the outer route made of its path, which the inner one would take for its own.
fn anew(request: Request) -> Request {
    let (parts, body) = request.into_parts();
    let mut fresh = Request::new(body);
    *fresh.method_mut() = parts.method;
    *fresh.uri_mut() = parts.uri;
    *fresh.version_mut() = parts.version;
    *fresh.headers_mut() = parts.headers;
    fresh
}

fn not_allowed(method: &Method) -> Response {
    let error = format!("{method} is not possible here; queries are asked with GET");
    let body = json!({ "error": error, "code": "method_not_allowed" });
    (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response()
}

fn not_found(uri: &Uri) -> Response {
    let path: String = uri.path().chars().take(100).collect();
    let error = format!(
        "there is no {path} here; sluice standalone answers queries, as docs/queries.md says"
    );
    let body = json!({ "error": error, "code": "not_found" });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

#[cfg(test)]
mod tests;
