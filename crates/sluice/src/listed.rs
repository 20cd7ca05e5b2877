//! How many entries a list of the admin listener is asked for: `?limit=`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use model::Code;
use serde_json::json;

/// So many where nothing else is asked for.
const LISTED: usize = 20;

/// More is not read by anybody.
const MOST_LISTED: usize = 1000;

/// What a query says.
///
/// # Errors
/// The answer when it says something else, or what cannot be.
pub(crate) fn limit(query: Option<&str>) -> Result<usize, Box<Response>> {
    parsed(query.unwrap_or_default()).map_err(|error| {
        let body = json!({ "error": error, "code": Code::ParameterInvalid.as_str() });
        Box::new((StatusCode::BAD_REQUEST, Json(body)).into_response())
    })
}

fn parsed(query: &str) -> Result<usize, String> {
    let mut limit = LISTED;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "limit" {
            return Err(format!("unknown parameter {name:?}; known is limit"));
        }
        limit = match value.parse() {
            Ok(limit) if (1..=MOST_LISTED).contains(&limit) => limit,
            _ => {
                return Err(format!(
                    "limit={value} is not a number from 1 to {MOST_LISTED}"
                ));
            }
        };
    }
    Ok(limit)
}

#[cfg(test)]
mod tests;
