//! The public routes, and the handle that ends the gateway in good order.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use buffer::{Durability, Publish};
use foldhash::quality::RandomState;
use http::{Method, Uri};
use model::Clock;
use serde_json::json;
use service::http::Peer;
use service::live::Live;
use service::openapi::Api;
use service::rejections::Rejections;
use service::tasks::Tasks;
use tokio::time::Instant;

use crate::access::{Access, Controls, Guard};
use crate::answer;
use crate::body::BodyLimits;
use crate::coalesce::{Coalescer, Common};
use crate::config::{Config, HttpConfig, InfluxConfig, RecordFormat, StatsdConfig};
use crate::described;
use crate::error::Error;
use crate::explain;
use crate::families::Families;
use crate::front::{Direct, Front};
use crate::heat::{Heat, PartitioningHandle};
use crate::ingest::{Origin, Pipeline, Placement};
use crate::known_series::KnownSeries;
use crate::layers;
use crate::mode::ModeHandle;
use crate::names::NamesHandle;
use crate::origin::Tenants;
use crate::permits::Permits;
use crate::pool::Pool;
use crate::protocol::influx::v1::V1;
use crate::protocol::influx::v2::V2;
use crate::protocol::influx::v3::V3;
use crate::protocol::influx::{Influx, probe};
use crate::protocol::json::Json;
use crate::protocol::opentsdb::OpenTsdb;
use crate::protocol::otlp::grpc::{EXPORT, OtlpGrpc};
use crate::protocol::otlp::{OtlpHttp, Shared};
use crate::protocol::remote_write::RemoteWrite;
use crate::protocol::text::Text;
use crate::protocol::victoria::Victoria;
use crate::protocol::{Handle, Protocol, Receive, datadog, on, pushgateway};
use crate::pushgateway::{Groups, PushGroups};
use crate::quotas::{self, Quotas, QuotasHandle};
use crate::receipts::{Receipts, RejectionTopic};
use crate::repeats::Repeats;
use crate::retry::Backoff;
use crate::spread::Plan;
use crate::statsd::{Statsd, StatsdError};

/// What handlers share.
pub(crate) struct App {
    pub pipeline: Arc<Pipeline>,
    pub body_limits: BodyLimits,
    /// Where the buffer keeps records when nothing is wrong.
    pub durability: Durability,
    pub tenants: Live<Tenants>,
    pub access: Live<Access>,
    pub influx: Arc<InfluxConfig>,
    /// None without a place to keep them: then their routes are not there.
    pub groups: Option<Arc<Groups>>,
    pub otlp: Arc<Shared>,
    pub backoff: Backoff,
    pub repeats: Arc<Repeats>,
}

/// What a gateway serves beside what it always does.
#[derive(Debug, Default)]
pub struct Beside {
    /// Routes of the caller, under the same layers and fallbacks.
    pub routes: Router,
    /// What these are.
    pub api: Option<fn() -> Api>,
    /// Where the groups of batch jobs are kept; without it there is no Pushgateway API.
    pub groups: Option<PushGroups>,
    /// Where it remembers what it refused; without it nowhere.
    pub rejections: Option<Arc<Rejections>>,
    /// Where it keeps the bytes of samples that it refused; without it nowhere.
    pub rejection_topic: Option<RejectionTopic>,
}

impl From<Router> for Beside {
    fn from(routes: Router) -> Self {
        Self {
            routes,
            ..Self::default()
        }
    }
}

/// Ends the gateway's part of the process.
pub struct Gateway<P> {
    pipeline: Arc<Pipeline>,
    publisher: Arc<P>,
    controls: Controls,
    partitioning: PartitioningHandle,
    explain: Router,
}

impl<P> std::fmt::Debug for Gateway<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

