//! Parameters of Prometheus's API, from the query string and the form that a POST has.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use promql_parser::label::Matcher;

use super::Shared;
use crate::ask::{cut, duration, selector};
use crate::budget::Budget;
use crate::error::{Error, invalid};
use crate::labels::Matching;

/// A form may be as long as this, in bytes.
const MAX_FORM_BYTES: usize = 128 << 10;

/// How far from the epoch a time may be, in milliseconds: beyond, it has no date of four digits.
const FARTHEST_MS: f64 = 253_402_300_799_999.0;

/// The parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Form {
    pairs: Vec<(String, String)>,
    /// Whose samples the request is about.
    pub(super) tenant: Option<String>,
}

impl Form {
    /// Reads a request whole.
    pub(super) async fn read(shared: &Shared, request: Request) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let text = parts.uri.query().unwrap_or_default();
        let mut pairs = pairs(text.as_bytes());
        let tenant = parts.headers.get(&shared.tenant_header);
        let tenant = match tenant.map(|tenant| tenant.to_str()) {
            Some(Ok(tenant)) => Some(tenant.to_owned()).filter(|tenant| !tenant.is_empty()),
            Some(Err(_)) => {
                return invalid(format!("the header {} is no text", shared.tenant_header));
            }
            None => None,
        };
        let content_type = parts.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|content_type| content_type.to_str().ok());
        if content_type.is_some_and(|it| it.starts_with("application/x-www-form-urlencoded")) {
            let form = tokio::time::timeout(shared.config.timeout.0, read(body));
            let form = form
                .await
                .map_err(|_| Error::Timeout(shared.config.timeout.0.as_secs()))?;
            pairs.extend(self::pairs(&form?));
        }
        Ok(Self { pairs, tenant })
    }

    /// A parameter, if it is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }

    /// A parameter that has to be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Error> {
        match self.get(name) {
            Some(value) => Ok(value),
            None => invalid(format!("the parameter {name} is missing")),
        }
    }

    /// A time as Unix seconds or RFC 3339, in milliseconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let at_ms = value.parse().ok().and_then(millis);
        let at_ms = at_ms.or_else(|| Some(value.parse::<jiff::Timestamp>().ok()?.as_millisecond()));
        match at_ms {
            Some(at_ms) => Ok(Some(at_ms)),
            None => invalid(format!(
                "{name}={} is no time; write Unix seconds or RFC 3339",
                cut(value)
            )),
        }
    }

    /// A duration as seconds or with its unit, in milliseconds; longer than nothing.
    pub(super) fn duration(&self, name: &str) -> Result<i64, Error> {
        let value = self.need(name)?;
        let millis = value.parse().ok().and_then(millis);
        match millis.or_else(|| duration(value)) {
            Some(millis) if millis > 0 => Ok(millis),
            _ => invalid(format!(
                "{name}={} is no duration; write seconds, or a unit as in 15s, more than none",
                cut(value)
            )),
        }
    }

    /// How many are wanted at most.
    pub(super) fn limit(&self) -> Result<usize, Error> {
        match self.get("limit").map(str::parse) {
            None | Some(Ok(0)) => Ok(usize::MAX),
            Some(Ok(limit)) => Ok(limit),
            Some(Err(_)) => invalid("limit is no whole number"),
        }
    }

    /// Series that meet one of the selectors `match[]`.
    pub(super) fn matching(&self, budget: &mut Budget) -> Result<Matching, Error> {
        let selectors = self.pairs.iter().filter(|(name, _)| name == "match[]");
        let lists: Result<Vec<Vec<Matcher>>, Error> =
            selectors.map(|(_, text)| selector(text, budget)).collect();
        Ok(Matching::any_of(lists?, self.tenant.clone()))
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

async fn read(body: Body) -> Result<Vec<u8>, Error> {
    let bytes = to_bytes(body, MAX_FORM_BYTES).await;
    let why = format!("the form is longer than {MAX_FORM_BYTES} bytes, or broke off");
    Ok(bytes.map_err(|_| Error::Invalid(why))?.into())
}

/// Seconds as milliseconds, if that is a time.
#[expect(clippy::cast_possible_truncation, reason = "checked just before")]
fn millis(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1000.0).round();
    (millis.abs() <= FARTHEST_MS).then_some(millis as i64)
}
