//! A gateway in this process, and requests that go through all of it but the socket.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::join_all;
use gateway::{Config, Front, Gateway};
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::BodyExt as _;
use model::ManualClock;
use service::tasks::Tasks;
use service::units::Size as Bound;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::bodies::NOW_MS;
use crate::count::ROUNDS;
use crate::null::Nowhere;
use crate::paths::{Round, VARIANTS};

/// How a protocol's requests look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub uri: &'static str,
    pub headers: &'static [(&'static str, &'static str)],
    /// The body of so many samples, number, variant.
    pub body: fn(usize, usize, usize) -> Bytes,
}

/// Requests under way at the same time, and samples of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub requests: usize,
    pub samples: usize,
}

/// Which series the requests have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series {
    /// Those of the rounds before.
    Known,
    /// Others in each round, of which the gateway takes note.
    New,
    /// Others in each round, and the gateway has no room to take note of any: so it is when there are far more series
    /// than it has room for.
    Beyond,
}

impl Series {
    /// How many different bodies there are.
    const fn bodies(self) -> usize {
        match self {
            Self::Known => VARIANTS,
            Self::New | Self::Beyond => ROUNDS,
        }
    }

    fn config(self) -> Config {
        let mut config = Config::default();
        if self == Self::Beyond {
            config.http.series_cache = Bound::mib(0);
        }
        config
    }
}

pub(crate) struct GatewayPath {
    runtime: Runtime,
    front: Front,
    /// Ends the gateway's tasks when it goes.
    _gateway: Gateway<Nowhere>,
    _tasks: Tasks,
    shape: Shape,
    /// By round, as many as differ.
    bodies: Vec<Vec<Bytes>>,
}

/// One thread that polls; what the gateway gives to other threads still runs there.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

impl GatewayPath {
    pub(crate) fn start(shape: Shape, size: Size, series: Series, buffer: Arc<Nowhere>) -> Self {
        let runtime = runtime();
        let tasks = Tasks::new();
        let (front, gateway) = {
            let _entered = runtime.enter();
            let clock = Arc::new(ManualClock::new(NOW_MS));
            gateway::router(&series.config(), buffer, clock, &tasks, Router::new())
        };
        let bodies = |round: usize| {
            let first = match series {
                Series::Known => 0,
                Series::New | Series::Beyond => round * size.requests,
            };
            let bodies = (0..size.requests)
                .map(|number| (shape.body)(size.samples, first + number, round % VARIANTS));
            bodies.collect()
        };
        Self {
            runtime,
            front,
            _gateway: gateway,
            _tasks: tasks,
            shape,
            bodies: (0..series.bodies()).map(bodies).collect(),
        }
    }

    fn request(&self, body: &Bytes) -> Request<Body> {
        let mut request = Request::new(Body::from(body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = Uri::from_static(self.shape.uri);
        for (name, value) in self.shape.headers {
            let name = HeaderName::from_static(name);
            request
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        request
    }
}

async fn send(front: Front, request: Request<Body>) {
    let response = front.oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = response.into_body().collect().await.expect("its body");
    assert!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&body.to_bytes())
    );
}

impl Round for GatewayPath {
    fn round(&mut self, number: usize) {
        let bodies = self.bodies.get(number % self.bodies.len());
        let bodies = bodies.into_iter().flatten();
        let requests = bodies.map(|body| send(self.front.clone(), self.request(body)));
        self.runtime.block_on(join_all(requests));
    }
}
