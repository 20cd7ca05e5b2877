//! `GET /api/v1/tail` on the admin listener: what arrives in the log of this process, one JSON object per line.
//!
//! Only where the buffer is an embedded log, which nobody else can open meanwhile. A client that reads slowly is told
//! less: nothing is kept for it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use buffer::local::{Log, PARTITION, RangeReader};
use buffer::{OffsetRange, Piece, ReadRanges as _};
use bytes::Bytes;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Printer;
use crate::tools::filter::{Chosen, Filter};
use crate::tools::sample::{Format, Style};
use crate::tools::when::when;

/// So many may look at once.
const AT_ONCE: usize = 4;

/// When nothing comes for so long, an empty line does.
const ALIVE: Duration = Duration::from_secs(5);

/// What the route needs. The log is known once it is open.
#[derive(Debug, Clone)]
pub(crate) struct Tails {
    log: Arc<OnceLock<Log>>,
    permits: Arc<Semaphore>,
}

impl Default for Tails {
    fn default() -> Self {
        Self {
            log: Arc::default(),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Tails {
    /// From here on this log is shown.
    pub(crate) fn of(&self, log: Log) {
        // There is one log in a process, so nothing was set before.
        self.log.set(log).unwrap_or_default();
    }
}

/// The route, on the admin listener: it shows what senders sent.
pub(crate) fn router(tails: Tails) -> Router {
    Router::new()
        .route("/api/v1/tail", get(tail))
        .with_state(tails)
}

/// The parameters: those of the command.
#[derive(Debug, Default)]
struct Query {
    chosen: Chosen,
    since: Option<String>,
    limit: Option<u64>,
    no_follow: bool,
}

impl Query {
    fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "name" => query.chosen.names.push(value),
                "label" => query.chosen.labels.push(value),
                "tenant" => query.chosen.tenants.push(value),
                "since" => query.since = Some(value),
                "limit" => {
                    let limit = value.parse();
                    query.limit =
                        Some(limit.map_err(|_| format!("limit={value} is not a number"))?);
                }
                "follow" => match value.as_str() {
                    "true" => query.no_follow = false,
                    "false" => query.no_follow = true,
                    _ => return Err(format!("follow={value}; write follow=true or follow=false")),
                },
                other => {
                    return Err(format!(
                        "unknown parameter {other:?}; known are name, label, tenant, since, limit and follow"
                    ));
                }
            }
        }
        Ok(query)
    }
}

async fn tail(State(tails): State<Tails>, RawQuery(query): RawQuery) -> Response {
    match begin(&tails, &query.unwrap_or_default()).await {
        Ok(shown) => {
            let lines = futures::stream::unfold(shown, |mut shown| async move {
                let line = shown.next().await?;
                Some((line, shown))
            });
            let json_lines = [("content-type", "application/x-ndjson")];
            (json_lines, Body::from_stream(lines)).into_response()
        }
        Err((status, code, error)) => {
            (status, Json(json!({ "error": error, "code": code }))).into_response()
        }
    }
}

type Refusal = (StatusCode, &'static str, String);

async fn begin(tails: &Tails, query: &str) -> Result<Shown, Refusal> {
    let invalid = |why| {
        let code = model::Code::ParameterInvalid.as_str();
        (StatusCode::BAD_REQUEST, code, why)
    };
    let busy = |why: &str| {
        let code = model::Code::Overloaded.as_str();
        (StatusCode::SERVICE_UNAVAILABLE, code, why.to_owned())
    };
    let query = Query::parse(query).map_err(invalid)?;
    let filter = Filter::new(&query.chosen).map_err(invalid)?;
    let Some(log) = tails.log.get() else {
        return Err(busy(
            "this process has no embedded log (yet); with Kafka, run sluice tail",
        ));
    };
    let permit = Arc::clone(&tails.permits).try_acquire_owned();
    let permit = permit.map_err(|_| busy("too many look already; try again when one has ended"))?;
    let bounds = log.bounds();
    let now_ms = service::clock::now_ms();
    let from_ms = match query.since.as_deref() {
        None | Some("earliest") => i64::MIN,
        Some(since) => when(since, now_ms).map_err(invalid)?,
    };
    let from = match query.since.as_deref() {
        None => bounds.end,
        Some("earliest") => bounds.start,
        Some(_) => log
            .at_time(from_ms)
            .await
            .map_err(|error| busy(&error.to_string()))?,
    };
    let range = OffsetRange {
        partition: PARTITION,
        from,
        to: query.no_follow.then_some(bounds.end),
    };
    let reader = log.read(range).await;
    Ok(Shown {
        reader: reader.map_err(|error| busy(&error.to_string()))?,
        printer: Printer {
            style: Style {
                format: Format::Json,
                has_colours: false,
            },
            filter,
            from_ms,
            left: query.limit.unwrap_or(u64::MAX),
        },
        _permit: permit,
    })
}

struct Shown {
    reader: RangeReader,
    printer: Printer,
    _permit: OwnedSemaphorePermit,
}

impl Shown {
    /// The next lines; none at the end.
    async fn next(&mut self) -> Option<Result<Bytes, std::convert::Infallible>> {
        while self.printer.left > 0 {
            // The listener takes a connection on which nothing moves for a dead one.
            let Ok(piece) = tokio::time::timeout(ALIVE, self.reader.next()).await else {
                return Some(Ok(Bytes::from_static(b"\n")));
            };
            match piece {
                Ok(Piece::Records(records)) => {
                    let text = self.printer.text(&records);
                    if !text.is_empty() {
                        return Some(Ok(Bytes::from(text)));
                    }
                }
                Ok(Piece::Expired { .. }) => {}
                Ok(Piece::Ended { .. }) | Err(_) => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
