//! What standalone answers about what it has: the same as a real Prometheus, and to real clients.

mod fleet;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{Prometheus, eventually, python};

use self::fleet::{EXPRESSIONS, fleet};
use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice};

/// One process with an archive that also sends everything to Prometheus.
fn standalone(folder: &Path, prometheus: &Prometheus) -> Sluice {
    let settings = [
        ("SLUICE_DATA_DIR", folder.display().to_string()),
        ("SLUICE_STORES__ARCHIVE__TYPE", "parquet".to_owned()),
        ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "1s".to_owned()),
        ("SLUICE_STORES__MAIN__TYPE", "remote_write".to_owned()),
        ("SLUICE_STORES__MAIN__URL", prometheus.write_url()),
    ];
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    Sluice::start("standalone", &settings)
}

/// Series by labels: what is compared.
type Answer = Result<BTreeMap<String, Vec<(f64, f64)>>, String>;

fn ask(port: u16, prefix: &str, path: &str, query: &[(&str, &str)]) -> Answer {
    let target = testkit::http::target(&format!("{prefix}{path}"), query);
    let answer = testkit::http::get(port, &target).unwrap();
    let text = answer.text();
    let answer: Value = serde_json::from_str(&text).expect("the answer is JSON");
    if answer["status"] != "success" {
        return Err(answer["errorType"].as_str().unwrap_or_default().to_owned());
    }
    let data = &answer["data"];
    let pair = |pair: &Value| {
        let value: f64 = pair[1]
            .as_str()
            .unwrap()
            .replace("Inf", "inf")
            .parse()
            .unwrap();
        (pair[0].as_f64().unwrap(), value)
    };
    if data["resultType"] == "scalar" {
        return Ok([("scalar".to_owned(), vec![pair(&data["result"])])].into());
    }
    let series = data["result"].as_array().unwrap().iter().map(|series| {
        let values = match series["values"].as_array() {
            Some(values) => values.iter().map(pair).collect(),
            None => vec![pair(&series["value"])],
        };
        let labels: BTreeMap<String, Value> =
            serde_json::from_value(series["metric"].clone()).unwrap();
        (format!("{labels:?}"), values)
    });
    Ok(series.collect())
}

fn is_same(ours: &Answer, theirs: &Answer) -> bool {
    let (Ok(ours), Ok(theirs)) = (ours, theirs) else {
        return ours == theirs;
    };
    let near = |a: f64, b: f64| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
    };
    // Of what is zero but for rounding, nothing but that is the same.
    let near = |a: f64, b: f64| near(a, b) || (a - b).abs() < 1e-12;
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(ours, theirs)| {
            ours.0 == theirs.0
                && ours.1.len() == theirs.1.len()
                && ours.1.iter().zip(theirs.1).all(|(ours, theirs)| {
                    (ours.0 - theirs.0).abs() < 0.0005 && near(ours.1, theirs.1)
                })
        })
}

