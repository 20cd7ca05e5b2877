//! A buffer that does as it is told, and a gateway over it: for this crate's tests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use buffer::{Durability, Publish, PublishError, Record};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use model::{Clock, ManualClock};
use service::tasks::Tasks;
use tower::ServiceExt as _;

use crate::{Beside, Config, Front, Gateway, router};

pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// What the fake does with a record.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    Confirm,
    /// Confirms as a spool does it.
    Spool,
    ConfirmAfter(Duration),
    Fail(PublishError),
    Never,
}

/// Keeps what it confirms, in the order of the calls.
#[derive(Debug)]
pub(crate) struct FakeBuffer {
    pub max_record_bytes: AtomicUsize,
    /// What to do with the next records, one each.
    pub next: Mutex<VecDeque<Then>>,
    /// What to do after those.
    pub always: Mutex<Then>,
    /// Every record that was published, and whether it was, or is to be, confirmed.
    pub published: Mutex<Vec<(Record, bool)>>,
}

impl Default for FakeBuffer {
    fn default() -> Self {
        Self {
            max_record_bytes: AtomicUsize::new(1 << 20),
            next: Mutex::default(),
            always: Mutex::new(Then::Confirm),
            published: Mutex::default(),
        }
    }
}

impl FakeBuffer {
    pub(crate) fn that(always: Then) -> Self {
        Self {
            always: Mutex::new(always),
            ..Self::default()
        }
    }

    pub(crate) fn confirmed(&self) -> Vec<Record> {
        let published = self.published.lock().unwrap();
        published
            .iter()
            .filter(|(_, is_confirmed)| *is_confirmed)
            .map(|(record, _)| record.clone())
            .collect()
    }
}

impl Publish for FakeBuffer {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        let then = self.next.lock().unwrap().pop_front();
        let then = then.unwrap_or_else(|| self.always.lock().unwrap().clone());
        let (size_bytes, limit_bytes) = (
            record.key.len() + record.value.len(),
            self.max_record_bytes(),
        );
        let then = if size_bytes > limit_bytes {
            Then::Fail(PublishError::TooLarge {
                size_bytes,
                limit_bytes,
            })
        } else {
            then
        };
        let is_confirmed = matches!(then, Then::Confirm | Then::Spool | Then::ConfirmAfter(_));
        self.published.lock().unwrap().push((record, is_confirmed));
        async move {
            match then {
                Then::Confirm => Ok(Durability::Local),
                Then::Spool => Ok(Durability::Spool),
                Then::ConfirmAfter(delay) => {
                    tokio::time::sleep(delay).await;
                    Ok(Durability::Local)
                }
                Then::Fail(error) => Err(error),
                Then::Never => std::future::pending().await,
            }
        }
    }

    fn durability(&self) -> Durability {
        Durability::Local
    }

    fn max_record_bytes(&self) -> usize {
        self.max_record_bytes.load(Ordering::Relaxed)
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        0
    }
}

/// A gateway over a fake buffer.
pub(crate) struct Server {
    pub router: Front,
    pub gateway: Gateway<FakeBuffer>,
    pub buffer: Arc<FakeBuffer>,
    pub tasks: Tasks,
}

/// An answer as a sender sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Server {
    pub(crate) fn start(config: &Config, buffer: FakeBuffer) -> Self {
        Self::start_with(config, buffer, Router::new())
    }

    pub(crate) fn start_with(config: &Config, buffer: FakeBuffer, extra: Router) -> Self {
        let clock = Arc::new(ManualClock::new(NOW_MS));
        Self::start_beside(config, Arc::new(buffer), clock, extra)
    }

    pub(crate) fn start_beside(
        config: &Config,
        buffer: Arc<FakeBuffer>,
        clock: Arc<dyn Clock>,
        beside: impl Into<Beside>,
    ) -> Self {
        let tasks = Tasks::new();
        let (router, gateway) = router(config, Arc::clone(&buffer), clock, &tasks, beside);
        Self {
            router,
            gateway,
            buffer,
            tasks,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// A call of gRPC: its answer, and `grpc-status` from its trailers or, where there are none, its header.
    pub(crate) async fn call(&self, request: Request<Body>) -> (Answer, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        let status = trailers.get("grpc-status");
        let status = status.or_else(|| parts.headers.get("grpc-status"));
        let status = status
            .map_or("", |value| value.to_str().unwrap())
            .to_owned();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        };
        (answer, status)
    }

    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        let request = Request::post("/metrics")
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap();
        self.send(request).await
    }
}

/// One sample of the push API.
pub(crate) fn sample(name: &str, at_ms: i64, value: f64, host: &str) -> serde_json::Value {
    serde_json::json!({
        "metric_name": name, "timestamp": at_ms, "value": value, "labels": {"host": host}
    })
}

/// A body of the push API.
pub(crate) fn batch(samples: &[serde_json::Value]) -> String {
    serde_json::json!({ "metrics": samples }).to_string()
}
