//! Requests that come again because their answers were lost: answered again, not stored again.
//!
//! A request is told by its `Idempotency-Key`, or, where a setting says so, by its body; both only among those of the
//! same tenant and source. What is remembered is the answer to a request whose samples the buffer has, and nothing
//! else: one that failed may be tried again, and one that is not answered yet is waited for, so that no answer claims
//! what is not so. A request that its sender gave up is still followed to its end: its records may become durable,
//! and the next attempt learns that. All of it is this process's memory, bounded in time and bytes.

mod follow;
mod table;

use std::hash::{BuildHasher as _, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::response::Response;
use foldhash::quality::RandomState;
use http::HeaderName;
use http::header::CONTENT_ENCODING;
use model::Code;
use service::tasks::Tasks;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use crate::coalesce::Settling;
use crate::config::IdempotencyConfig;
use crate::ingest::Origin;
use crate::metrics;
use crate::protocol::{Head, Protocol};
pub(crate) use follow::Answer;
use follow::Follow;
use table::{Found, Table};

/// The header of the draft "The Idempotency-Key HTTP Header Field".
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a key may have.
const MAX_KEY_BYTES: usize = 255;

/// Requests that are followed at a time; beyond that they are stored without being remembered.
const MOST_FOLLOWED: usize = 4096;

/// Why a request that may have come before is not answered with success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RepeatError {
    #[error(
        "Idempotency-Key has {found}; it has 1 to {MAX_KEY_BYTES} visible ASCII characters, such as a UUID"
    )]
    KeyInvalid { found: String },
    #[error(
        "another request to this gateway had the same Idempotency-Key; a key is for one body at one path"
    )]
    Reused,
    #[error(
        "the first request of this Idempotency-Key, or with this body, is not answered after {timeout_ms} ms; send it again"
    )]
    Unanswered { timeout_ms: u128 },
}

impl RepeatError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::KeyInvalid { .. } => Code::IdempotencyKeyInvalid,
            Self::Reused => Code::IdempotencyKeyReused,
            Self::Unanswered { .. } => Code::BufferUnavailable,
        }
    }

    pub(crate) fn is_from_header(&self) -> bool {
        matches!(self, Self::KeyInvalid { .. })
    }
}

/// What is remembered of requests.
#[derive(Debug)]
pub(crate) struct Repeats {
    config: IdempotencyConfig,
    table: Mutex<Table>,
    /// Two that are independent: nobody finds two requests that both take for the same.
    hashers: [RandomState; 2],
    follow: mpsc::Sender<Follow>,
}

/// What a request calls itself, before its body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Header(String),
    Body,
}

/// Whether a request came before.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It did, and this was the answer.
    Answered(Arc<Answer>),
    /// It did not.
    First(First),
    /// Nobody asks, or there is no room to remember it.
    Untracked,
}

/// The first of possibly several requests: until it is dropped, the others wait.
#[derive(Debug)]
pub(crate) struct First {
    id: u128,
    repeats: Arc<Repeats>,
    /// Others wait for its end.
    done: watch::Sender<()>,
}

impl Repeats {
    pub(crate) fn start(config: IdempotencyConfig, tasks: &Tasks) -> Arc<Self> {
        let (follow, followed) = mpsc::channel(MOST_FOLLOWED);
        if config.enabled {
            tasks.spawn("idempotency", follow::run(followed, tasks.stopping()));
        }
        Arc::new(Self {
            config,
            table: Mutex::new(Table::new(config.window.0, config.max_memory.bytes())),
            hashers: [RandomState::default(), RandomState::default()],
            follow,
        })
    }

    /// How a request says what it is, if it does.
    pub(crate) fn key<P: Protocol>(&self, head: &Head<'_>) -> Result<Option<Key>, RepeatError> {
        if !self.config.enabled {
            return Ok(None);
        }
        let Some(value) = head.first(&KEY) else {
            return Ok((self.config.bodies && P::HAS_TIMES).then_some(Key::Body));
        };
        let invalid = |found: String| Err(RepeatError::KeyInvalid { found });
        match value.to_str().map(str::trim) {
            Ok("") => invalid("no characters".to_owned()),
            Ok(key) if key.len() > MAX_KEY_BYTES => invalid(format!("{} bytes", key.len())),
            Ok(key) => Ok(Some(Key::Header(key.to_owned()))),
            Err(_) => invalid("other characters".to_owned()),
        }
    }

    /// Finds out whether a request came before; waits for the first one while that is not answered.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        key: &Key,
        head: &Head<'_>,
        origin: &Origin,
        body: &[u8],
    ) -> Result<Claim, RepeatError> {
        let timeout = head.app.pipeline.request_timeout;
        let deadline = Instant::now() + timeout;
        let parts = head.parts;
        let encoding = parts.headers.get(CONTENT_ENCODING);
        let what = (&parts.method, &parts.uri, encoding, body);
        let [one, _] = &self.hashers;
        let fingerprint = one.hash_one(what);
        let id = match key {
            Key::Header(key) => self.id((&origin.tenant, &origin.source, 1, key)),
            Key::Body => self.id((&origin.tenant, &origin.source, 0, what)),
        };
        let mut has_waited = false;
        loop {
            let (done, waiting) = watch::channel(());
            let found = self.table().claim(id, fingerprint, waiting, Instant::now());
            let mut waiting = match found {
                Found::Nothing => {
                    let repeats = Arc::clone(self);
                    return Ok(Claim::First(First { id, repeats, done }));
                }
                Found::NoRoom => {
                    metrics::repeats("untracked");
                    return Ok(Claim::Untracked);
                }
                Found::Other => {
                    metrics::repeats("reused");
                    return Err(RepeatError::Reused);
                }
                Found::Answered(answer) => {
                    metrics::repeats(if has_waited { "waited" } else { "answered" });
                    return Ok(Claim::Answered(answer));
                }
                Found::Open(waiting) => waiting,
            };
            has_waited = true;
            // However it ends, what is known then decides.
            if timeout_at(deadline, waiting.changed()).await.is_err() {
                metrics::repeats("unanswered");
                return Err(RepeatError::Unanswered {
                    timeout_ms: timeout.as_millis(),
                });
            }
        }
    }

    fn id(&self, what: impl Hash) -> u128 {
        let [one, other] = &self.hashers;
        let (high, low) = (one.hash_one(&what), other.hash_one(&what));
        (u128::from(high) << 64) | u128::from(low)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is too old, and shows what the rest takes.
    pub(crate) fn show(&self) {
        let mut table = self.table();
        table.expire(Instant::now());
        metrics::repeats_memory(table.bytes());
    }
}

impl First {
    /// Has the request followed until the buffer has answered, whatever its sender does meanwhile; then `response` is
    /// what others get.
    pub(crate) fn follow(self, settled: Settling, response: Response) -> Settling {
        let sender = self.repeats.follow.clone();
        let (answered, answer) = oneshot::channel();
        let follow = Follow {
            first: self,
            settled,
            response,
            answered,
        };
        match sender.try_send(follow) {
            Ok(()) => Settling::Follower(answer),
            Err(error) => {
                metrics::repeats("untracked");
                error.into_inner().settled
            }
        }
    }

    fn remember(self, answer: Answer) {
        let mut table = self.repeats.table();
        table.remember(self.id, answer, Instant::now());
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.repeats.table().give_up(self.id);
        // Others wake when the sender goes, which is after this.
        self.done.send_replace(());
    }
}

#[cfg(test)]
mod tests;
