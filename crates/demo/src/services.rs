//! Services with an OpenTelemetry SDK: OTLP over HTTP, cumulative, with histograms.

use std::time::Duration;

use rand::RngExt as _;
use serde_json::{Value, json};

use crate::push::{Kind, Moment, Push, Sender, Via};
use crate::signal::{Count, Level, duration_s};

/// Processes of all services.
pub(crate) const INSTANCES: usize = 8;

const SERVICES: [(&str, f64); 4] = [
    ("checkout", 0.12),
    ("search", 0.04),
    ("payments", 0.25),
    ("catalog", 0.02),
];
const ROUTES: [&str; 3] = ["/", "/items/{id}", "/orders"];
const BOUNDS_S: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Requests of one route with one outcome.
struct Series {
    route: &'static str,
    status: u16,
    requests: Count,
    buckets: [u64; BOUNDS_S.len() + 1],
    sum_s: f64,
    count: u64,
}

struct Instance {
    series: Vec<Series>,
    active: Level,
    queue: Level,
}

/// One process of a service. It says that it began at `start_ms`.
pub(crate) fn instance(number: usize, every: Duration, start_ms: i64, seed: u64) -> Sender {
    let (service, typical_s) = SERVICES
        .get(number % SERVICES.len())
        .copied()
        .unwrap_or(("checkout", 0.1));
    let name = format!("{service}-{}", number / SERVICES.len() + 1);
    let mut state = None;
    Sender::new(Kind::Services, every, seed, move |mut moment| {
        let state = state.get_or_insert_with(|| Instance::new(&mut moment));
        let (metrics, samples) = state.metrics(typical_s, start_ms, &mut moment);
        let attributes = json!([
            attribute("service.name", service),
            attribute("service.instance.id", &name)
        ]);
        let body = json!({ "resourceMetrics": [{ "resource": { "attributes": attributes },
            "scopeMetrics": [{ "scope": { "name": "demo" }, "metrics": metrics }] }] });
        vec![Push {
            samples,
            via: Via::Http {
                replaces: false,
                path: "/v1/metrics".to_owned(),
                content_type: "application/json",
                body: body.to_string(),
            },
            tenant: Some("shop"),
            source: name.clone(),
        }]
    })
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

impl Instance {
    fn new(moment: &mut Moment<'_>) -> Self {
        let rng = &mut *moment.rng;
        let mut series = Vec::new();
        for route in ROUTES {
            for (status, per_second) in [(200, 20.0), (500, 0.3)] {
                series.push(Series {
                    route,
                    status,
                    requests: Count::new(per_second, per_second, rng),
                    buckets: Default::default(),
                    sum_s: 0.0,
                    count: 0,
                });
            }
        }
        Self {
            series,
            active: Level::new(6.0, 6.0, rng),
            queue: Level::new(20.0, 25.0, rng),
        }
    }

    /// As OTLP's JSON has them, and how many data points there are.
    fn metrics(&mut self, typical_s: f64, start_ms: i64, moment: &mut Moment<'_>) -> (Value, u64) {
        let seconds = moment.seconds();
        let (start, now) = (nanoseconds(start_ms), nanoseconds(moment.now_ms));
        let rng = &mut *moment.rng;
        let mut durations = Vec::new();
        for series in &mut self.series {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "some dozens, never negative"
            )]
            let more = series.requests.more(seconds, rng).min(1000.0) as u64;
            for _ in 0..more {
                let took_s = duration_s(typical_s, rng);
                let bucket = BOUNDS_S.iter().take_while(|bound| **bound < took_s).count();
                if let Some(bucket) = series.buckets.get_mut(bucket) {
                    *bucket += 1;
                }
                series.sum_s += took_s;
                series.count += 1;
            }
            durations.push(json!({
                "attributes": [attribute("http.route", series.route), attribute("http.response.status_code", &series.status.to_string())],
                "startTimeUnixNano": start, "timeUnixNano": now, "count": series.count.to_string(), "sum": series.sum_s,
                "explicitBounds": BOUNDS_S, "bucketCounts": series.buckets.map(|count| count.to_string()) }));
        }
        let points = u64::try_from(durations.len())
            .unwrap_or(u64::MAX)
            .saturating_add(2);
        let gauge = |value: f64| json!([{ "timeUnixNano": now, "asInt": format!("{value:.0}") }]);
        let active = gauge(self.active.at(seconds, rng));
        let queue = gauge(self.queue.at(seconds, rng) * rng.random_range(0.8..1.2));
        let metrics = json!([
            { "name": "http.server.request.duration", "unit": "s", "description": "Duration of requests.",
              "histogram": { "aggregationTemporality": 2, "dataPoints": durations } },
            { "name": "http.server.active_requests", "unit": "{request}", "description": "Requests in progress.",
              "gauge": { "dataPoints": active } },
            { "name": "queue.depth", "unit": "{message}", "description": "Messages that wait.", "gauge": { "dataPoints": queue } },
        ]);
        (metrics, points)
    }
}

fn nanoseconds(ms: i64) -> String {
    format!("{ms}000000")
}