/// The public routes over a buffer.
///
/// The routes work as long as `tasks` run; [`Gateway::drain`] ends them in good order.
pub fn router<P: Publish>(
    config: &Config,
    publisher: Arc<P>,
    clock: Arc<dyn Clock>,
    tasks: &Tasks,
    beside: impl Into<Beside>,
) -> (Front, Gateway<P>) {
    let Beside {
        routes,
        api,
        groups,
        rejections,
        rejection_topic,
    } = beside.into();
    let hasher = RandomState::default();
    let mode = ModeHandle::new(config.mode);
    let partitioning = partitioning(config, &clock, tasks);
    let coalescer = Coalescer::start(
        &config.coalesce,
        config.record_format,
        &publisher,
        tasks,
        Common {
            hasher: hasher.clone(),
            plan: partitioning.plan.clone(),
            heat: partitioning.heat.clone(),
        },
    );
    // Records of single samples are written from labels, which a catalogue does not keep.
    let catalogue_bytes = match config.record_format {
        RecordFormat::Protobuf => config.http.series_cache.bytes(),
        RecordFormat::Json => 0,
    };
    let pipeline = Arc::new(Pipeline {
        limits: config.limits.limits(),
        max_inflated_bytes: config.http.max_inflated.bytes(),
        request_timeout: config.http.request_timeout.0,
        receipts: Receipts::new(
            rejections.unwrap_or_else(|| Arc::new(Rejections::new(0))),
            rejection_topic,
            config.rejections.metric_sources,
            Arc::clone(&clock),
        ),
        clock,
        permits: permits(&config.http),
        pool: Pool::new(),
        coalescer,
        placement: placement(&publisher),
        families: Families::default(),
        catalogue: KnownSeries::new(catalogue_bytes, hasher),
        quotas: Arc::new(Quotas::new(
            &config.quotas,
            config.cardinality,
            RandomState::default(),
        )),
        is_draining: AtomicBool::new(false),
        mode: mode.clone(),
    });
    let groups = groups
        .map(|shared| Groups::start(&config.pushgateway, shared, Arc::clone(&pipeline), tasks));
    let has_groups = groups.is_some();
    let controls = Controls::start(&config.access, &config.tenancy, tasks);
    let app = Arc::new(App {
        pipeline: Arc::clone(&pipeline),
        body_limits: BodyLimits {
            max_bytes: config.http.max_body.bytes(),
            idle_timeout: config.http.body_idle_timeout.0,
        },
        durability: publisher.durability(),
        tenants: controls.tenants.clone(),
        access: controls.access.clone(),
        influx: Arc::new(config.influx.clone()),
        groups,
        otlp: Arc::new(Shared::new(&config.otlp)),
        backoff: Backoff::new(config.http.max_retry_after.0.as_secs()),
        repeats: Repeats::start(config.idempotency, tasks),
    });
    let quotas = Arc::clone(&pipeline.quotas);
    let repeats = Arc::clone(&app.repeats);
    tasks.spawn("quotas", quotas::show(quotas, repeats, tasks.stopping()));
    let explain = explain::routes(&app);
    let router = Router::new()
        .merge(pushes(has_groups))
        // The same paths for senders that can be given a URL, but no header.
        .nest("/tenants/{tenant}", pushes(has_groups))
        .merge(explain.clone())
        .route("/health", get(health))
        .with_state(Arc::clone(&app))
        .merge(routes)
        .merge(described::routes(has_groups, api));
    let observe = layers::Observe::new(mode);
    let router = refusing_the_rest(router, &pipeline)
        // One layer, because each costs a request two boxes and a clone of everything below it.
        .layer((observe.clone(), Guard(Arc::clone(&app))));
    let front = Front::new(Arc::clone(&app), observe, pushed(Direct::default()), router);
    let gateway = Gateway {
        pipeline,
        publisher,
        controls,
        partitioning,
        explain: explain.with_state(app),
    };
    (front, gateway)
}

