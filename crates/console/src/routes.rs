//! The console's routes, and the place where others are put beside them once their part of the process is there.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use bytes::Bytes;
use model::{Clock, Code};
use service::health::Health;
use service::live::Live;
use service::tasks::{CancellationToken, Tasks};
use service::telemetry::MetricsHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;

use crate::door::{Names as Hosts, guard, refusal};
use crate::engine::{About, Engine};
use crate::metrics;
use crate::names::{KnownNames, Search, found};
use crate::watched::Watched;
use crate::{assets, shapes};

/// Consoles that may be open.
const MAX_CONSOLES: usize = 16;

/// Questions for names that are answered at a time: each looks at all of them.
const MAX_SEARCHES: usize = 2;

/// A browser comes back after so many milliseconds when a stream ends.
const RETRY: &str = "retry: 2000\n\n";

/// The console of one process. Clones are the same.
#[derive(Clone)]
pub struct Console(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    names: Live<Vec<Arc<dyn KnownNames>>>,
    mounted: Live<Router>,
    consoles: Arc<Semaphore>,
    searches: Semaphore,
    stopping: CancellationToken,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console {
    /// Begins to read, and goes on for as long as `tasks` run.
    #[must_use]
    pub fn start(
        about: About,
        health: Health,
        metrics: MetricsHandle,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Self {
        let engine = Arc::new(Engine::new(about, health, metrics, clock));
        tasks.spawn("console", Arc::clone(&engine).run(tasks.stopping()));
        Self(Arc::new(Shared {
            engine,
            names: Live::new(Vec::new()),
            mounted: Live::new(Router::new()),
            consoles: Arc::new(Semaphore::new(MAX_CONSOLES)),
            searches: Semaphore::new(MAX_SEARCHES),
            stopping: tasks.stopping(),
        }))
    }

    /// Where a store's last words are noted; none of a store that `about` does not have.
    #[must_use]
    pub fn store(&self, name: &str) -> Option<Arc<Watched>> {
        self.0.engine.store(name)
    }

    /// The time that its snapshots have.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.0.engine.now_ms()
    }

    /// From now on these names are known, too.
    pub fn knows(&self, names: impl KnownNames) {
        let mut all = self.0.names.keep().as_ref().clone();
        all.push(Arc::new(names));
        self.0.names.replace(all);
    }

    /// From now on these routes are on the listener, too. Paths that it has already stay what they are.
    pub fn mount(&self, routes: Router) {
        let all = self.0.mounted.keep().as_ref().clone();
        self.0.mounted.replace(all.merge(routes));
    }

    /// All that the listener serves: these `others`, the console, and what is mounted. `index` is the list of paths for who
    /// does not want a page, and `nowhere` answers where there is nothing.
    pub fn router(
        &self,
        others: Router,
        listen: SocketAddr,
        hosts: &[String],
        index: fn() -> String,
        nowhere: fn(&Request) -> Response,
    ) -> Router {
        let hosts = Hosts::new(listen, &self.0.engine.about().hostname, hosts);
        let shared = Arc::clone(&self.0);
        let beside = async move |request: Request| {
            let mounted = shared.mounted.keep().as_ref().clone();
            let mounted = mounted
                .method_not_allowed_fallback(not_allowed)
                .fallback(async move |request| nowhere(&request));
            let answer: Result<Response, Infallible> = mounted.oneshot(request).await;
            answer.into_response()
        };
        others
            .route(
                "/",
                get(async move |headers: HeaderMap| page(&headers, index)),
            )
            .route("/assets/{*path}", get(file))
            .merge(self.api())
            .method_not_allowed_fallback(not_allowed)
            .fallback(beside)
            .layer(from_fn_with_state(hosts, guard))
    }

    fn api(&self) -> Router {
        Router::new()
            .route("/api/v1/overview", get(overview))
            .route("/api/v1/live", get(live))
            .route("/api/v1/names", get(names))
            .with_state(Arc::clone(&self.0))
    }
}

async fn not_allowed() -> Response {
    refusal(Code::MethodNotAllowed, "this path is not asked like that")
}

/// The page for browsers, the list of paths for others.
fn page(headers: &HeaderMap, index: fn() -> String) -> Response {
    let accepts = headers.get(header::ACCEPT);
    let accepts = accepts.and_then(|accepts| accepts.to_str().ok());
    let wants_page = accepts.is_some_and(|accepts| accepts.contains("text/html"));
    if wants_page && let Some(page) = assets::page(headers) {
        return page;
    }
    ([(header::VARY, "Accept")], index()).into_response()
}

async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    assets::file(&path, &headers)
        .unwrap_or_else(|| refusal(Code::NotFound, "the page has no such file"))
}

/// What nobody should keep.
fn fresh<T: IntoResponse>(answer: T) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

async fn overview(State(shared): State<Arc<Shared>>) -> Response {
    fresh(Json(shapes::Overview::clone(&shared.engine.overview())))
}

async fn names(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let search = match Search::parse(query.as_deref().unwrap_or_default()) {
        Ok(search) => search,
        Err(message) => return refusal(Code::ParameterInvalid, &message),
    };
    let sources = shared.names.keep();
    if sources.is_empty() {
        let message = "this process knows no metric names: gateways do, and standalone";
        return refusal(Code::NotFound, message);
    }
    let Ok(_permit) = shared.searches.acquire().await else {
        return refusal(Code::ShuttingDown, "the process is stopping");
    };
    let found = tokio::task::spawn_blocking(move || found(&sources, &search));
    match found.await {
        Ok(found) => fresh(Json(found)),
        Err(error) => {
            tracing::error!(%error, "names could not be searched");
            refusal(Code::Internal, "a defect of ours; the log has it")
        }
    }
}

/// An open console.
struct Stream {
    first: Option<Bytes>,
    frames: watch::Receiver<Bytes>,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    /// The next event; none when the process stops.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let changed = self.stopping.run_until_cancelled(self.frames.changed());
        // A slow client gets the newest, and nothing is kept for it.
        changed.await?.ok()?;
        Some(self.frames.borrow_and_update().clone())
    }
}

async fn live(State(shared): State<Arc<Shared>>) -> Response {
    let Ok(permit) = Arc::clone(&shared.consoles).try_acquire_owned() else {
        metrics::refused(metrics::FULL);
        let message = format!("{MAX_CONSOLES} consoles are open already; close one");
        let mut response = refusal(Code::Overloaded, &message);
        let after = HeaderValue::from_static("5");
        response.headers_mut().insert(header::RETRY_AFTER, after);
        return response;
    };
    let (history, frames) = shared.engine.subscribe();
    let mut first = RETRY.as_bytes().to_vec();
    first.extend_from_slice(&history);
    let stream = Stream {
        first: Some(first.into()),
        frames,
        stopping: shared.stopping.clone(),
        _permit: permit,
    };
    let events = futures::stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

#[cfg(test)]
mod tests;
