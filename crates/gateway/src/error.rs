//! Why a request is not answered with success, and the code of each reason.
//!
//! A message names the field, the limit and what was found, so that a person can act on it. What a
//! protocol makes of it (JSON, text, protobuf) is its own business.

use buffer::PublishError;
use codec::{InflateError, UnsupportedEncoding};
use model::{Code, Refusal};

use crate::access::Denied;
use crate::permits::Full;
use crate::quotas::Exceeded;
use crate::refusals::Refusals;
use crate::repeats::RepeatError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is nothing at {path}; metrics are pushed with POST /metrics")]
    NotFound { path: String },
    #[error("{method} is not possible at {path}{hint}")]
    MethodNotAllowed {
        method: String,
        path: String,
        hint: &'static str,
    },
    #[error("{0}")]
    Parameter(String),
    #[error("content type {found:?} is not read here; send {wanted}")]
    ContentType { found: String, wanted: &'static str },
    #[error("content encoding {found:?} is not read here; send {wanted}")]
    WireEncoding { found: String, wanted: &'static str },
    #[error("{0}")]
    Tenant(String),
    #[error("{0}")]
    Denied(Denied),
    #[error(transparent)]
    Encoding(#[from] UnsupportedEncoding),
    #[error(
        "the body has {} bytes, the limit is {limit_bytes}; send several smaller ones",
        at_least(*found_bytes, *exact)
    )]
    BodyTooLarge {
        found_bytes: u64,
        /// Whether the size was announced; otherwise reading stopped at the limit.
        exact: bool,
        limit_bytes: usize,
    },
    #[error("the body stopped coming: {received_bytes} bytes came in {elapsed_s} s")]
    BodyStalled {
        received_bytes: usize,
        elapsed_s: u64,
    },
    #[error("the body ended early after {received_bytes} bytes: {cause}")]
    BodyBroken {
        received_bytes: usize,
        cause: String,
    },
    #[error("{}{}", .0, smaller(.0))]
    Inflate(#[from] InflateError),
    #[error("the body is {found}, but the header Content-Encoding does not say so")]
    Unannounced { found: &'static str },
    #[error(transparent)]
    Body(#[from] Refusal),
    #[error("{}", .0.sentence())]
    Batch(Refusals),
    #[error(transparent)]
    Rate(#[from] Exceeded),
    #[error(transparent)]
    Repeat(#[from] RepeatError),
    #[error("too much is in flight: {0}; send it again later")]
    Overloaded(#[from] Full),
    #[error("{0}; send all of it again")]
    Buffer(#[from] PublishError),
    #[error("the buffer did not confirm every record within {timeout_ms} ms; send all of it again")]
    Timeout { timeout_ms: u128 },
    #[error("no processor was free within {timeout_ms} ms; send it again later")]
    Busy { timeout_ms: u128 },
    #[error(
        "this gateway takes no samples at present (emergency.mode: read_only); keep them and send them again"
    )]
    ReadOnly,
    #[error("this process is stopping; send it again, to another one if there is one")]
    ShuttingDown,
    #[error("a defect of the gateway, which its log describes; nothing is known about the samples")]
    Internal,
}

impl Error {
    /// The stable code, which decides the status.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::NotFound,
            Self::MethodNotAllowed { .. } => Code::MethodNotAllowed,
            Self::Parameter(_) => Code::ParameterInvalid,
            Self::ContentType { .. } => Code::ContentTypeUnsupported,
            Self::Tenant(_) => Code::TenantInvalid,
            Self::Denied(denied) => denied.code(),
            Self::WireEncoding { .. } | Self::Encoding(_) => Code::EncodingUnsupported,
            Self::BodyTooLarge { .. } => Code::BodyTooLarge,
            Self::BodyStalled { .. } => Code::RequestTimeout,
            Self::BodyBroken { .. } => Code::BodyInvalid,
            Self::Inflate(InflateError::TooLarge { .. }) => Code::InflatedTooLarge,
            Self::Inflate(InflateError::Corrupt { .. }) | Self::Unannounced { .. } => {
                Code::BodyCorrupt
            }
            Self::Body(refusal) => refusal.code,
            Self::Batch(refusals) if refusals.is_passing() => Code::QuotaExceeded,
            Self::Batch(_) => Code::BatchRefused,
            Self::Rate(_) => Code::RateLimited,
            Self::Repeat(error) => error.code(),
            Self::Overloaded(_) | Self::Busy { .. } => Code::Overloaded,
            Self::Buffer(error) => publish_code(error),
            Self::Timeout { .. } => Code::BufferUnavailable,
            Self::ReadOnly => Code::ReadOnly,
            Self::ShuttingDown => Code::ShuttingDown,
            Self::Internal => Code::Internal,
        }
    }

    /// How long the sender should wait at least before it tries again, where that helps.
    pub(crate) fn retry_after_secs(&self) -> Option<u32> {
        match self {
            Self::Rate(exceeded) => {
                let seconds = exceeded.wait.as_millis().div_ceil(1000).max(1);
                Some(u32::try_from(seconds).unwrap_or(u32::MAX))
            }
            _ => matches!(self.code().status(), 429 | 503).then_some(1),
        }
    }

    /// Whether to read the rest of the body, so that the sender comes to reading this answer.
    ///
    /// Not under overload, where a cut connection says the same; not where nothing more comes.
    pub(crate) fn is_worth_hearing(&self) -> bool {
        match self {
            Self::BodyStalled { .. } | Self::BodyBroken { .. } => false,
            _ => self.code().status() < 500,
        }
    }

    /// Whether this was decided from the request's header, before its body was asked for.
    pub(crate) fn is_from_header(&self) -> bool {
        match self {
            Self::BodyTooLarge { exact, .. } => *exact,
            Self::Rate(_) => true,
            Self::Repeat(error) => error.is_from_header(),
            Self::Parameter(_)
            | Self::ContentType { .. }
            | Self::WireEncoding { .. }
            | Self::Tenant(_)
            | Self::Denied(_)
            | Self::Encoding(_) => true,
            _ => false,
        }
    }
}

/// The code of a failed publishing.
pub(crate) fn publish_code(error: &PublishError) -> Code {
    match error {
        PublishError::QueueFull => Code::Overloaded,
        PublishError::Full(_) | PublishError::Unconfirmed(_) => Code::BufferUnavailable,
        PublishError::Closed => Code::ShuttingDown,
        // Records are split below the buffer's limit, so one that is too large is our defect; but the
        // sender's samples are good, and it must not drop them.
        PublishError::TooLarge { .. } | PublishError::Refused(_) => Code::BufferUnavailable,
    }
}

fn smaller(error: &InflateError) -> &'static str {
    match error {
        InflateError::TooLarge { .. } => "; send several smaller ones",
        InflateError::Corrupt { .. } => "",
    }
}

fn at_least(bytes: u64, exact: bool) -> String {
    if exact {
        bytes.to_string()
    } else {
        format!("more than {bytes}")
    }
}
