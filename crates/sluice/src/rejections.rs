//! `GET /api/v1/rejections`: why is my data missing? One answer from what gateways refused and what stores refused
//! later.
//!
//! What this process refused it remembers. What a store refused for good, in whichever process, is in the dead letters,
//! whose newest are read when somebody asks, within bounds of work and time.

mod letter;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use buffer::kafka::{Look, Tail};
use buffer::local::Log;
use buffer::{BuryDead, DeadLetter, PublishError};
use serde_json::json;
use service::rejections::{Answer, Query, Rejections};

/// How many dead letters are looked at for one question.
const MAX_LETTERS: usize = 1000;

/// How many bytes of them.
const MAX_LETTER_BYTES: usize = 16 << 20;

/// How long Kafka may take to show them.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where what stores refused is found.
#[derive(Debug)]
pub(crate) enum Late {
    /// In a topic, which all processes share.
    Topic(Tail),
    /// In the embedded log.
    Log(Log),
}

/// What the route needs. The late ones are known once the buffer is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    record: Option<Arc<Rejections>>,
    late: Arc<OnceLock<Late>>,
}

impl Shown {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            record: Some(Arc::new(Rejections::new(max_bytes))),
            late: Arc::default(),
        }
    }

    /// What this process refuses is noted here.
    pub(crate) fn record(&self) -> Arc<Rejections> {
        self.record
            .clone()
            .unwrap_or_else(|| Arc::new(Rejections::new(0)))
    }

    /// From here on also what stores refused is shown.
    pub(crate) fn also(&self, late: Late) {
        // There is one buffer in a process, so nothing was set before.
        self.late.set(late).unwrap_or_default();
    }
}

/// The route, on the admin listener: it shows what senders sent.
pub(crate) fn router(shown: Shown) -> Router {
    Router::new()
        .route("/api/v1/rejections", get(rejections))
        .with_state(shown)
}

async fn rejections(State(shown): State<Shown>, RawQuery(query): RawQuery) -> Response {
    let text = query.unwrap_or_default();
    let parameters = form_urlencoded::parse(text.as_bytes());
    let query = match Query::parse(parameters, service::clock::now_ms()) {
        Ok(query) => query,
        Err(error) => {
            let body = json!({ "error": error, "code": model::Code::ParameterInvalid.as_str() });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
    };
    Json(answer(&shown, &query).await).into_response()
}

async fn answer(shown: &Shown, query: &Query) -> Answer {
    let own = shown.record();
    let Some(late) = shown.late.get().filter(|_| query.late) else {
        return own.answer(query);
    };
    let all = own.copied_with(MAX_LETTER_BYTES);
    match look(late).await {
        Ok((found, note)) => {
            all.merge(&found);
            let mut answer = all.answer(query);
            answer.notes.extend(note);
            answer
        }
        Err(why) => {
            let mut answer = own.answer(query);
            answer.notes.push(format!(
                "what stores refused in other processes is not shown: {why}"
            ));
            answer
        }
    }
}

/// The newest dead letters, and what is to be said of them.
async fn look(late: &Late) -> Result<(Rejections, Option<String>), String> {
    let found = Rejections::new(MAX_LETTER_BYTES);
    match late {
        Late::Topic(tail) => {
            let look = Look {
                max_records: MAX_LETTERS,
                max_bytes: MAX_LETTER_BYTES,
                patience: PATIENCE,
            };
            let topic = tail.topic();
            let tailed = tail.look(look).await;
            let tailed = tailed.map_err(|why| format!("topic {topic}: {why}"))?;
            found.note(tailed.records.iter().map(letter::of_record));
            let note = tailed.is_cut.then(|| {
                format!(
                    "of topic {topic} only the newest {} records were looked at",
                    tailed.records.len()
                )
            });
            Ok((found, note))
        }
        Late::Log(log) => {
            let letters = log.dead_letters(MAX_LETTERS).await;
            let letters = letters.map_err(|error| error.to_string())?;
            found.note(letters.iter().map(letter::of_buried));
            let note = (letters.len() == MAX_LETTERS)
                .then(|| format!("only the newest {MAX_LETTERS} dead letters were looked at"));
            Ok((found, note))
        }
    }
}

/// Dead letters that are also remembered, for when Kafka cannot be asked for them.
#[derive(Debug)]
pub(crate) struct Noting<B> {
    inner: Arc<B>,
    record: Arc<Rejections>,
}

impl<B> Noting<B> {
    pub(crate) fn new(inner: Arc<B>, record: Arc<Rejections>) -> Self {
        Self { inner, record }
    }
}

impl<B: BuryDead> BuryDead for Noting<B> {
    async fn bury(&self, letter: DeadLetter) -> Result<(), PublishError> {
        let rejection = self
            .record
            .is_on()
            .then(|| letter::of_letter(&letter, service::clock::now_ms()));
        self.inner.bury(letter).await?;
        self.record.note(rejection);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
