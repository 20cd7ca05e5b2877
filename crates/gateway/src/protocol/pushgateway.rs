//! The Pushgateway's API for batch jobs: `PUT`, `POST` and `DELETE` of groups, and what groups there are.
//!
//! Answers to pushes are plain text, as its clients show them; a push is taken as a whole or not at all.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use buffer::Durability;
use bytes::Bytes;
use codec::{Decoded, Encoding, exposition_protobuf, text};
use futures::stream;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use model::{Code, Refusal};
use service::units::Size;
use tokio::time::Instant;

use super::{Head, deliver, opened, show_durability, with_retry_after};
use crate::answer;
use crate::body::Received;
use crate::error::Error;
use crate::ingest::Pipeline;
use crate::metrics;
use crate::origin::{credential, origin, sender};
use crate::permits::Permit;
use crate::pushgateway::{
    Content, Groups, Mode, NO_TIME, PushOptions, Target, group_of_path, shown, shown_all,
};
use crate::router::App;

/// The label `protocol` in metrics.
pub(crate) const PROTOCOL: &str = "pushgateway";

/// The routes of the API.
pub(crate) fn routes() -> Router<Arc<App>> {
    let group = || get(show).put(put).post(post).delete(delete);
    let mut router = Router::new();
    for path in [
        "/metrics/job",
        "/metrics/job/",
        "/metrics/job/{*group}",
        "/metrics/job@base64/",
        "/metrics/job@base64/{*group}",
    ] {
        router = router.route(path, group());
    }
    router
        .route("/api/v1/metrics", get(list))
        .route("/-/ready", get(ready))
        .route("/-/healthy", get(async || "OK"))
}

async fn put(State(app): State<Arc<App>>, request: Request) -> Response {
    push(&app, Mode::ReplaceAll, request).await
}

async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    push(&app, Mode::ReplaceSameNames, request).await
}

async fn push(app: &Arc<App>, mode: Mode, request: Request) -> Response {
    let (parts, mut body) = opened(request).await;
    let head = Head::of(app, &parts);
    match take(&head, mode, &mut body).await {
        Ok(durability) => done(app, durability, StatusCode::OK),
        Err(error) => deliver(failed(&head, &error), &head, body, error).await,
    }
}

/// Reads a push and stores it, or notes that it was refused.
async fn take(head: &Head<'_>, mode: Mode, body: &mut Body) -> Result<Option<Durability>, Error> {
    let app = head.app;
    app.pipeline.check_open()?;
    let groups = groups(app)?;
    let target = target(head)?;
    let options = PushOptions::of(head)?;
    let encoding = encoding(head)?;
    let format = Format::of(head);
    app.pipeline.quotas.admit(&target.origin)?;
    let permit = app.pipeline.permit(&target.origin, credential(head));
    let permit = app.body_limits.admit(body, permit)?;
    let taken = async {
        let received = app.body_limits.read(body, permit).await?;
        let limit = groups.max_group();
        let (content, permit) = read(app, &target, limit, encoding, format, received).await?;
        let durability = groups.push(&target, mode, &options, content).await?;
        drop(permit);
        Ok(durability)
    };
    let taken: Result<Option<Durability>, Error> = Box::pin(taken).await;
    if let Err(error) = &taken
        && error.code().status() == 400
        && let Err(unknown) = Box::pin(groups.fail(&target)).await
    {
        tracing::debug!(
            error = &unknown as &dyn std::error::Error,
            "that a push was refused is not noted"
        );
    }
    taken
}

async fn read(
    app: &App,
    target: &Target,
    max_group: Size,
    encoding: Encoding,
    format: Format,
    received: Received,
) -> Result<(Content, Permit), Error> {
    let pipeline = &app.pipeline;
    let labels = target.labels.clone();
    let (max_samples, max_metadata_bytes) = (
        pipeline.limits.max_samples,
        pipeline.limits.max_metadata_bytes,
    );
    let deadline = Instant::now() + pipeline.request_timeout;
    let work = move |_: &Pipeline, body: Bytes, _: &mut Permit| {
        let mut decoded = format.decode(&body, max_samples)?;
        decoded.drop_long_metadata(max_metadata_bytes);
        Ok(Content::of(decoded, &labels, max_group)?)
    };
    pipeline.work(encoding, received, deadline, work).await
}

async fn delete(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = opened(request).await;
    let head = Head::of(&app, &parts);
    let ended = async {
        app.pipeline.check_open()?;
        let groups = groups(&app)?;
        let target = target(&head)?;
        app.pipeline.quotas.admit(&target.origin)?;
        Box::pin(groups.delete(&target)).await
    };
    match ended.await {
        Ok(durability) => done(&app, durability, StatusCode::ACCEPTED),
        Err(error) => deliver(failed(&head, &error), &head, body, error).await,
    }
}

