//! `/openapi.json` and `/docs`: made when somebody asks for the first time, and kept.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;

use super::document::{About, document};
use super::page::page;
use super::{Answer, Api, Content, Operation, Shape};

/// How the page looks.
const STYLE: &str = include_str!("page.css");

/// The page has no scripts, and nothing in it comes from elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The group of what describes the others.
const TAG: &str = "This description";

#[derive(Debug)]
struct Shown {
    document: Bytes,
    page: Bytes,
}

impl Shown {
    fn of((mut about, api): (About, Api)) -> Self {
        about
            .tags
            .push((TAG, "The same for programs and for people."));
        let document = document(&about, &api.and(describing()));
        Self {
            page: Bytes::from(page(&document)),
            document: Bytes::from(document.to_string()),
        }
    }
}

/// What [`routes`] serves, described.
#[must_use]
pub fn describing() -> Api {
    let document = Operation::new("describeApi", TAG, "This description, for programs")
        .about("OpenAPI 3.1, of what this listener serves.")
        .open()
        .answers(
            Answer::new(200, "The document.").with(Content::written(json!({
                "type": "object",
                "required": ["openapi", "info", "paths"],
            }))),
        );
    let page = Operation::new("showApi", TAG, "This description, for people")
        .about("One page without scripts, from the same document.")
        .open()
        .answers(Answer::new(200, "The page.").with(Content::new("text/html", Shape::text())));
    let style = Operation::new("styleApi", TAG, "How the page looks")
        .open()
        .answers(Answer::new(200, "A style sheet.").with(Content::new("text/css", Shape::text())));
    Api::default()
        .at(Method::GET, "/openapi.json", document)
        .at(Method::GET, "/docs", page)
        .at(Method::GET, "/docs/style.css", style)
}

/// The routes that show an API, themselves included. What they show is made when somebody asks for the first time: a
/// description takes megabytes while it is made, and most processes are never asked.
pub fn routes<S: Clone + Send + Sync + 'static>(
    described: impl Fn() -> (About, Api) + Clone + Send + Sync + 'static,
) -> Router<S> {
    let shown: Arc<OnceLock<Shown>> = Arc::default();
    let shown = move || {
        let made = shown.get_or_init(|| Shown::of(described()));
        (made.document.clone(), made.page.clone())
    };
    let of_page = shown.clone();
    Router::new()
        .route(
            "/openapi.json",
            get(async move || answer("application/json", shown().0)),
        )
        .route(
            "/docs",
            get(async move || answer("text/html; charset=utf-8", of_page().1)),
        )
        .route(
            "/docs/style.css",
            get(async || {
                answer(
                    "text/css; charset=utf-8",
                    Bytes::from_static(STYLE.as_bytes()),
                )
            }),
        )
}

fn answer(content_type: &'static str, body: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (headers, body).into_response()
}
