//! What a protocol brings: how its requests are read, and how they are answered.
//!
//! Everything between is the same for all of them: admission, limits, inflating, rules, coalescing, the ledger, and
//! the answer's common headers. A protocol is a decoder in `codec`, a file here, and a line in the router.

pub(crate) mod datadog;
mod extra;
mod head;
pub(crate) mod influx;
pub(crate) mod json;
pub(crate) mod opentsdb;
pub(crate) mod otlp;
pub(crate) mod pushgateway;
pub(crate) mod remote_write;
pub(crate) mod text;
pub(crate) mod victoria;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use buffer::Durability;
use bytes::Bytes;
use codec::catalogue::Trail;
use codec::parts::Part;
use codec::{Decoded, Encoding};
use http::header::{EXPECT, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use model::{Limits, Refusal};
use service::http::Client;

use crate::answer;
use crate::body::{Source, Wire, linger, linger_briefly};
use crate::error::Error;
use crate::front::Answered;
use crate::ingest::{Intake, Outcome, Policy, Submitted, Work};
use crate::metrics;
use crate::origin::{credential, origin, sender};
use crate::permits::Permit;
use crate::repeats::{Answer, Claim, Key};
use crate::router::App;
use crate::within::within;
use head::PathParams;
pub(crate) use head::{Head, parameter};

/// Says where a success is durable.
const DURABILITY: HeaderName = HeaderName::from_static("sluice-durability");

/// One request of a protocol, from its header to its answer.
pub(crate) trait Protocol: Sized + Send + Sync + 'static {
    /// The label `protocol` in metrics.
    const NAME: &'static str;

    /// Whether every sample says its time itself. Where the gateway's clock may say it, the same body twice is two
    /// observations.
    const HAS_TIMES: bool = true;

    /// Reads what the request says before its body.
    ///
    /// # Errors
    /// When it cannot be served, whatever its body is.
    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error>;

    /// Takes a body as it came out of its envelope, for formats that have one around what is compressed.
    ///
    /// # Errors
    /// When the envelope is not what it should be.
    fn unwrap(&self, encoding: Encoding, body: Bytes) -> Result<(Encoding, Bytes), Refusal> {
        Ok((encoding, body))
    }

    /// Rewrites an inflated body into what [`Self::decode`] reads, for formats that have several spellings.
    ///
    /// # Errors
    /// When the body is not what the request says.
    fn prepare(&self, body: Bytes) -> Result<Bytes, Refusal> {
        Ok(body)
    }

    /// Decodes an inflated body of at most `limits.max_samples` samples. A decoder may find series in the
    /// catalogue instead of reading them.
    ///
    /// # Errors
    /// When the body as a whole cannot be read; single bad objects are in [`Decoded::refused`].
    fn decode<'a>(
        &'a self,
        body: &'a Bytes,
        limits: &Limits,
        trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal>;

    /// How [`Self::parts`] are to be read.
    const PART_TYPE: &'static str = "";

    /// The bytes of objects of a decoded body as they were sent, where they can be found again: for receipts of what was
    /// refused. `wanted` is sorted.
    fn parts<'a>(&self, body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
        let (_, _) = (body, wanted);
        Vec::new()
    }

    /// The answer when everything that the outcome does not refuse is durable. It may have refused everything.
    fn stored(&self, outcome: &Outcome) -> Response;

    /// The answer to a request that failed as a whole, in the protocol's own shape. `Retry-After` is added to it.
    fn failed(head: &Head<'_>, error: &Error) -> Response;

    /// The answer to a body that was read, of which nothing is stored because of [`Error::Batch`]: for protocols
    /// that show what was bad of it.
    fn refused(&self, head: &Head<'_>, error: &Error) -> Response {
        Self::failed(head, error)
    }
}

/// What a protocol has read before the body.
#[derive(Debug)]
pub(crate) struct Opened<P> {
    pub protocol: P,
    pub encoding: Encoding,
    pub policy: Policy,
}

/// Marks a request of which nothing may stay: in its extensions, for protocols that remember something between requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rehearsal;

