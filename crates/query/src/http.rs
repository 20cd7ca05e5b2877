//! The routes of both APIs.

mod form;
mod own;
mod prometheus;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use model::Clock;
use serde_json::json;
use store::parquet::Archive;
use store::recent::Recent;

use crate::answer::{Outbox, Page};
use crate::budget::Budget;
use crate::config::Config;
use crate::error::Error;
use crate::metrics;
use crate::pool::Pool;
use crate::source::Sources;

/// The header that says what was left out of an answer.
const WARNINGS: HeaderName = HeaderName::from_static("sluice-warnings");

/// Answers questions. Clones share threads and limits.
#[derive(Clone)]
pub struct Queries(Arc<Shared>);

struct Shared {
    config: Config,
    sources: Sources,
    pool: Pool,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    /// The header that names a tenant.
    tenant_header: String,
}

impl std::fmt::Debug for Queries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queries").finish_non_exhaustive()
    }
}

impl Queries {
    /// About this window and, where there is one, this archive. `tenant_header` names the tenant that a request of
    /// Prometheus's API is about.
    #[must_use]
    pub fn new(
        config: Config,
        recent: Recent,
        archive: Option<Archive>,
        clock: Arc<dyn Clock>,
        tenant_header: &str,
    ) -> Self {
        Self(Arc::new(Shared {
            sources: Sources { recent, archive },
            pool: Pool::new(config.clone()),
            outbox: Outbox::new(config.max_memory.bytes()),
            config,
            clock,
            tenant_header: tenant_header.to_ascii_lowercase(),
        }))
    }
}

/// The routes, for any listener.
pub fn router(queries: Queries) -> Router {
    Router::new()
        .merge(own::routes())
        .merge(prometheus::routes())
        .with_state(queries)
}

impl Shared {
    /// Has a question answered within its limits, and counts it. What is to be warned of becomes a header: CSV and Arrow
    /// have no other place for it.
    async fn answer(
        &self,
        api: &'static str,
        content_type: &'static str,
        question: impl FnOnce(&Sources, &mut Page<'_>) -> Result<Vec<String>, Error> + Send + 'static,
    ) -> Result<Response, Error> {
        let started = Instant::now();
        let sources = self.sources.clone();
        let written = self.pool.run(move |budget: &mut Budget| {
            let mut page = Page::new(budget);
            let warnings = question(&sources, &mut page)?;
            Ok((page.done(), warnings))
        });
        let written = written.await;
        let answer = written.and_then(|(bytes, warnings)| {
            let mut answer = self.outbox.answer(StatusCode::OK, content_type, bytes)?;
            if let Ok(warnings) = HeaderValue::try_from(warnings.join("; "))
                && !warnings.is_empty()
            {
                answer.headers_mut().insert(WARNINGS, warnings);
            }
            Ok(answer)
        });
        let outcome = answer
            .as_ref()
            .map_or_else(|error| error.code().as_str(), |_| "ok");
        metrics::answered(api, outcome, started.elapsed());
        answer
    }
}

/// A refusal in the shape of our own API.
fn refusal(error: &Error) -> Response {
    let code = error.code();
    let body = json!({ "error": error.to_string(), "code": code.as_str() });
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(body)).into_response();
    retry_later(&mut response);
    response
}

/// A number as Prometheus writes it.
pub(crate) fn shown_number(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

/// Says when to ask again, where that may help.
fn retry_later(response: &mut Response) {
    use axum::http::header::RETRY_AFTER;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
}

#[cfg(test)]
mod tests;
