//! What browsers are given of the page, with files made up for it.

use axum::http::{HeaderMap, HeaderValue, header};

use super::{Asset, answer, file, is_hashed, page, takes};

static SCRIPT: Asset = Asset {
    path: "assets/app-1A2B3C4D.js",
    tag: "0123",
    plain: b"let a = 1;",
    gzip: Some(b"gzipped"),
    brotli: Some(b"brotlied"),
};

fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
}

fn encoding(accepted: &str) -> Option<String> {
    let response = answer(
        &SCRIPT,
        &headers(header::ACCEPT_ENCODING, accepted),
        "no-cache",
    );
    let encoding = response.headers().get(header::CONTENT_ENCODING)?;
    Some(encoding.to_str().unwrap().to_owned())
}

#[test]
fn the_smallest_that_a_browser_takes_is_sent() {
    assert_eq!(encoding("gzip, deflate, br, zstd").as_deref(), Some("br"));
    assert_eq!(encoding("gzip").as_deref(), Some("gzip"));
    assert_eq!(encoding("br;q=0, gzip;q=0.5").as_deref(), Some("gzip"));
    assert_eq!(encoding("identity"), None);
}

#[test]
fn an_encoding_that_is_not_named_is_not_taken() {
    assert!(!takes(&HeaderMap::new(), "br"));
    assert!(!takes(
        &headers(header::ACCEPT_ENCODING, "gzip;q=x"),
        "gzip"
    ));
}

#[test]
fn what_a_browser_has_already_is_not_sent_again() {
    let first = answer(&SCRIPT, &HeaderMap::new(), "no-cache");
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    let again =
        |tag: &str| answer(&SCRIPT, &headers(header::IF_NONE_MATCH, tag), "no-cache").status();
    assert_eq!(again(&tag), 304);
    assert_eq!(again(&format!("\"x\", W/{tag}")), 304);
    assert_eq!(again("\"x\""), 200);
    // Another encoding is another answer.
    let packed = answer(&SCRIPT, &headers(header::ACCEPT_ENCODING, "br"), "no-cache");
    assert_ne!(packed.headers()[header::ETAG].to_str().unwrap(), tag);
}

#[test]
fn only_a_name_with_a_hash_is_kept_forever() {
    for (path, expected) in [
        ("assets/app-1A2B3C4D.js", true),
        ("app-deadbeef99.css", true),
        ("assets/app.js", false),
        ("favicon.svg", false),
        ("icon-32.png", false),
        ("12345678.js", false),
    ] {
        assert_eq!(is_hashed(path), expected, "{path}");
    }
}

#[test]
fn a_path_reaches_nothing_but_the_files() {
    for path in [
        "../build.rs",
        "index.html",
        "",
        "assets/assets/x",
        "README.md",
    ] {
        assert!(file(path, &HeaderMap::new()).is_none(), "{path}");
    }
}

#[test]
fn a_page_that_is_there_is_asked_for_again_each_time() {
    if let Some(page) = page(&HeaderMap::new()) {
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(
            page.headers()[header::CONTENT_TYPE],
            "text/html; charset=utf-8"
        );
    }
}
