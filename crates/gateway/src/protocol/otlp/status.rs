//! Failures as `google.rpc.Status`: which of them a sender repeats.

use http::StatusCode;

use crate::answer::status_of;
use crate::error::Error;

/// Codes of gRPC.
const INVALID_ARGUMENT: u32 = 3;
const NOT_FOUND: u32 = 5;
const PERMISSION_DENIED: u32 = 7;
const RESOURCE_EXHAUSTED: u32 = 8;
const UNIMPLEMENTED: u32 = 12;
const UNAVAILABLE: u32 = 14;
const UNAUTHENTICATED: u32 = 16;

/// A failure in OTLP's words.
#[derive(Debug)]
pub(super) struct Rpc {
    /// Of OTLP/HTTP.
    pub(super) status: StatusCode,
    /// Of gRPC.
    pub(super) code: u32,
    pub(super) message: String,
    pub(super) retry_after_secs: Option<u32>,
}

impl Rpc {
    pub(super) fn of(error: &Error) -> Self {
        let code = error.code();
        let message = format!("{error} ({})", code.as_str());
        // Of 4xx and 5xx a sender repeats only 429, 502, 503 and 504: a stalled body and a defect of ours are
        // nothing that its samples should be lost for.
        let (status, rpc) = match code.status() {
            408 | 500 | 503 => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
            413 | 429 => (status_of(code), RESOURCE_EXHAUSTED),
            415 => (status_of(code), UNIMPLEMENTED),
            401 => (status_of(code), UNAUTHENTICATED),
            403 => (status_of(code), PERMISSION_DENIED),
            404 | 405 => (status_of(code), NOT_FOUND),
            _ => (status_of(code), INVALID_ARGUMENT),
        };
        let is_passing = matches!(status.as_u16(), 429 | 503);
        Self {
            status,
            code: rpc,
            message,
            // Too large a body stays so: without this, RESOURCE_EXHAUSTED is not repeated.
            retry_after_secs: is_passing.then_some(1),
        }
    }
}
