//! `POST /write`, `/api/v2/write` and `/api/v3/write_lp`: InfluxDB's line protocol, versions 1, 2 and 3.
//!
//! Good lines are stored beside bad ones, which are answered with 400, their numbers and reasons; so do all three
//! versions. Nothing is stored of a bad body where version 3 is told `accept_partial=false`. Whatever database,
//! bucket or retention policy a request names exists.

pub(crate) mod probe;
mod told;
pub(crate) mod v1;
pub(crate) mod v2;
pub(crate) mod v3;

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use codec::Decoded;
use codec::catalogue::Trail;
use codec::influx::{Options, Precision};
use codec::parts::Part;
use http::{HeaderName, HeaderValue, StatusCode};
use model::{Limits, Refusal};

use super::{Head, Opened, Protocol};
use crate::config::InfluxConfig;
use crate::error::Error;
use crate::ingest::{Outcome, Policy};
use crate::refusals::Refusals;
use told::BadLine;

const VERSION_HEADER: HeaderName = HeaderName::from_static("x-influxdb-version");
const BUILD_HEADER: HeaderName = HeaderName::from_static("x-influxdb-build");

/// Clients choose by it what they ask for; it is the first that has the routes of versions 1 and 2.
const VERSION: &str = "1.8.0";

/// In what the versions differ.
pub(crate) trait Dialect: Send + Sync + 'static {
    /// The unit of timestamps where the request says none.
    const PRECISION: Precision;

    /// Parameters that name where to write, the first that is there counts.
    const DATABASE: &'static [&'static str];

    /// What happens to good lines beside bad ones.
    fn policy(head: &Head<'_>) -> Result<Policy, Error>;

    /// The answer when these lines were refused and all others are durable.
    fn partial(outcome: &Outcome, lines: &[BadLine]) -> Response;

    /// The answer when nothing is durable.
    fn failed(status: StatusCode, error: &Error) -> Response;

    /// The answer when nothing is durable because of these lines.
    fn refused(status: StatusCode, error: &Error, _lines: &[BadLine]) -> Response {
        Self::failed(status, error)
    }
}

/// A request to write lines.
pub(crate) struct Influx<D> {
    config: Arc<InfluxConfig>,
    precision: Precision,
    database: String,
    now_ms: i64,
    /// Kept so that an answer can show bad lines.
    body: OnceLock<Bytes>,
    dialect: PhantomData<D>,
}

impl<D: Dialect> Protocol for Influx<D> {
    const NAME: &'static str = "influx";
    const HAS_TIMES: bool = false;

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        let config = Arc::clone(&head.app.influx);
        let precision = match head.parameter("precision").as_deref() {
            None | Some("") => D::PRECISION,
            Some(text) => Precision::parse(text).ok_or_else(|| {
                let found: String = text.chars().take(40).collect();
                Error::Parameter(format!(
                    "precision is {found:?}; it can be ns, us, ms, s, m, h or auto"
                ))
            })?,
        };
        let mut names = D::DATABASE.iter();
        let database = names.find_map(|name| head.parameter(name));
        Ok(Opened {
            protocol: Self {
                config,
                precision,
                database: database.unwrap_or_default(),
                now_ms: head.app.pipeline.clock.now_ms(),
                body: OnceLock::new(),
                dialect: PhantomData,
            },
            encoding: head.encoding()?,
            policy: D::policy(head)?,
        })
    }

    fn decode<'a>(
        &'a self,
        body: &'a Bytes,
        limits: &Limits,
        trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        let (label, database) = (&self.config.database_label, &self.database);
        let has_label = !label.is_empty() && !database.is_empty();
        let options = Options {
            precision: self.precision,
            now_ms: self.now_ms,
            separator: &self.config.separator,
            strings: self.config.strings(),
            booleans: self.config.booleans(),
            label: has_label.then_some((label.as_str(), database.as_str())),
            max_samples: limits.max_samples,
            max_metric_name_bytes: limits.max_metric_name_bytes,
        };
        self.body.get_or_init(|| body.clone());
        codec::influx::decode_with(body, &options, trail)
    }

    const PART_TYPE: &'static str = "text/plain";

    fn parts<'a>(&self, body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
        codec::parts::lines(body, wanted)
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        if outcome.refusals.is_empty() {
            return versioned(StatusCode::NO_CONTENT.into_response());
        }
        let lines = self.bad_lines(&outcome.refusals);
        versioned(D::partial(outcome, &lines))
    }

    fn refused(&self, _head: &Head<'_>, error: &Error) -> Response {
        let lines = match error {
            Error::Batch(refusals) => self.bad_lines(refusals),
            _ => Vec::new(),
        };
        let status = crate::answer::status_of(error.code());
        versioned(D::refused(status, error, &lines))
    }

    fn failed(_head: &Head<'_>, error: &Error) -> Response {
        versioned(D::failed(crate::answer::status_of(error.code()), error))
    }
}

impl<D> Influx<D> {
    fn bad_lines(&self, refusals: &Refusals) -> Vec<BadLine> {
        let body = self.body.get().map_or(&[][..], AsRef::as_ref);
        told::bad_lines(refusals, body)
    }
}

/// The headers of every answer.
fn versioned(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
    headers.insert(BUILD_HEADER, HeaderValue::from_static("sluice"));
    response
}

#[cfg(test)]
mod tests;
