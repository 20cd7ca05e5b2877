//! Asks every request who it is, before any handler, and answers those that may not pass.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use futures::future::Either;
use http::header::{EXPECT, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use service::http::Peer;
use service::log_limit::LogLimit;
use tower::{Layer, Service};

use super::shapes::{Shape, is_public, shape};
use super::{Access, Denied};
use crate::answer;
use crate::body::linger;
use crate::error::Error;
use crate::layers::Route;
use crate::metrics;
use crate::origin::stranger;
use crate::protocol::{Head, with_retry_after};
use crate::router::App;

/// How much of a stranger's body is read so that it comes to reading the answer; longer ones are cut off.
const LINGER_BYTES: usize = 64 << 10;

/// Layer that lets in who may come.
#[derive(Clone)]
pub(crate) struct Guard(pub(crate) Arc<App>);

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            app: Arc::clone(&self.0),
        }
    }
}

/// A service with [`Guard`] before it.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    inner: S,
    app: Arc<App>,
}

type Asked = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Asked>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if self.app.access.read().is_open() {
            return Either::Left(self.inner.call(request));
        }
        let route = request.extensions().get::<MatchedPath>().cloned();
        let Some(route) = route.filter(|route| !is_public(route.as_str())) else {
            return Either::Left(self.inner.call(request));
        };
        // The one that was asked whether it is ready is the one to be called.
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let app = Arc::clone(&self.app);
        Either::Right(Box::pin(async move {
            match ask(&app, route.as_str(), request).await {
                Ok(request) => inner.call(request).await,
                Err(refusal) => Ok(refusal),
            }
        }))
    }
}

/// The request with what it may do, or the answer.
pub(crate) async fn ask(
    app: &Arc<App>,
    route: &str,
    request: Request,
) -> Result<Request, Response> {
    let access = app.access.keep();
    let (mut parts, body) = request.into_parts();
    let shape = shape(&parts.method, route);
    let decided = access.decide(&parts, app.pipeline.clock.now_ms()).await;
    let decided = decided.and_then(|grant| match grant {
        Some(grant) => access.allows(&grant, shape.protocol).map(|()| Some(grant)),
        None => Ok(None),
    });
    match decided {
        Ok(Some(grant)) => {
            parts.extensions.insert(grant);
            Ok(Request::from_parts(parts, body))
        }
        Ok(None) => Ok(Request::from_parts(parts, body)),
        Err(denied) => Err(refuse(app, &access, &shape, denied, &parts, body).await),
    }
}

async fn refuse(
    app: &App,
    access: &Access,
    shape: &Shape,
    denied: Denied,
    parts: &Parts,
    mut body: Body,
) -> Response {
    count(&denied, parts);
    let error = Error::Denied(denied);
    metrics::request_refused(error.code());
    let head = Head::of(app, parts);
    let receipts = &app.pipeline.receipts;
    receipts.request(shape.protocol, &stranger(parts), parts, &error);
    let mut response = with_retry_after((shape.failed)(&head, &error), &head, &error);
    if response.status() == StatusCode::UNAUTHORIZED {
        for challenge in access.challenges() {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
    }
    let is_waiting = parts.headers.contains_key(EXPECT);
    if body.is_end_stream() || (!is_waiting && linger(&mut body, LINGER_BYTES).await) {
        return response;
    }
    answer::closing(response, parts.version)
}

/// Counts and logs who was not let in: never with what it showed.
pub(crate) fn count(denied: &Denied, parts: &Parts) {
    static DENIED: LogLimit = LogLimit::new();
    let reason = denied.reason();
    metrics::access_denied(reason);
    if let Some(suppressed) = DENIED.pass() {
        let route = Route::of(&parts.extensions);
        let route = route.as_ref().map(Route::as_str);
        let peer = parts.extensions.get::<Peer>().map(|peer| &*peer.name);
        tracing::warn!(
            reason,
            source = peer,
            route,
            suppressed,
            "a request was not let in: {denied}"
        );
    }
}
