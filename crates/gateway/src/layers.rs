//! What surrounds every request, routes of others included.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use futures::FutureExt as _;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Version};
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::answer::{self, Meant};
use crate::error::Error;
use crate::metrics::RequestMeters;
use crate::mode::{Mode, ModeHandle};

/// Counts requests, answers 500 in our shape where a handler panics, and ends connections while the gateway drains.
#[derive(Clone)]
pub(crate) struct Observe {
    meters: Arc<RequestMeters>,
    mode: ModeHandle,
}

impl Observe {
    pub(crate) fn new(mode: ModeHandle) -> Self {
        Self {
            meters: Arc::default(),
            mode,
        }
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed {
            inner,
            meters: Arc::clone(&self.meters),
            mode: self.mode.clone(),
        }
    }
}

/// A service with [`Observe`] around it.
#[derive(Clone)]
pub(crate) struct Observed<S> {
    inner: S,
    meters: Arc<RequestMeters>,
    mode: ModeHandle,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let started = Instant::now();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let method = method_label(request.method());
        let meters = Arc::clone(&self.meters);
        // Later versions have no such header.
        let is_last = self.mode.is(Mode::Drain) && request.version() <= Version::HTTP_11;
        let answer = self.inner.call(request);
        Box::pin(async move {
            let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
            let mut response = observe(route, method, started, &meters, answer).await;
            if is_last {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok(response)
        })
    }
}

async fn observe(
    route: &str,
    method: &'static str,
    started: Instant,
    meters: &RequestMeters,
    answer: impl Future<Output = Result<Response, Infallible>>,
) -> Response {
    // A panic leaves nothing half done behind: what a request shares with others survives it by design.
    let response = match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
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
    meters.count(route, method, status, elapsed);
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
