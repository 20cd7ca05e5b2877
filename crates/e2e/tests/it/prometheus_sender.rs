//! A Prometheus that sends everything it has, for a minute, and what the stores behind Sluice have of it.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use testkit::python::interpreter;
use testkit::{Launch, Process, Prometheus, Series, VictoriaMetrics, eventually, free_port};

use crate::push::now_ms;
use crate::sluice::{PATIENCE, Sluice};

/// How long Prometheus sends before anything is looked at.
const SENDING: Duration = Duration::from_secs(60);

/// What is compared: the part of it that every queue has let go by now.
const COMPARED_MS: i64 = 50_000;

/// Floats by labels.
type Floats = BTreeMap<BTreeMap<String, String>, Vec<(i64, f64)>>;

fn script(name: &str) -> std::path::PathBuf {
    testkit::repository().join("crates/e2e/tests/it").join(name)
}

/// A service with a counter, a gauge, a classic and a native histogram, and exemplars.
fn exporter() -> (Process, u16) {
    let port = free_port();
    let process = Launch::new("exporter", interpreter())
        .arg(script("exporter.py"))
        .arg(port.to_string())
        .start();
    process.wait_until_ready(port, "/metrics", PATIENCE);
    (process, port)
}

fn sender(exporter: u16, url: &str) -> Prometheus {
    Prometheus::start_with(&format!(
        "global: {{scrape_interval: 1s}}\n\
         scrape_configs:\n\
         - {{job_name: app, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}\n\
         remote_write:\n\
         - {{url: '{url}', send_exemplars: true, send_native_histograms: true, \
            metadata_config: {{send_interval: 5s}}}}\n"
    ))
}

/// The samples from `from_ms` to `to_ms`, of the series that have some.
fn floats(series: Vec<Series>, from_ms: i64, to_ms: i64) -> Floats {
    let mut floats = Floats::new();
    for mut series in series {
        series
            .samples
            .retain(|(at_ms, _)| (from_ms..=to_ms).contains(at_ms));
        if !series.samples.is_empty() {
            floats.insert(series.labels, series.samples);
        }
    }
    floats
}

/// The sum of the series of one of Prometheus' own metrics.
fn own(prometheus: &Prometheus, name: &str) -> f64 {
    let text = testkit::http::get(prometheus.port(), "/metrics").unwrap();
    let text = text.text();
    let lines = text.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    let values: Vec<f64> = lines
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(!values.is_empty(), "Prometheus has no {name}");
    values.iter().sum()
}

/// The exemplars of the exporter's counter, as Prometheus answers them.
fn exemplars(prometheus: &Prometheus, from_ms: i64, to_ms: i64) -> Value {
    let time = |at_ms: i64| (at_ms / 1000).to_string();
    let query = [
        ("query", "app_requests_total"),
        ("start", &time(from_ms)),
        ("end", &time(to_ms)),
    ];
    let target = testkit::http::target("/api/v1/query_exemplars", &query);
    let answer = testkit::http::get(prometheus.port(), &target).unwrap();
    serde_json::from_slice::<Value>(&answer.body).unwrap()["data"].clone()
}