/// The routes, and an answer for everything else.
fn refusing_the_rest(routes: Router, pipeline: &Arc<Pipeline>) -> Router {
    let (for_method, for_path) = (Arc::clone(pipeline), Arc::clone(pipeline));
    routes
        .method_not_allowed_fallback(async move |request| {
            nowhere(&for_method, request, method_not_allowed)
        })
        .fallback(async move |request| nowhere(&for_path, request, not_found))
}

fn placement<P: Publish>(publisher: &Arc<P>) -> Placement {
    let publisher = Arc::clone(publisher);
    Box::new(move |record| publisher.partition(record))
}

/// What is pushed to, with the Pushgateway's where there is a place for its groups.
fn pushes(has_groups: bool) -> Router<Arc<App>> {
    let routes = protocols::<Receive>();
    if has_groups {
        routes.merge(pushgateway::routes())
    } else {
        routes
    }
}

/// Which partitions names have, and what counts them.
fn partitioning(config: &Config, clock: &Arc<dyn Clock>, tasks: &Tasks) -> PartitioningHandle {
    let plan = Plan::of(&config.partitioning, config.http.request_timeout.0);
    let plan = Live::new(plan);
    let heat = config.partitioning.heat;
    let heat = heat.enabled.then(|| {
        let heat = Arc::new(Heat::new(heat, plan.clone(), Arc::clone(clock)));
        tasks.spawn("heat", Arc::clone(&heat).run(tasks.stopping()));
        heat
    });
    PartitioningHandle {
        plan,
        heat,
        clock: Arc::clone(clock),
    }
}

fn permits(http: &HttpConfig) -> Arc<Permits> {
    let limit_bytes = http.max_in_flight.bytes();
    Permits::with(limit_bytes, http.max_connections, http.max_slow_bodies)
}

/// Takes the paths that samples are pushed to with POST, and that have no parameters.
pub(crate) trait Pushed: Sized {
    /// One more, and what comes there.
    fn to<P: Protocol>(self, path: &'static str) -> Self;
}

/// Their routes.
struct Routed<H>(Router<Arc<App>>, PhantomData<H>);

impl<H: Handle> Pushed for Routed<H> {
    fn to<P: Protocol>(self, path: &'static str) -> Self {
        Self(self.0.route(path, on::<H, P>()), PhantomData)
    }
}

/// One line per protocol and path.
pub(crate) fn pushed<T: Pushed>(paths: T) -> T {
    paths
        .to::<Json>("/metrics")
        .to::<Json>("/api/v1/metrics")
        .to::<Influx<V1>>("/write")
        .to::<Influx<V2>>("/api/v2/write")
        .to::<Influx<V3>>("/api/v3/write_lp")
        .to::<RemoteWrite>("/api/v1/write")
        .to::<RemoteWrite>("/api/v1/push")
        .to::<RemoteWrite>("/receive")
        .to::<RemoteWrite>("/api/v1/receive")
        .to::<RemoteWrite>("/api/prom/push")
        .to::<RemoteWrite>("/api/v1/prom/remote/write")
        .to::<RemoteWrite>("/prometheus/api/v1/write")
        .to::<OtlpHttp>("/v1/metrics")
        .to::<OtlpGrpc>(EXPORT)
        .to::<Victoria>("/api/v1/import")
        .to::<OpenTsdb>("/api/put")
        .to::<OpenTsdb>("/opentsdb/api/put")
}

/// The routes on which samples are pushed, and what their senders ask beside it.
pub(crate) fn protocols<H: Handle>() -> Router<Arc<App>> {
    let Routed(router, _) = pushed(Routed::<H>(Router::new(), PhantomData));
    router
        .route("/ping", get(probe::ping))
        .route("/ready", get(probe::ready))
        .route("/query", get(probe::query).post(probe::query))
        // `curl -T` says PUT.
        .route(
            "/api/v1/import/prometheus",
            on::<H, Text>().put(H::handle::<Text>),
        )
        .route(
            "/api/v1/import/prometheus/metrics/{*labels}",
            on::<H, Text>().put(H::handle::<Text>),
        )
        .merge(datadog::routes::<H>())
        // Where VictoriaMetrics has it.
        .nest("/datadog", datadog::routes::<H>())
}

impl<P> Gateway<P> {
    /// What can change while it runs.
    #[must_use]
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// What can be changed and asked about quotas while the gateway runs.
    #[must_use]
    pub fn quotas(&self) -> QuotasHandle {
        QuotasHandle::of(&self.pipeline.quotas)
    }

