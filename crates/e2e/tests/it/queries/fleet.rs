//! What is sent, and what is asked about it.

use serde_json::{Value, json};

/// Samples of a series: more than the recent window keeps, so that the older ones are of the archive.
const SAMPLES: u32 = 180;

/// Time between two of them.
const EVERY_MS: i64 = 15_000;

/// Counters that begin anew, gauges with a gap, and buckets of a histogram; none at a full second, so that no sample is at
/// the very edge of a range, where versions of Prometheus differ.
pub(super) fn fleet(end_ms: i64) -> Vec<Value> {
    let mut metrics = Vec::new();
    for number in 0..SAMPLES {
        let at_ms = end_ms - i64::from(SAMPLES - number) * EVERY_MS + 137;
        let mut add = |name: &str, labels: Value, value: f64, kind: &str| {
            metrics.push(json!({"metric_name": name, "timestamp": at_ms, "value": value, "labels": labels, "type": kind}));
        };
        for host in 0..3_u32 {
            let name = format!("web-{host}");
            let job = if host == 2 { "batch" } else { "web" };
            let requests = f64::from((number * (host + 3)) % (140 + host * 100));
            let labels = json!({"host": name, "job": job});
            add("requests_total", labels.clone(), requests, "counter");
            let errors = f64::from((number / 20) * host);
            add("errors_total", labels.clone(), errors, "counter");
            // Silent for ten minutes.
            if host != 1 || !(60..100).contains(&number) {
                let load = f64::from((number * 7 + host * 13) % 31) / 4.0 - 2.0;
                add("load", labels, load, "gauge");
            }
            for (bound, share) in [("0.1", 1), ("0.5", 3), ("2", 5), ("+Inf", 6)] {
                let labels = json!({"host": name, "job": job, "le": bound});
                let count = f64::from(number * share * (host + 1));
                add("took_seconds_bucket", labels, count, "counter");
            }
        }
        add("weight", json!({"job": "web"}), 2.5, "gauge");
    }
    metrics
}

/// What is asked at single times and over time.
pub(super) const EXPRESSIONS: &[&str] = &[
    "requests_total",
    r#"requests_total{host=~"web-[01]",job!="batch"}"#,
    r#"{__name__=~"requests_total|errors_total",host!~".*-2"}"#,
    "load offset 7m",
    "load offset -3m",
    "rate(requests_total[5m])",
    "increase(requests_total[10m])",
    "irate(requests_total[1m])",
    "delta(load[5m])",
    "idelta(load[5m])",
    "deriv(load[10m])",
    "predict_linear(load[10m], 600)",
    "changes(errors_total[20m])",
    "resets(requests_total[30m])",
    "avg_over_time(load[5m])",
    "min_over_time(load[5m])",
    "max_over_time(load[5m])",
    "sum_over_time(load[5m])",
    "count_over_time(load[12m])",
    "stddev_over_time(load[5m])",
    "stdvar_over_time(load[5m])",
    "quantile_over_time(0.9, load[5m])",
    "last_over_time(load[15m])",
    "present_over_time(load[5m])",
    "max_over_time(rate(requests_total[2m])[10m:1m])",
    "sum(requests_total)",
    "sum by (job) (rate(requests_total[5m]))",
    "avg without (host) (load)",
    "count by (job) (load)",
    "min(load)",
    "max by (job) (load)",
    "stddev(load)",
    "stdvar by (job) (load)",
    "quantile(0.3, load)",
    "group by (host) (load)",
    "topk(2, requests_total)",
    "bottomk by (job) (1, requests_total)",
    r#"count_values("v", errors_total)"#,
    "histogram_quantile(0.9, sum by (le) (rate(took_seconds_bucket[5m])))",
    "histogram_quantile(0.5, rate(took_seconds_bucket[5m]))",
    "errors_total / requests_total",
    "errors_total / ignoring (job) requests_total",
    "errors_total / on (host) requests_total",
    "load * on (job) group_left weight",
    "weight * on (job) group_right load",
    "load > 1",
    "load > bool 1",
    "1 < load",
    "load >= on (host, job) errors_total",
    "load and requests_total > 100",
    "load or weight",
    "load unless on (host) errors_total > 3",
    "-load",
    "abs(load) + 2 ^ 3 % 5",
    "round(load, 0.5)",
    "clamp(load, -1, 1)",
    "clamp_min(load, 0)",
    "sqrt(load)",
    "ln(load) * 0",
    "sgn(load)",
    "absent(nothing{job=\"web\"})",
    "absent(load)",
    "scalar(weight) * 3",
    "vector(7)",
    "time()",
    "timestamp(load)",
    "2 + 3 * 4",
    r#"label_replace(load, "short", "$1", "host", "web-(.*)")"#,
    r#"label_join(load, "both", "/", "job", "host")"#,
    "load @ end()",
    "sum(load @ start()) + sum(load)",
];
