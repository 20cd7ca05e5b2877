//! The page's files, embedded as they were built, each compressed once for all.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;

/// A file of the page.
pub(crate) struct Asset {
    /// Where it is, below `assets`.
    path: &'static str,
    /// Changes when the content does.
    tag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The page itself.
const INDEX: &str = "index.html";

/// Its name has a hash of its content in it.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// It may be another one next time; its tag says whether.
const ASK_AGAIN: &str = "no-cache";

/// The page; none where the binary was built without.
pub(crate) fn page(headers: &HeaderMap) -> Option<Response> {
    find(INDEX).map(|asset| answer(asset, headers, ASK_AGAIN))
}

/// A file that the page names.
pub(crate) fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    // Wherever the build puts them.
    let asset = find(&format!("assets/{path}")).or_else(|| find(path))?;
    if asset.path == INDEX {
        return None;
    }
    let caching = if is_hashed(asset.path) {
        FOREVER
    } else {
        ASK_AGAIN
    };
    Some(answer(asset, headers, caching))
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// Whether a name has eight characters or more of a hash before its ending, as in `app-1A2B3C4D.js`.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let hash = stem.rsplit('-').next().unwrap_or_default();
    hash.len() >= 8
        && hash.len() < stem.len()
        && hash.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn answer(asset: &'static Asset, headers: &HeaderMap, caching: &'static str) -> Response {
    let (encoding, bytes) = match (asset.brotli, asset.gzip) {
        (Some(brotli), _) if takes(headers, "br") => (Some("br"), brotli),
        (_, Some(gzip)) if takes(headers, "gzip") => (Some("gzip"), gzip),
        _ => (None, asset.plain),
    };
    let tag = format!("\"{}-{}\"", asset.tag, encoding.unwrap_or("plain"));
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known
        .and_then(|known| known.to_str().ok())
        .unwrap_or_default();
    let is_known = known.split(',').any(|known| {
        let known = known.trim();
        known.strip_prefix("W/").unwrap_or(known) == tag
    });
    let mut response = Response::builder()
        .header(header::ETAG, tag)
        .header(header::CACHE_CONTROL, caching)
        .header(header::VARY, "Accept, Accept-Encoding");
    if is_known {
        response = response.status(StatusCode::NOT_MODIFIED);
        return response.body(Body::empty()).unwrap_or_default();
    }
    if let Some(encoding) = encoding {
        response = response.header(header::CONTENT_ENCODING, encoding);
    }
    response
        .header(header::CONTENT_TYPE, kind(asset.path))
        .body(Body::from(Bytes::from_static(bytes)))
        // Every header is one of ours.
        .unwrap_or_default()
}

/// Whether a client takes an encoding, and does not say `q=0` of it.
fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut offers = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    offers.any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case(wanted)
            && weight.parse().is_ok_and(|weight: f64| weight > 0.0)
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "map" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