    /// `POST /api/v1/explain` for a listener that only operators reach: no credential is asked for, and any tenant may be
    /// spoken for.
    pub fn explain(&self) -> Router {
        self.explain.clone()
    }

    /// What it knows of metric names.
    #[must_use]
    pub fn names(&self) -> NamesHandle {
        NamesHandle {
            partitioning: self.partitioning.clone(),
            pipeline: Arc::clone(&self.pipeline),
        }
    }

    /// What it does with requests.
    #[must_use]
    pub fn mode(&self) -> ModeHandle {
        self.pipeline.mode.clone()
    }

    /// What can be changed and asked about partitions while the gateway runs.
    #[must_use]
    pub fn partitioning(&self) -> PartitioningHandle {
        self.partitioning.clone()
    }

    /// Receives StatsD and stores what it adds up. [`crate::Statsd::stop`] comes before [`Self::drain`].
    ///
    /// # Errors
    /// When a socket that the settings name cannot be opened.
    pub async fn statsd(
        &self,
        config: &StatsdConfig,
        hostname: String,
        tasks: &Tasks,
    ) -> Result<Statsd, StatsdError> {
        Statsd::start(config, hostname, &self.pipeline, tasks).await
    }
}

impl<P: Publish> Gateway<P> {
    /// Refuses new requests, publishes what waits for its window, and waits until the buffer has answered
    /// everything, at most for `deadline`. Answers how many records were still open then.
    ///
    /// Call it when the listener has finished its requests.
    pub async fn drain(&self, deadline: Duration) -> usize {
        let started = Instant::now();
        self.pipeline.is_draining.store(true, Ordering::Release);
        let is_settled = self.pipeline.coalescer.close(deadline).await;
        let left = deadline.saturating_sub(started.elapsed());
        let open_records = self.publisher.flush(left).await;
        if !is_settled || open_records > 0 {
            tracing::warn!(
                open_records,
                elapsed_ms = started.elapsed().as_millis(),
                "the buffer did not answer everything in time; its senders will send it again"
            );
        }
        open_records
    }
}

/// The process is there; whether it is ready is the admin listener's answer.
async fn health() -> axum::Json<serde_json::Value> {
    axum::Json(json!({"status": "healthy"}))
}

/// Refuses a request that nothing serves. Samples that are sent to such a place are missed, so it is remembered.
fn nowhere(pipeline: &Pipeline, request: Request, why: fn(&Request) -> Error) -> Response {
    let error = why(&request);
    let (parts, _body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>();
    let origin = Origin {
        tenant: None,
        source: peer.map(|peer| Arc::clone(&peer.name)),
    };
    pipeline.receipts.request("http", &origin, &parts, &error);
    answer::refusal(error.code(), error.to_string())
}

fn not_found(request: &Request) -> Error {
    Error::NotFound {
        path: shown_path(request.uri()),
    }
}

fn method_not_allowed(request: &Request) -> Error {
    let path = shown_path(request.uri());
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let hint = match path.as_str() {
        "/metrics" if is_read => {
            "; metrics are pushed here with POST, and the gateway's own are at /metrics of the admin port"
        }
        "/metrics" | "/api/v1/metrics" => "; metrics are pushed here with POST",
        _ => "",
    };
    Error::MethodNotAllowed {
        method: request.method().as_str().chars().take(20).collect(),
        path,
        hint,
    }
}

/// A path may be as long as a header may be; an answer repeats the start.
fn shown_path(uri: &Uri) -> String {
    uri.path().chars().take(100).collect()
}

#[cfg(test)]
mod tests;