async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _body) = opened(request).await;
    let head = Head::of(&app, &parts);
    let found = groups(&app).and_then(|groups| {
        let target = target(&head)?;
        Ok((groups, groups.find(&target)?))
    });
    match found {
        Ok((groups, Some(group))) => axum::Json(shown(groups, &group)).into_response(),
        Ok((_, None)) => {
            let why = "there is no group with exactly these labels; GET /api/v1/metrics lists all";
            answer::refusal(Code::NotFound, why.to_owned())
        }
        Err(error) => failed_json(&head, &error),
    }
}

async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _body) = opened(request).await;
    let head = Head::of(&app, &parts);
    let listed = groups(&app).and_then(|groups| {
        let origin = origin(&head)?;
        groups.list(origin.tenant.as_deref())
    });
    match listed {
        Ok(all) => {
            let pieces = stream::iter(shown_all(all).map(Ok::<_, Infallible>));
            let json = [(CONTENT_TYPE, "application/json")];
            (json, Body::from_stream(pieces)).into_response()
        }
        Err(error) => failed_json(&head, &error),
    }
}

/// The Pushgateway's probe: whether pushes are taken.
async fn ready(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _body) = request.into_parts();
    let is_ready = app
        .pipeline
        .check_open()
        .and_then(|()| groups(&app)?.check_known());
    match is_ready {
        Ok(()) => "OK".into_response(),
        Err(error) => {
            let head = Head::of(&app, &parts);
            plainly(&head, &error)
        }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    OpenMetrics,
    Protobuf,
}

impl Format {
    /// As the Pushgateway does it, whatever is not known is taken for text.
    fn of(head: &Head<'_>) -> Self {
        match head.media_type().as_str() {
            "application/openmetrics-text" => Self::OpenMetrics,
            "application/vnd.google.protobuf" => Self::Protobuf,
            _ => Self::Text,
        }
    }

    fn decode(self, body: &Bytes, max_samples: usize) -> Result<Decoded<'_>, Refusal> {
        let text = |dialect| {
            let options = text::Options {
                dialect,
                now_ms: NO_TIME,
            };
            text::decode(body, &options, max_samples)
        };
        match self {
            // An empty push says something, in any format.
            _ if body.is_empty() => Ok(Decoded::default()),
            Self::Text => text(text::Dialect::Text),
            Self::OpenMetrics => text(text::Dialect::OpenMetrics),
            Self::Protobuf => exposition_protobuf::decode(body, NO_TIME, max_samples),
        }
    }
}

/// Of Snappy's formats the framed one, which the Pushgateway reads and `prometheus_client` sends.
fn encoding(head: &Head<'_>) -> Result<Encoding, Error> {
    match head.header(&CONTENT_ENCODING) {
        Some(text) if text.trim().eq_ignore_ascii_case("snappy") => Ok(Encoding::SnappyFramed),
        _ => head.encoding(),
    }
}

fn groups(app: &App) -> Result<&Arc<Groups>, Error> {
    // The routes are only there with them.
    app.groups.as_ref().ok_or(Error::Internal)
}

fn target(head: &Head<'_>) -> Result<Target, Error> {
    Ok(Target {
        origin: origin(head)?,
        labels: group_of_path(head.parts.uri.path()).map_err(Error::Parameter)?,
    })
}

fn done(app: &App, durability: Option<Durability>, status: StatusCode) -> Response {
    let mut response = status.into_response();
    show_durability(&mut response, durability.unwrap_or(app.durability));
    response
}

fn failed(head: &Head<'_>, error: &Error) -> Response {
    let receipts = &head.app.pipeline.receipts;
    receipts.request("pushgateway", &sender(head), head.parts, error);
    plainly(head, error)
}

fn plainly(head: &Head<'_>, error: &Error) -> Response {
    metrics::request_refused(error.code());
    with_retry_after(shown_failure(error), head, error)
}

/// A failure as its clients show it.
pub(crate) fn shown_failure(error: &Error) -> Response {
    let text = match error {
        Error::Batch(refusals) => {
            let first = refusals.first();
            let (index, why) =
                first.map_or((0, ""), |first| (first.index, &*first.refusal.message));
            format!(
                "pushed metrics are invalid or inconsistent with existing metrics, and none was taken: \
                 {} refused, the first is number {index}: {why}\n",
                refusals.refused()
            )
        }
        _ => format!("{error}\n"),
    };
    let content_type = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (answer::status_of(error.code()), content_type, text).into_response()
}

fn failed_json(head: &Head<'_>, error: &Error) -> Response {
    metrics::request_refused(error.code());
    with_retry_after(answer::failed(error), head, error)
}

#[cfg(test)]
mod tests;
