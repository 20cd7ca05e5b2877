//! What a router has, for tests that compare it with what is described.

use std::collections::BTreeMap;

use axum::Router;
use http::Method;

/// Methods that a router tells apart and an API speaks of.
const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("patch", Method::PATCH),
];

/// Every method and route of a router, read from how it prints itself: it has no other way to say so.
///
/// Empty when it prints itself in another way than is known here.
#[must_use]
pub fn served<S>(router: &Router<S>) -> Vec<(Method, String)> {
    let text = format!("{router:?}");
    // The fallbacks print themselves in the same way.
    let text = text.split("fallback_router").next().unwrap_or_default();
    let Some((handlers, paths)) = text.split_once("node: Node {") else {
        return Vec::new();
    };
    let paths: BTreeMap<&str, &str> = paths
        .split("RouteId(")
        .filter_map(|entry| {
            let (id, rest) = entry.split_once(')')?;
            let path = rest.split('"').nth(1)?;
            Some((id, path))
        })
        .collect();
    let mut found = Vec::new();
    for entry in handlers.split("RouteId(") {
        let Some((id, handler)) = entry.split_once(')') else {
            continue;
        };
        let Some(path) = paths.get(id) else {
            continue;
        };
        for (word, method) in &METHODS {
            let has = |what: &str| handler.contains(&format!(" {word}: {what}"));
            if has("Route") || has("BoxedHandler") {
                found.push((method.clone(), (*path).to_owned()));
            }
        }
    }
    found
}
