//! Where a request's body ends: said in one way only, so that no proxy before us can read it otherwise.

use axum::body::Body;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// Whether the body has no transfer coding but `chunked`, said once.
///
/// hyper sees to the rest: lengths that contradict each other are refused, and where there is a length beside a coding
/// the connection ends with the request. But it takes whatever ends in `chunked`, as `gzip, chunked`, for chunks.
pub(super) fn is_plain(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// What is left to say: the rest of the connection cannot be made sense of.
pub(super) fn refusal() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
