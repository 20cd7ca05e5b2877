//! A request without its body: what protocols ask it for.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use axum::extract::RawPathParams;
use codec::Encoding;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use service::http::{Alarm, Client, Peer};

use crate::error::Error;
use crate::ingest::Policy;
use crate::router::App;

/// A request without its body.
#[derive(Clone, Copy)]
pub(crate) struct Head<'r> {
    pub app: &'r App,
    pub parts: &'r Parts,
    /// Who sends it.
    pub peer: Option<&'r Peer>,
    /// What wakes who answers it, where its connection can.
    pub alarm: Option<&'r Alarm>,
    /// What its connection remembers of the request before.
    pub note: Option<&'r Arc<AtomicU32>>,
    lengths: Lengths,
}

impl<'r> Head<'r> {
    /// Of a request whose extensions say who sends it.
    pub(crate) fn of(app: &'r App, parts: &'r Parts) -> Self {
        Self {
            app,
            parts,
            peer: parts.extensions.get(),
            alarm: None,
            note: None,
            lengths: Lengths::of(&parts.headers),
        }
    }

    /// Of a request of this client, of which its extensions say nothing.
    pub(super) fn from(app: &'r App, parts: &'r Parts, client: &'r Client) -> Self {
        Self {
            app,
            parts,
            peer: client.peer.as_ref(),
            alarm: client.alarm.as_ref(),
            note: client.note.as_ref(),
            lengths: Lengths::of(&parts.headers),
        }
    }

    /// The first header of this name.
    pub(crate) fn first(&self, name: &HeaderName) -> Option<&'r HeaderValue> {
        let headers = &self.parts.headers;
        if !self.lengths.may_have(name) {
            return None;
        }
        if headers.keys_len() > FEW_HEADERS {
            return headers.get(name);
        }
        let mut all = headers.iter();
        all.find_map(|(found, value)| (found == name).then_some(value))
    }

    /// A header as text; what is not text becomes replacement characters. Several lines are joined by commas.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<String> {
        let headers = &self.parts.headers;
        let value = self.first(name)?;
        if has_single_lines(headers) {
            return Some(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
        let mut lines = headers.get_all(name).iter();
        let mut text = String::from_utf8_lossy(lines.next()?.as_bytes()).into_owned();
        for line in lines {
            text.push_str(", ");
            text.push_str(&String::from_utf8_lossy(line.as_bytes()));
        }
        Some(text)
    }

    /// The content type without its parameters, in lower case; empty when the request says none.
    pub(crate) fn media_type(&self) -> String {
        let text = self.header(&CONTENT_TYPE).unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    }

    /// Whether the content type is written exactly like this, which most senders do.
    pub(crate) fn is_plainly(&self, media_type: &str) -> bool {
        let value = self.first(&CONTENT_TYPE).map(HeaderValue::as_bytes);
        value == Some(media_type.as_bytes()) && has_single_lines(&self.parts.headers)
    }

    /// What `Content-Encoding` says: identity, gzip, deflate or zstd.
    pub(crate) fn encoding(&self) -> Result<Encoding, Error> {
        let text = self.header(&CONTENT_ENCODING);
        Ok(Encoding::parse(text.as_deref())?)
    }

    /// A query parameter, decoded; the first of its name.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.parts.uri, name)
    }

    /// A parameter of the route's pattern, decoded.
    pub(crate) fn path_parameter(&self, name: &str) -> Option<&str> {
        let params = self.parts.extensions.get::<PathParams>()?;
        params
            .0
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Reads a parameter that is `true` or `false`.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, Error> {
        match self.parameter(name).as_deref() {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(value) => {
                let value: String = value.chars().take(40).collect();
                let message = format!("{name} is {value:?}; write {name}=true or {name}=false");
                Err(Error::Parameter(message))
            }
        }
    }

    /// `strict=true` stores all of a body or nothing.
    pub(crate) fn policy(&self) -> Result<Policy, Error> {
        Ok(if self.flag("strict", false)? {
            Policy::AllOrNothing
        } else {
            Policy::StoreTheGood
        })
    }
}

/// So many names are looked through.
const FEW_HEADERS: usize = 8;

/// How long the names of a request's headers are. Most of what is looked for is not there, and this mostly tells; where
/// it does not, to look at each of a few costs less than to hash what is looked for.
#[derive(Debug, Clone, Copy)]
struct Lengths(u64);

impl Lengths {
    fn of(headers: &HeaderMap) -> Self {
        if headers.keys_len() > FEW_HEADERS {
            return Self(u64::MAX);
        }
        let names = headers.keys();
        Self(names.fold(0, |lengths, name| lengths | Self::one(name)))
    }

    fn one(name: &HeaderName) -> u64 {
        1 << (name.as_str().len() % 64)
    }

    fn may_have(self, name: &HeaderName) -> bool {
        self.0 & Self::one(name) != 0
    }
}

/// Whether no header has several lines.
fn has_single_lines(headers: &HeaderMap) -> bool {
    headers.len() == headers.keys_len()
}

/// A query parameter, decoded; the first of its name.
pub(crate) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// The route's parameters, kept where [`Head`] finds them.
#[derive(Debug, Clone)]
pub(super) struct PathParams(pub(super) Arc<RawPathParams>);
