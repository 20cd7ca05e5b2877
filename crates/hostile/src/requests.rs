//! Whole requests to a gateway: path, query, headers, framing, body, answer.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use buffer::{Change, DrainError, Durability, Follow, Publish, PublishError, Record, Table};
use bytes::Bytes;
use gateway::{Beside, Config, Front, Gateway, PushGroups};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::BodyExt as _;
use model::ManualClock;
use service::tasks::Tasks;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tower::ServiceExt as _;

const NOW_MS: i64 = 1_700_000_000_000;

/// A gateway is made anew after so many requests: what it keeps of them must not decide about the next for ever.
const REQUESTS: usize = 20_000;

/// A gateway answers, and never with 500. A request is written as on the wire, but with line feeds alone: the request
/// line without a version, headers, an empty line, the body.
pub(crate) fn request(data: &[u8]) {
    let Some(request) = parse(data) else {
        return;
    };
    let shown = format!("{} {}", request.method(), request.uri());
    let status = with_gateway(|runtime, front| {
        runtime.block_on(async {
            let Ok(response) = front.oneshot(request).await;
            let status = response.status().as_u16();
            drop(response.into_body().collect().await);
            status
        })
    });
    assert_ne!(status, 500, "{shown}");
}

fn parse(data: &[u8]) -> Option<Request<Body>> {
    let mut rest = data;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, behind) = rest.split_at_checked(end)?;
        rest = behind.get(1..)?;
        Some(line)
    };
    let first = line()?;
    let space = first.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(first.get(..space)?).ok()?;
    *request.uri_mut() = Uri::try_from(first.get(space + 1..)?).ok()?;
    // An HTTP/1.1 request line has a path, or for a proxy the whole address: a router is only asked for paths.
    if !request.uri().path().starts_with('/') {
        return None;
    }
    while let Some(header) = line() {
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(header.get(..colon)?).ok()?;
        let value = HeaderValue::from_bytes(header.get(colon + 1..)?.trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    let body = Body::from(Bytes::copy_from_slice(rest));
    Some(request.map(|()| body))
}

/// Runs something on this thread's runtime, whose clock jumps when everybody waits.
pub(crate) fn runtime<T>(work: impl FnOnce(&Runtime) -> T) -> T {
    thread_local! {
        static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(work)
}

struct Rig {
    front: Front,
    /// Its tasks end with these.
    _gateway: Gateway<Nowhere>,
    tasks: Tasks,
    left: usize,
}

fn with_gateway<T>(work: impl FnOnce(&Runtime, Front) -> T) -> T {
    thread_local! {
        static RIG: RefCell<Option<Rig>> = const { RefCell::new(None) };
    }
    runtime(|runtime| {
        let front = RIG.with_borrow_mut(|rig| {
            if let Some(used) = rig.take_if(|rig| rig.left == 0) {
                runtime.block_on(used.tasks.stop(Duration::from_secs(1)));
            }
            let rig = rig.get_or_insert_with(|| {
                let _entered = runtime.enter();
                start()
            });
            rig.left -= 1;
            rig.front.clone()
        });
        work(runtime, front)
    })
}

fn start() -> Rig {
    let tasks = Tasks::new();
    let table = Arc::new(Memory::default());
    let beside = Beside {
        routes: Router::new(),
        groups: Some(PushGroups::new(Arc::clone(&table), Told(table))),
        ..Beside::default()
    };
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let (front, gateway) =
        gateway::router(&Config::default(), Arc::new(Nowhere), clock, &tasks, beside);
    Rig {
        front,
        _gateway: gateway,
        tasks,
        left: REQUESTS,
    }
}

/// A buffer that keeps nothing and says yes.
struct Nowhere;

impl Publish for Nowhere {
    fn publish(
        &self,
        _record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        std::future::ready(Ok(Durability::Local))
    }

    fn durability(&self) -> Durability {
        Durability::Local
    }

    fn max_record_bytes(&self) -> usize {
        1 << 20
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        0
    }
}

/// A table that tells of what is put into it.
struct Memory {
    changes: Mutex<VecDeque<Change>>,
    more: Notify,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            changes: Mutex::new(VecDeque::from([Change::CaughtUp])),
            more: Notify::new(),
        }
    }
}

impl Table for Memory {
    async fn put(&self, key: Bytes, value: Option<Bytes>) -> Result<(), PublishError> {
        let change = match value {
            Some(value) => Change::Put { key, value },
            None => Change::Deleted { key },
        };
        let changes = self.changes.lock();
        changes
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(change);
        self.more.notify_one();
        Ok(())
    }
}

struct Told(Arc<Memory>);

impl Follow for Told {
    async fn next(&mut self) -> Result<Change, DrainError> {
        loop {
            let next = {
                let changes = self.0.changes.lock();
                changes.unwrap_or_else(PoisonError::into_inner).pop_front()
            };
            match next {
                Some(change) => return Ok(change),
                None => self.0.more.notified().await,
            }
        }
    }
}