fn equal(expected: &Floats, found: &Floats) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let differing = expected
        .iter()
        .find(|(labels, samples)| found.get(*labels) != Some(samples));
    let (expected, found) = (expected.len(), found.len());
    Err(format!("{found} of {expected} series; {differing:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_prometheus_is_in_the_stores_as_it_is_in_prometheus() {
    let (victoria_metrics, receiver) = (VictoriaMetrics::start(), Prometheus::start());
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let urls = [victoria_metrics.write_url(), receiver.write_url()];
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_STORES__VM__TYPE", "remote_write"),
            ("SLUICE_STORES__VM__URL", &urls[0]),
            ("SLUICE_STORES__PROMETHEUS__TYPE", "remote_write"),
            ("SLUICE_STORES__PROMETHEUS__URL", &urls[1]),
        ],
    );
    let (_exporter, port) = exporter();
    let sender = sender(port, &sluice.url("/api/v1/write"));
    tokio::time::sleep(SENDING).await;

    // Samples and timestamps, from the query API of the sender and of each store.
    let to_ms = now_ms() - 2000;
    let from_ms = to_ms - COMPARED_MS;
    let expression = "{job=\"app\",__name__!=\"app_native_seconds\"}[60s]";
    let expected = floats(sender.query(expression, to_ms), from_ms, to_ms);
    let samples: usize = expected.values().map(Vec::len).sum();
    assert!(expected.len() > 28, "{expected:?}");
    assert!(samples > 40 * expected.len(), "{samples}");
    eventually(PATIENCE, async || {
        let found = victoria_metrics.export("{job=\"app\"}");
        equal(&expected, &floats(found, from_ms, to_ms))
    })
    .await;
    eventually(PATIENCE, async || {
        let found = receiver.query(expression, to_ms);
        equal(&expected, &floats(found, from_ms, to_ms))
    })
    .await;
    for expression in ["sum(app_requests_total)", "app_load", "count(up)"] {
        let range = |found| floats(found, from_ms, to_ms);
        let step = Duration::from_secs(5);
        let expected = range(sender.query_range(expression, from_ms + 5000, to_ms, step));
        let found = victoria_metrics.query_range(expression, from_ms + 5000, to_ms, step);
        assert_eq!(range(found), expected, "{expression}");
    }
    // Native histograms, which the first store does not have.
    for expression in [
        "histogram_count(app_native_seconds)",
        "histogram_sum(app_native_seconds)",
        "histogram_quantile(0.9, app_native_seconds)",
    ] {
        let of = |prometheus: &Prometheus| {
            let step = Duration::from_secs(1);
            let found = prometheus.query_range(expression, from_ms, to_ms, step);
            floats(found, from_ms, to_ms)
        };
        let expected = of(&sender);
        assert_eq!(expected.len(), 1, "{expression}");
        eventually(PATIENCE, async || equal(&expected, &of(&receiver))).await;
    }

    // Prometheus itself knows of nothing that went wrong.
    for what in ["samples", "histograms", "exemplars", "metadata"] {
        let sent = own(&sender, &format!("prometheus_remote_storage_{what}_total"));
        assert!(sent > 0.0, "no {what} were sent");
        for how in ["failed", "retried"] {
            let name = format!("prometheus_remote_storage_{what}_{how}_total");
            assert_eq!(own(&sender, &name), 0.0, "{name}");
        }
    }
    for what in ["samples", "histograms", "exemplars"] {
        let name = format!("prometheus_remote_storage_{what}_dropped_total");
        assert_eq!(own(&sender, &name), 0.0, "{name}");
    }
    let remote_write = "protocol=\"remote_write\"";
    for name in [
        "sluice_gateway_samples_rejected_total",
        "sluice_gateway_ignored_total",
    ] {
        assert_eq!(sluice.metric(name, remote_write).unwrap(), 0.0, "{name}");
    }

    // What came in requests of its own describes the series.
    for (name, kind) in [
        ("app_requests_total", "counter"),
        ("app_load", "gauge"),
        ("app_latency_seconds_bucket", "histogram"),
    ] {
        let path = format!("/api/v1/recent/series?metric_name={name}");
        let shown = sluice.get(&path).unwrap();
        assert_eq!(shown["series"][0]["type"], kind, "{shown}");
    }

    // Exemplars, which Prometheus sends as series without samples.
    let expected = exemplars(&sender, from_ms, to_ms);
    assert_eq!(expected.as_array().map(Vec::len), Some(20), "{expected}");
    eventually(PATIENCE, async || {
        match exemplars(&receiver, from_ms, to_ms) {
            found if found == expected => Ok(()),
            found => Err(format!("{found}, not {expected}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_2_request_is_stored_with_its_types() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    let output = Command::new(interpreter())
        .arg(script("write_remote_write.py"))
        .arg(script("remote_write_v2.proto"))
        .arg(sluice.url("/api/v1/write"))
        .arg(now_ms().to_string())
        .output()
        .expect("python runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed.trim(), "204 1 0 0");
    eventually(PATIENCE, async || {
        let path = "/api/v1/recent/series?metric_name=jobs_done_total";
        let shown = sluice.get(path).map_err(|error| error.to_string())?;
        let series = &shown["series"][0];
        if series["type"] == "counter" && series["last_value"] == 3.0 {
            Ok(())
        } else {
            Err(shown.to_string())
        }
    })
    .await;
}
