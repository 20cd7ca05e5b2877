//! `GET /api/v1/recent/…`: what arrived lately, for a person's first look.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use gateway::refusal;
use model::Code;
use serde::Serialize;
use store::recent::{Query, Recent, SampleRow, SeriesRow};

const DEFAULT_LIMIT: usize = 1000;
const MAX_LIMIT: usize = 100_000;

#[derive(Serialize)]
struct Samples {
    samples: Vec<SampleRow>,
}

#[derive(Serialize)]
struct Series {
    series: Vec<SeriesRow>,
}

/// The routes, on the window that they show.
pub(crate) fn router(recent: Recent) -> Router {
    Router::new()
        .route("/api/v1/recent/samples", get(samples))
        .route("/api/v1/recent/series", get(series))
        .with_state(recent)
}

async fn samples(State(recent): State<Recent>, RawQuery(query): RawQuery) -> Response {
    match parse(query.as_deref().unwrap_or_default()) {
        Ok(query) => Json(Samples {
            samples: recent.samples(&query),
        })
        .into_response(),
        Err(message) => refusal(Code::ParameterInvalid, message),
    }
}

async fn series(State(recent): State<Recent>, RawQuery(query): RawQuery) -> Response {
    match parse(query.as_deref().unwrap_or_default()) {
        Ok(query) => Json(Series {
            series: recent.series(&query),
        })
        .into_response(),
        Err(message) => refusal(Code::ParameterInvalid, message),
    }
}

fn parse(text: &str) -> Result<Query, String> {
    let mut query = Query {
        limit: DEFAULT_LIMIT,
        ..Query::default()
    };
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        match name.as_ref() {
            "metric_name" => query.metric_name = Some(value.into_owned()),
            "label" => match value.split_once(':') {
                Some((label, value)) => query.labels.push((label.to_owned(), value.to_owned())),
                None => return Err(format!("label={value} is not of the form label=NAME:VALUE")),
            },
            "limit" => match value.parse() {
                Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => query.limit = limit,
                _ => {
                    return Err(format!(
                        "limit={value} is not a number from 1 to {MAX_LIMIT}"
                    ));
                }
            },
            other => {
                return Err(format!(
                    "unknown parameter {other:?}; known are metric_name, label and limit"
                ));
            }
        }
    }
    Ok(query)
}

#[cfg(test)]
mod tests;