/// What is done with the bodies of all protocols.
pub(crate) trait Handle: 'static {
    /// Answers a request of one of them.
    fn handle<P: Protocol>(
        app: State<Arc<App>>,
        request: Request,
    ) -> impl Future<Output = Response> + Send;
}

/// The handler of a protocol's route.
pub(crate) fn on<H: Handle, P: Protocol>() -> MethodRouter<Arc<App>> {
    post(H::handle::<P>)
}

/// Stores a body and answers when it is durable.
pub(crate) struct Receive;

impl Handle for Receive {
    async fn handle<P: Protocol>(State(app): State<Arc<App>>, request: Request) -> Response {
        let (parts, body) = opened(request).await;
        receive::<P>(&Head::of(&app, &parts), &mut Wire::Other(body)).await
    }
}

/// Stores the body of a request whose path has no parameters and whose sender may come; see [`crate::front`].
pub(crate) fn directly<P: Protocol>(
    app: Arc<App>,
    parts: Parts,
    mut body: Wire,
    client: Client,
) -> Answered {
    Box::pin(async move {
        let head = Head::from(&app, &parts, &client);
        Ok(receive::<P>(&head, &mut body).await)
    })
}

/// What it takes is borrowed: a future keeps what it was called with beside what it makes of it.
async fn receive<P: Protocol>(head: &Head<'_>, body: &mut Wire) -> Response {
    let stored = store::<P>(head, body).await;
    let refusal = match answered(head, stored) {
        Ok(response) => return response,
        Err(refusal) => refusal,
    };
    let (response, error) = *refusal;
    Box::pin(deliver(response, head, body, error)).await
}

/// The answer to what came of a body; or, with its error, to one that may not be read yet.
fn answered<P: Protocol>(
    head: &Head<'_>,
    stored: Result<Stored<P>, Error>,
) -> Result<Response, Box<(Response, Error)>> {
    match stored {
        Ok(Stored::Before(answer)) => Ok(answer.again()),
        Ok(Stored::Now(protocol, Ok(outcome))) => {
            let mut response = protocol.stored(&outcome);
            let status = response.status();
            if status.is_client_error() {
                metrics::request_refused(outcome.refusals.code());
            }
            if status.is_success() || outcome.stored.samples() > 0 {
                let durability = outcome.durability.unwrap_or(head.app.durability);
                show_durability(&mut response, durability);
            }
            Ok(response)
        }
        Ok(Stored::Now(protocol, Err(error))) => {
            note::<P>(head, &error);
            let response = protocol.refused(head, &error);
            Ok(with_retry_after(response, head, &error))
        }
        Err(error) => Err(Box::new((failed::<P>(head, &error), error))),
    }
}

/// Says where what was stored is durable.
pub(crate) fn show_durability(response: &mut Response, durability: Durability) {
    let durability = HeaderValue::from_static(durability.as_str());
    response.headers_mut().insert(DURABILITY, durability);
}

/// A request with its route's parameters where [`Head`] finds them.
pub(crate) async fn opened(request: Request) -> (Parts, Body) {
    let (mut parts, body) = request.into_parts();
    if let Ok(params) = RawPathParams::from_request_parts(&mut parts, &()).await
        && params.iter().next().is_some()
    {
        parts.extensions.insert(PathParams(Arc::new(params)));
    }
    (parts, body)
}

/// Sees to it that the sender of a refused body comes to reading why.
async fn deliver(
    response: Response,
    head: &Head<'_>,
    mut body: impl Source,
    error: Error,
) -> Response {
    if body.is_end_stream() {
        return response;
    }
    // A sender that asked whether to go on has sent nothing, and reads the answer.
    let is_waiting = head.parts.headers.contains_key(EXPECT) && error.is_from_header();
    // Taking what has come already costs less than the connection that its sender would open again.
    let is_shed = matches!(error, Error::Overloaded(_));
    if is_shed && linger_briefly(&mut body).await {
        return response;
    }
    let most_bytes = head.app.body_limits.max_bytes.saturating_mul(4);
    if error.is_worth_hearing() && !is_waiting && linger(&mut body, most_bytes).await {
        return response;
    }
    answer::closing(response, head.parts.version)
}

