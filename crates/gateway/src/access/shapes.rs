//! Which protocol a route is of, and how a refusal looks there.
//!
//! A route that is not in this list is guarded as well: it is refused in the API's own shape.

use axum::response::Response;
use http::Method;

use crate::answer;
use crate::error::Error;
use crate::explain::{self, EXPLAIN};
use crate::protocol::influx::Influx;
use crate::protocol::influx::v1::V1;
use crate::protocol::influx::v2::V2;
use crate::protocol::influx::v3::V3;
use crate::protocol::json::Json;
use crate::protocol::opentsdb::OpenTsdb;
use crate::protocol::otlp::OtlpHttp;
use crate::protocol::otlp::grpc::{EXPORT, OtlpGrpc};
use crate::protocol::remote_write::RemoteWrite;
use crate::protocol::text::Text;
use crate::protocol::victoria::Victoria;
use crate::protocol::{Head, Protocol, datadog, pushgateway};

/// Routes that show what others sent.
pub(super) const RECENT: &str = "recent";

/// What `protocols` of a credential may list.
pub(super) const PROTOCOLS: [&str; 12] = [
    Json::NAME,
    Influx::<V1>::NAME,
    RemoteWrite::NAME,
    Text::NAME,
    OtlpHttp::NAME,
    OtlpGrpc::NAME,
    Victoria::NAME,
    OpenTsdb::NAME,
    datadog::Datadog::NAME,
    pushgateway::PROTOCOL,
    RECENT,
    EXPLAIN,
];

/// How one protocol refuses.
pub(super) struct Shape {
    pub(super) protocol: &'static str,
    pub(super) failed: fn(&Head<'_>, &Error) -> Response,
}

fn of<P: Protocol>() -> Shape {
    Shape {
        protocol: P::NAME,
        failed: P::failed,
    }
}

fn own(protocol: &'static str) -> Shape {
    Shape {
        protocol,
        failed: |_, error| answer::failed(error),
    }
}

/// Whether anybody may come here.
pub(super) fn is_public(route: &str) -> bool {
    matches!(
        route,
        "/health" | "/openapi.json" | "/docs" | "/docs/style.css"
    )
}

/// The shape of a route's pattern. Two protocols may share one, by method.
pub(super) fn shape(method: &Method, route: &str) -> Shape {
    let route = route.strip_prefix("/tenants/{tenant}").unwrap_or(route);
    if datadog::is_route(route) {
        return Shape {
            protocol: datadog::Datadog::NAME,
            failed: datadog::denied,
        };
    }
    match route {
        "/metrics" => of::<Json>(),
        "/write" | "/ping" | "/ready" | "/query" => of::<Influx<V1>>(),
        "/api/v2/write" => of::<Influx<V2>>(),
        "/api/v3/write_lp" => of::<Influx<V3>>(),
        "/v1/metrics" => of::<OtlpHttp>(),
        EXPORT => of::<OtlpGrpc>(),
        "/api/v1/import" => of::<Victoria>(),
        "/api/put" | "/opentsdb/api/put" => of::<OpenTsdb>(),
        // Pushed to as JSON, read as the Pushgateway's list of groups.
        "/api/v1/metrics" if matches!(*method, Method::GET | Method::HEAD) => {
            own(pushgateway::PROTOCOL)
        }
        "/api/v1/metrics" => of::<Json>(),
        _ if route.starts_with("/api/v1/import/prometheus") => of::<Text>(),
        _ if route.starts_with("/metrics/job") || route.starts_with("/-/") => Shape {
            protocol: pushgateway::PROTOCOL,
            failed: |_, error| pushgateway::shown_failure(error),
        },
        _ if route.starts_with("/api/v1/recent/") => own(RECENT),
        explain::PATH => own(EXPLAIN),
        "/api/v1/write"
        | "/api/v1/push"
        | "/receive"
        | "/api/v1/receive"
        | "/api/prom/push"
        | "/api/v1/prom/remote/write"
        | "/prometheus/api/v1/write" => of::<RemoteWrite>(),
        // As the recent window: they show what others sent.
        _ if route.starts_with("/api/v1/archive/") || route.starts_with("/prometheus") => {
            own(RECENT)
        }
        _ => own(Json::NAME),
    }
}
