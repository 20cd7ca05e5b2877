//! What surrounds every request, routes of others included.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use http::Method;
use tokio::time::Instant;

use crate::answer::{self, Meant};
use crate::error::Error;
use crate::metrics;

/// Counts the request, and answers 500 in our shape where a handler panics.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let method = method_label(request.method());
    // A panic leaves nothing half done behind: what a request shares with others survives it by design.
    let response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let what = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            tracing::error!(route, method, panic = what, "a handler panicked");
            answer::refusal(Error::Internal.code(), Error::Internal.to_string())
        }
    };
    let meant = response.extensions().get::<Meant>();
    let status = meant
        .map_or_else(|| response.status(), |meant| meant.0)
        .as_u16();
    let elapsed = started.elapsed();
    tracing::debug!(
        route,
        method,
        status,
        elapsed_ms = elapsed.as_millis(),
        "answered"
    );
    metrics::request(route, method, status, elapsed);
    response
}

/// A closed set: the method is what the sender makes up.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
