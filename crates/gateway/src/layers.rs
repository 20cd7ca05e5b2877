//! What surrounds every request, routes of others included.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use futures::FutureExt as _;
use futures::future::CatchUnwind;
use http::header::CONNECTION;
use http::{Extensions, HeaderValue, Method, Version};
use pin_project_lite::pin_project;
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

    /// What will be told of a request that begins now.
    pub(crate) fn asked<B>(&self, route: Option<Route>, request: &Request<B>) -> Asked {
        Asked {
            route,
            method: method_label(request.method()),
            started: Instant::now(),
            meters: Arc::clone(&self.meters),
            // Later versions have no such header.
            is_last: self.mode.is(Mode::Drain) && request.version() <= Version::HTTP_11,
        }
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed {
            inner,
            observe: self.clone(),
        }
    }
}

/// A service with [`Observe`] around it.
#[derive(Clone)]
pub(crate) struct Observed<S> {
    inner: S,
    observe: Observe,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Observing<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let asked = self.observe.asked(route.map(Route::Matched), &request);
        Observing::new(self.inner.call(request), asked)
    }
}

/// The pattern of the path that a request came by.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    /// The router found it.
    Matched(MatchedPath),
    /// The path itself; in the extensions of requests that no router has seen.
    Direct(&'static str),
}

impl Route {
    /// The one of a request with these extensions.
    pub(crate) fn of(extensions: &Extensions) -> Option<Self> {
        let direct = extensions.get::<Self>().cloned();
        direct.or_else(|| extensions.get().cloned().map(Self::Matched))
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) => path.as_str(),
            Self::Direct(path) => path,
        }
    }
}

pin_project! {
    /// An answer on its way. A future of its own, because a box for it is a good part of what a small request costs.
    pub(crate) struct Observing<F> {
        #[pin]
        answer: CatchUnwind<AssertUnwindSafe<F>>,
        asked: Asked,
    }
}

impl<F: Future> Observing<F> {
    pub(crate) fn new(answer: F, asked: Asked) -> Self {
        Self {
            // A panic leaves nothing half done behind: what a request shares with others survives it by design.
            answer: AssertUnwindSafe(answer).catch_unwind(),
            asked,
        }
    }
}

/// What is told of a request when it is answered.
pub(crate) struct Asked {
    route: Option<Route>,
    method: &'static str,
    started: Instant,
    meters: Arc<RequestMeters>,
    is_last: bool,
}

impl<F> Future for Observing<F>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        let mut response = this.asked.observe(answer);
        if this.asked.is_last {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        Poll::Ready(Ok(response))
    }
}

impl Asked {
    /// Counts and logs the answer, or the panic in place of one.
    fn observe(&self, answer: std::thread::Result<Result<Response, Infallible>>) -> Response {
        let method = self.method;
        let route = self.route.as_ref();
        let route = route.map_or("unmatched", Route::as_str);
        let response = match answer {
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
        let elapsed = self.started.elapsed();
        tracing::debug!(
            route,
            method,
            status,
            elapsed_ms = elapsed.as_millis(),
            "answered"
        );
        self.meters.count(route, method, status, elapsed);
        response
    }
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