/// A failure in the protocol's shape, counted, with the headers that every protocol has.
pub(crate) fn failed<P: Protocol>(head: &Head<'_>, error: &Error) -> Response {
    note::<P>(head, error);
    with_retry_after(P::failed(head, error), head, error)
}

/// Counts and remembers a request that is answered with an error.
fn note<P: Protocol>(head: &Head<'_>, error: &Error) {
    metrics::request_refused(error.code());
    let receipts = &head.app.pipeline.receipts;
    receipts.request(P::NAME, &sender(head), head.parts, error);
}

/// With how long to wait before another try, where that helps.
pub(crate) fn with_retry_after(mut response: Response, head: &Head<'_>, error: &Error) -> Response {
    if let Some(seconds) = head.app.backoff.after(head, error) {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What became of a body.
enum Stored<P> {
    /// It could be read: an outcome, or [`Error::Batch`].
    Now(P, Result<Outcome, Error>),
    /// It came before, and this was the answer.
    Before(Arc<Answer>),
}

/// Stores a body, unless it was before.
async fn store<P: Protocol>(head: &Head<'_>, body: &mut Wire) -> Result<Stored<P>, Error> {
    let pipeline = &head.app.pipeline;
    // In a block: what is left of it would be kept, and moved about, until the buffer has answered.
    let ((protocol, mut submitted), permit, deadline) = {
        let (admitted, permit) = admit::<P>(head, body)?;
        let received = head.app.body_limits.read(body, permit).await?;
        let first = match &admitted.key {
            None => None,
            Some(key) => {
                let origin = &admitted.intake.origin;
                let claim = head.app.repeats.claim(key, head, origin, &received.bytes);
                match Box::pin(claim).await? {
                    Claim::Answered(answer) => return Ok(Stored::Before(answer)),
                    Claim::First(first) => Some(first),
                    Claim::Untracked => None,
                }
            }
        };
        let Admitted {
            protocol, intake, ..
        } = admitted;
        let deadline = pipeline.deadline(head.alarm);
        let work = pipeline.ingest(protocol, intake, received, first, deadline.at())?;
        let (ingested, permit) = match work {
            Work::Done(done) => done,
            Work::Elsewhere(done) => done.await?,
        };
        (ingested, permit, deadline)
    };
    if let Some(settling) = submitted.as_mut().ok().and_then(Submitted::settling) {
        let waited = within(deadline, settling).await;
        submitted = submitted.and_then(|submitted| submitted.settled(pipeline, waited));
    }
    drop(permit);
    match submitted {
        Ok(submitted) => Ok(Stored::Now(protocol, Ok(submitted.outcome))),
        Err(error @ Error::Batch(_)) => Ok(Stored::Now(protocol, Err(error))),
        Err(error) => Err(error),
    }
}

/// A request that may send its body.
struct Admitted<P> {
    protocol: P,
    intake: Intake,
    key: Option<Key>,
}

/// Looks at all that a request says before its body, and takes room for it.
fn admit<P: Protocol>(head: &Head<'_>, body: &Wire) -> Result<(Admitted<P>, Permit), Error> {
    let app = head.app;
    let pipeline = &app.pipeline;
    pipeline.check_open()?;
    let Opened {
        protocol,
        encoding,
        policy,
    } = P::open(head)?;
    let intake = Intake {
        encoding,
        policy,
        origin: origin(head)?,
        note: head.note.cloned(),
    };
    let key = app.repeats.key::<P>(head)?;
    pipeline.quotas.admit(&intake.origin)?;
    let permit = pipeline.permit(&intake.origin, credential(head));
    let most_inflated = match encoding {
        Encoding::Identity => 0,
        _ => pipeline.max_inflated_bytes,
    };
    let permit = app
        .body_limits
        .admit_inflated(body, permit, most_inflated)?;
    let admitted = Admitted {
        protocol,
        intake,
        key,
    };
    Ok((admitted, permit))
}

#[cfg(test)]
pub(crate) mod tests;
