//! `POST /api/v1/explain`: what would become of a body, sample by sample. Nothing of it is stored, counted or remembered.
//!
//! The body goes the way that it would go, by the same code: the protocol's own reader, the rules, the records of the
//! coalescer. Only what would take something is left out: rates, active series, the catalogue, the buffer.

mod limits;
mod report;
mod shown;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::Uri;
use http::uri::PathAndQuery;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::answer;
use crate::error::Error;
use crate::ingest::{Intake, Outcome, Pipeline, Policy};
use crate::origin::{credential, origin};
use crate::permits::Permit;
use crate::protocol::{Handle, Head, Opened, Protocol, Rehearsal, opened, parameter};
use crate::router::{App, protocols};
pub(crate) use report::Report;
use report::{Answer, Explained};

/// What credentials list that may ask.
pub(crate) const EXPLAIN: &str = "explain";

/// Where it is.
pub(crate) const PATH: &str = "/api/v1/explain";

/// Where a body is posted that does not say where it would be.
const USUAL: &str = "/metrics";

/// The route, and behind it those of all protocols.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    // Made for the first question: it is as much memory as the routes of all protocols, and few ever ask.
    let table: Arc<OnceLock<Router>> = Arc::default();
    let app = Arc::clone(app);
    let at = async move |request: Request| match redirected(request) {
        Ok(request) => {
            let table = table.get_or_init(|| all(&app)).clone();
            // A router cannot fail.
            table.oneshot(request).await.into_response()
        }
        Err(error) => answer::failed(&error),
    };
    Router::new().route(PATH, post(at))
}

fn all(app: &Arc<App>) -> Router {
    protocols::<Explain>()
        .nest("/tenants/{tenant}", protocols::<Explain>())
        .fallback(async |request: Request| elsewhere(request.uri()))
        .with_state(Arc::clone(app))
}

/// The request as it would be posted where it says: `path`, with that path's own query.
fn redirected(mut request: Request) -> Result<Request, Error> {
    let path = parameter(request.uri(), "path").unwrap_or_else(|| USUAL.to_owned());
    let is_path = path.starts_with('/');
    let parsed = PathAndQuery::try_from(path.as_str()).ok();
    let Some(target) = parsed.filter(|_| is_path) else {
        let path: String = path.chars().take(100).collect();
        let message = format!(
            "path is {path:?}; write the path that the body would be posted to, such as path=/api/v1/write"
        );
        return Err(Error::Parameter(message));
    };
    *request.uri_mut() = Uri::from(target);
    request.extensions_mut().insert(Rehearsal);
    Ok(request)
}

fn elsewhere(uri: &Uri) -> Response {
    let path: String = uri.path().chars().take(100).collect();
    let message = format!(
        "no protocol is read at {path}, so nothing can be explained; text that is pushed to /metrics/job/… is read like that of \
         path=/api/v1/import/prometheus/metrics/job/…"
    );
    answer::failed(&Error::Parameter(message))
}

/// Reads a body as its protocol would be, and says what it came to.
pub(crate) struct Explain;

impl Handle for Explain {
    async fn handle<P: Protocol>(State(app): State<Arc<App>>, request: Request) -> Response {
        let (parts, mut body) = opened(request).await;
        let head = Head::of(&app, &parts);
        match explain::<P>(head, &mut body).await {
            Ok(report) => axum::Json(report).into_response(),
            // It is not the body's fault.
            Err(error) => answer::failed(&error),
        }
    }
}

/// What the body would come to. An error is one of asking, not of the body.
async fn explain<P: Protocol>(head: Head<'_>, body: &mut Body) -> Result<Report, Error> {
    let pipeline = &head.app.pipeline;
    pipeline.check_open()?;
    let origin = origin(&head)?;
    // Asking is work like any other.
    pipeline.quotas.admit(&origin)?;
    let permit = pipeline.permit(&origin, credential(&head));
    let mut report = Report::of::<P>(&origin);
    let Opened {
        protocol,
        encoding,
        policy,
    } = match P::open(&head) {
        Ok(opened) => opened,
        Err(error) => return refused::<P>(report, &head, error).await,
    };
    let permit = head
        .app
        .body_limits
        .admit_inflated(body, permit, pipeline.max_inflated_bytes);
    let received = match permit {
        Ok(permit) => head.app.body_limits.read(body, permit).await,
        Err(error) => Err(error),
    };
    let mut received = match received {
        Ok(received) => received,
        Err(error) => return refused::<P>(report, &head, error).await,
    };
    report.body_bytes = received.bytes.len();
    let protocol = Arc::new(protocol);
    let encoding = match protocol.unwrap(encoding, received.bytes) {
        Ok((encoding, bytes)) => {
            received.bytes = bytes;
            encoding
        }
        Err(refusal) => return refused::<P>(report, &head, refusal.into()).await,
    };
    report.encoding = Some(encoding.as_str());
    let intake = Intake {
        encoding,
        policy,
        origin,
        note: None,
    };
    let reader = Arc::clone(&protocol);
    let deadline = Instant::now() + pipeline.request_timeout;
    let work = move |pipeline: &Pipeline, body, permit: &mut Permit| {
        report::explained(pipeline, reader.as_ref(), &intake, body, permit)
    };
    match pipeline.work(encoding, received, deadline, work).await {
        Ok((explained, _permit)) => {
            Ok(with_answer(report, &head, protocol.as_ref(), policy, explained).await)
        }
        Err(error) => refused::<P>(report, &head, error).await,
    }
}

/// The report of a body that was read, with the answer that its sender would get.
async fn with_answer<P: Protocol>(
    mut report: Report,
    head: &Head<'_>,
    protocol: &P,
    policy: Policy,
    explained: Explained,
) -> Report {
    let Explained {
        body,
        refusals,
        stored,
    } = explained;
    let is_all_or_nothing = policy == Policy::AllOrNothing && !refusals.is_empty();
    let response = if is_all_or_nothing {
        protocol.refused(head, &Error::Batch(refusals))
    } else {
        protocol.stored(&Outcome {
            refusals,
            stored,
            durability: None,
        })
    };
    report.is_stored = !is_all_or_nothing && stored.samples() > 0;
    report.answer = Some(Answer::of(response).await);
    report.body = Some(body);
    report
}

/// The report of a body that is refused as a whole; or the error, when a sender would try the same again.
async fn refused<P: Protocol>(
    mut report: Report,
    head: &Head<'_>,
    error: Error,
) -> Result<Report, Error> {
    let code = error.code();
    if matches!(code.status(), 401 | 403 | 408 | 429 | 500..) {
        return Err(error);
    }
    report.refusal = Some((code.as_str(), error.to_string()).into());
    report.answer = Some(Answer::of(P::failed(head, &error)).await);
    Ok(report)
}

#[cfg(test)]
mod tests;