fn count(answer: &Answer) -> f64 {
    let values = answer.iter().flat_map(BTreeMap::values).flatten();
    values.map(|(_, value)| *value).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_give_what_a_real_prometheus_gives() {
    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::start();
    let sluice = standalone(folder.path(), &prometheus);
    let end_ms = now_ms() / 1000 * 1000;
    let metrics = fleet(end_ms);
    let all = f64::from(u32::try_from(metrics.len()).unwrap());
    for part in metrics.chunks(2000) {
        let url = sluice.url("/metrics");
        push(&url, &json!({ "metrics": part })).await.unwrap();
    }
    let time = (end_ms / 1000).to_string();
    let names = [
        "requests_total",
        "errors_total",
        "load",
        "took_seconds_bucket",
        "weight",
    ];
    let counts = names.map(|name| format!("sum(count_over_time({name}[1h]))"));
    let counts = counts.join(" + ");
    let everything = [("query", counts.as_str()), ("time", time.as_str())];
    for (port, prefix) in [(prometheus.port(), ""), (sluice.http_port(), "/prometheus")] {
        eventually(PATIENCE, async || {
            let found = count(&ask(port, prefix, "/api/v1/query", &everything));
            if found == all {
                Ok(())
            } else {
                Err(format!("{prefix}: {found} of {all}"))
            }
        })
        .await;
    }

    let mut wrong = Vec::new();
    let mut compared = 0;
    let mut compare = |path: &str, query: &[(&str, &str)]| {
        let ours = ask(sluice.http_port(), "/prometheus", path, query);
        let theirs = ask(prometheus.port(), "", path, query);
        compared += ours.as_ref().map_or(0, BTreeMap::len);
        if !is_same(&ours, &theirs) {
            wrong.push(format!(
                "{path} {query:?}\n  ours:   {ours:?}\n  theirs: {theirs:?}"
            ));
        }
    };
    for expression in EXPRESSIONS {
        for back in [0, 600, 1500] {
            let time = (end_ms / 1000 - back).to_string();
            compare("/api/v1/query", &[("query", expression), ("time", &time)]);
        }
        let start = (end_ms / 1000 - 2400).to_string();
        let range = [
            ("query", *expression),
            ("start", &start),
            ("end", &time),
            ("step", "60"),
        ];
        compare("/api/v1/query_range", &range);
    }
    compare("/api/v1/query", &[("query", "load[3m]"), ("time", &time)]);
    // What both refuse, and with which type of error.
    for expression in [
        "load[",
        "sum(load) by",
        "rate(load)",
        "1 > 2",
        "load + on (job) requests_total",
        "foo(load)",
    ] {
        compare("/api/v1/query", &[("query", expression), ("time", &time)]);
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 300, "{compared}");

    browsed(&sluice, &prometheus, end_ms);
}

/// What a browser of metrics asks for, of both.
fn browsed(sluice: &Sluice, prometheus: &Prometheus, end_ms: i64) {
    let time = (end_ms / 1000).to_string();
    let start = (end_ms / 1000 - 3000).to_string();
    for path in [
        "/api/v1/labels",
        "/api/v1/label/__name__/values",
        "/api/v1/label/host/values",
        "/api/v1/series",
    ] {
        let query = [
            ("match[]", r#"{__name__=~"requests_total|load",job="web"}"#),
            ("start", start.as_str()),
            ("end", time.as_str()),
        ];
        let data = |port: u16, prefix: &str| {
            let target = testkit::http::target(&format!("{prefix}{path}"), &query);
            let answer: Value =
                serde_json::from_slice(&testkit::http::get(port, &target).unwrap().body).unwrap();
            let mut data: Vec<String> = answer["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(Value::to_string)
                .collect();
            data.sort();
            data
        };
        assert_eq!(
            data(sluice.http_port(), "/prometheus"),
            data(prometheus.port(), ""),
            "{path}"
        );
    }
}

/// What a person would do first with the client.
const CLIENT: &str = r#"
import json, sys
from datetime import datetime
from prometheus_api_client import PrometheusConnect, PrometheusApiClientException

prometheus = PrometheusConnect(url=sys.argv[1])
end = datetime.fromtimestamp(int(sys.argv[2]) / 1000)
start = datetime.fromtimestamp(int(sys.argv[2]) / 1000 - 1800)
told = {"connected": prometheus.check_prometheus_connection()}
told["metrics"] = sorted(prometheus.all_metrics())
told["hosts"] = sorted(prometheus.get_label_values("host"))
current = prometheus.get_current_metric_value("load", label_config={"host": "web-1"})
told["current"] = [{name: value for name, value in row["metric"].items() if name != "__name__"} for row in current]
found = prometheus.get_metric_range_data("requests_total", label_config={"host": "web-0"}, start_time=start, end_time=end)
told["range_samples"] = sum(len(series["values"]) for series in found)
custom = prometheus.custom_query("sum by (job) (rate(requests_total[5m]))")
told["custom"] = sorted(row["metric"]["job"] for row in custom)
ranged = prometheus.custom_query_range("sum(load)", start_time=start, end_time=end, step="180")
told["steps"] = len(ranged[0]["values"])
try:
    prometheus.custom_query("hour(load)")
except PrometheusApiClientException as error:
    told["refused"] = str(error)
print(json.dumps(told))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_prometheus_browses_and_reads() {
    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::start();
    let sluice = standalone(folder.path(), &prometheus);
    let end_ms = now_ms() / 1000 * 1000;
    let url = sluice.url("/metrics");
    push(&url, &json!({"metrics": fleet(end_ms)}))
        .await
        .unwrap();
    let seen = eventually(PATIENCE, async || {
        let found = ask(
            sluice.http_port(),
            "/prometheus",
            "/api/v1/query",
            &[("query", "count(count_over_time(load[45m]))")],
        );
        if count(&found) == 3.0 {
            Ok(found)
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
    drop(seen);
    let url = sluice.url("/prometheus");
    let output = python::run_promql(CLIENT, &[&url, &end_ms.to_string()]);
    let told: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(told["connected"], true);
    let names = json!([
        "errors_total",
        "load",
        "requests_total",
        "took_seconds_bucket",
        "weight"
    ]);
    assert_eq!(told["metrics"], names);
    assert_eq!(told["hosts"], json!(["web-0", "web-1", "web-2"]));
    assert_eq!(told["current"], json!([{"host": "web-1", "job": "web"}]));
    assert_eq!(told["range_samples"], 120);
    assert_eq!(told["custom"], json!(["batch", "web"]));
    assert_eq!(told["steps"], 11);
    assert!(
        told["refused"].as_str().unwrap().contains("not supported"),
        "{told}"
    );
}

/// Reads an answer as Arrow and as CSV.
const READ: &str = r#"
import csv, io, json, sys, urllib.request
import pyarrow.ipc
url = sys.argv[1]
with urllib.request.urlopen(url + "&format=arrow") as answer:
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pyarrow.ipc.open_stream(answer.read()).read_all()
request = urllib.request.Request(url, headers={"Accept": "text/csv"})
with urllib.request.urlopen(request) as answer:
    rows = list(csv.DictReader(io.StringIO(answer.read().decode())))
arrow = [{**row, "labels": dict(row["labels"]), "timestamp": int(row["timestamp"].timestamp() * 1000)} for row in table.to_pylist()]
print(json.dumps({"columns": table.schema.names, "arrow": arrow, "csv": rows}))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn samples_and_aggregates_are_read_as_json_csv_and_arrow() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data),
            ("SLUICE_STORES__ARCHIVE__TYPE", "parquet"),
            ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "1s"),
        ],
    );
    let at_ms = now_ms() / 60_000 * 60_000;
    let sample = |after_ms: i64, value: f64| json!({"metric_name": "db.size, \"all\"", "timestamp": at_ms - 120_000 + after_ms, "value": value, "labels": {"host": "a,b"}});
    let batch = json!({"metrics": [sample(0, 1.0), sample(15_000, 3.0), sample(30_000, 4.0), sample(60_000, 0.5)]});
    push(&sluice.url("/metrics"), &batch).await.unwrap();
    let aggregates = "metric_name=db.size,%20%22all%22&aggregate=count,mean,median,rate&step=1m";
    let path = format!("/api/v1/archive/aggregate?{aggregates}");
    let found = eventually(PATIENCE, async || {
        let found = sluice.get(&path).map_err(|error| error.to_string())?;
        if found["series"]
            .as_array()
            .is_some_and(|series| !series.is_empty())
        {
            Ok(found)
        } else {
            Err(found.to_string())
        }
    })
    .await;
    let series = &found["series"][0];
    assert_eq!(
        series["timestamps"],
        json!([at_ms - 120_000, at_ms - 60_000])
    );
    assert_eq!(
        series["values"],
        json!({"count": [4.0 - 1.0, 1.0], "mean": [8.0 / 3.0, 0.5], "median": [3.0, 0.5], "rate": [0.1, 0.5 / 30.0]})
    );

    let read = python::run(READ, &[&sluice.url(&path)]);
    let read: Value = serde_json::from_str(&read).unwrap();
    let columns = [
        "metric_name",
        "labels",
        "tenant",
        "timestamp",
        "count",
        "mean",
        "median",
        "rate",
    ];
    assert_eq!(read["columns"], json!(columns));
    assert_eq!(
        read["arrow"][0],
        json!({"metric_name": "db.size, \"all\"", "labels": {"host": "a,b"}, "tenant": null, "timestamp": at_ms - 120_000, "count": 3.0, "mean": 8.0 / 3.0, "median": 3.0, "rate": 0.1})
    );
    assert_eq!(read["csv"][1]["metric_name"], "db.size, \"all\"");
    assert_eq!(read["csv"][1]["labels"], "{\"host\":\"a,b\"}");
    assert_eq!(read["csv"][1]["mean"], "0.5");
    let read = python::run(
        READ,
        &[&sluice.url("/api/v1/recent/samples?label=host:a,b")],
    );
    let read: Value = serde_json::from_str(&read).unwrap();
    assert_eq!(read["arrow"].as_array().unwrap().len(), 4);
    // The same on the listener that the console is on.
    let shown = sluice.admin(&path).unwrap();
    assert_eq!(shown["series"], found["series"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn greedy_questions_are_refused_and_samples_still_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data),
            ("SLUICE_QUERIES__MAX_CONCURRENT", "1"),
            ("SLUICE_QUERIES__MAX_MEMORY", "1MiB"),
            ("SLUICE_QUERIES__MAX_SERIES", "500"),
            ("SLUICE_QUERIES__TIMEOUT", "2s"),
        ],
    );
    let at_ms = now_ms();
    let series = |number: i64| json!({"metric_name": format!("m_{}", number % 7), "timestamp": at_ms - number, "value": number, "labels": {"n": (number % 400).to_string()}});
    let batch: Vec<Value> = (0..20_000).map(series).collect();
    let url = sluice.url("/metrics");
    push(&url, &json!({ "metrics": batch })).await.unwrap();
    let all = [
        ("query", r#"{__name__=~".+"}"#),
        ("start", "0"),
        ("end", "10000000"),
        ("step", "1000"),
    ];
    let many = format!("{}", at_ms / 1000);
    eventually(PATIENCE, async || {
        let query = [
            (
                "query",
                r#"sum by (n) (count_over_time({__name__=~"m_.*"}[1h]))"#,
            ),
            ("time", many.as_str()),
        ];
        match ask(sluice.http_port(), "/prometheus", "/api/v1/query", &query) {
            Err(kind) if kind == "execution" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let told = sluice.get("/api/v1/recent/samples?limit=100000").unwrap();
    assert_eq!(told["code"], "query_too_large", "{told}");
    // More at once than may wait, while samples arrive.
    let asked = (0..40).map(|_| {
        let (port, target) = (
            sluice.http_port(),
            testkit::http::target("/prometheus/api/v1/query_range", &all),
        );
        tokio::task::spawn_blocking(move || testkit::http::get(port, &target).unwrap().status)
    });
    let asked: Vec<_> = asked.collect();
    for number in 0..10 {
        let body = json!({"metrics": [series(number)]});
        let answer = push(&url, &body).await.unwrap();
        assert_eq!(answer["status"], "success");
    }
    for status in futures::future::join_all(asked).await {
        let status = status.unwrap();
        assert!([200, 422, 503].contains(&status), "{status}");
    }
    for expression in [
        "(".repeat(5000),
        "-".repeat(5000) + "1",
        "1+".repeat(5000) + "1",
        "x".repeat(100_000),
    ] {
        let target = testkit::http::target("/prometheus/api/v1/query", &[("query", &expression)]);
        let answer = testkit::http::get(sluice.http_port(), &target).unwrap();
        // The longest is more than a request's head may be.
        assert!(
            [400, 414, 431].contains(&answer.status),
            "{}: {}",
            answer.status,
            answer.text()
        );
    }
    assert_eq!(sluice.get("/health").unwrap()["status"], "healthy");
}
