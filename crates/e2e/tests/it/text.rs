//! What `prometheus_client` shows on its `/metrics` page, pushed in both of its formats and read back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::{eventually, python};

use crate::push::Samples;
use crate::sluice::{PATIENCE, Sluice};

/// Registers every metric type, posts the page, and prints the answer and what its own parser reads in the page.
const PROGRAM: &str = r#"
import json, sys, requests
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, Info, Enum
from prometheus_client import exposition, parser
from prometheus_client.openmetrics import exposition as om_exposition, parser as om_parser

url, dialect = sys.argv[1:]
registry = CollectorRegistry()
options = dict(namespace=dialect, registry=registry)
requests_total = Counter("requests", "Requests with a \\ and a\nnewline.", ["path"], **options)
requests_total.labels('/a"b\\c\nd').inc(3, exemplar={"trace_id": "abc"})
requests_total.labels("/é").inc(0.5)
Gauge("temperature_celsius", "Outside.", unit="celsius", **options).set(-3.25)
latency = Histogram("latency_seconds", "Latency.", ["path"], buckets=(0.1, 1, 1000000), **options)
latency.labels("/").observe(0.05, exemplar={"trace_id": "def"})
latency.labels("/").observe(7)
size = Summary("size_bytes", "Size.", **options)
size.observe(100)
Info("build", "Build.", **options).info({"version": "1.2"})
Enum("state", "State.", states=["on", "off"], **options).state("off")
Gauge("infinite", "", **options).set(float("inf"))

if dialect == "om":
    page, content_type = om_exposition.generate_latest(registry), om_exposition.CONTENT_TYPE_LATEST
    families = om_parser.text_string_to_metric_families(page.decode())
else:
    page, content_type = exposition.generate_latest(registry), exposition.CONTENT_TYPE_LATEST
    families = parser.text_string_to_metric_families(page.decode())
answer = requests.post(url, data=page, headers={"Content-Type": content_type})
samples = [[s.name, s.labels, repr(float(s.value)), f.type] for f in families for s in f.samples]
print(json.dumps({"status": answer.status_code, "text": answer.text, "samples": samples, "page": page.decode()}))
"#;

fn samples(shown: &Value) -> Samples {
    let mut rows = shown["samples"].clone();
    // What JSON has no number for is a string.
    for row in rows.as_array_mut().unwrap() {
        if row["value"]
            .as_str()
            .is_some_and(|text| text.contains("Inf"))
        {
            row["value"] = serde_json::json!(f64::MAX);
        }
    }
    crate::push::samples(&rows).unwrap()
}

async fn arrives(sluice: &Sluice, name: &str, labels: &BTreeMap<String, String>, value: f64) {
    let path = format!("/api/v1/recent/samples?metric_name={name}");
    eventually(PATIENCE, async || {
        let shown = sluice.get(&path).map_err(|error| error.to_string())?;
        let found = samples(&shown);
        let is_there = found.iter().any(|((_, found, _), number)| {
            found == labels && number.to_bits() == value.min(f64::MAX).to_bits()
        });
        if is_there {
            Ok(())
        } else {
            Err(format!("no {labels:?} {value} in {shown}"))
        }
    })
    .await;
}

async fn check(sluice: &Sluice, dialect: &str) {
    let printed = python::run(
        PROGRAM,
        &[&sluice.url("/api/v1/import/prometheus"), dialect],
    );
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let page = printed["page"].as_str().unwrap();
    assert_eq!(printed["status"], 204, "{}\n{page}", printed["text"]);
    let rows = printed["samples"].as_array().unwrap();
    assert!(rows.len() > 15, "{page}");
    let mut types = BTreeSet::new();
    for row in rows {
        let name = row[0].as_str().unwrap();
        let labels: BTreeMap<String, String> = serde_json::from_value(row[1].clone()).unwrap();
        let value: f64 = row[2].as_str().unwrap().parse().unwrap();
        arrives(sluice, name, &labels, value).await;
        if !name.ends_with("_created") {
            types.insert((name.to_owned(), row[3].as_str().unwrap().to_owned()));
        }
    }
    for (name, kind) in types {
        let series = sluice
            .get(&format!("/api/v1/recent/series?metric_name={name}"))
            .unwrap();
        assert_eq!(
            series["series"][0]["type"],
            kind.as_str(),
            "{name} in {page}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_python_client_arrives_whole_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    check(&sluice, "text").await;
    check(&sluice, "om").await;
    let refused = sluice
        .metric("sluice_gateway_samples_rejected_total", "protocol=\"text\"")
        .unwrap();
    assert_eq!(refused, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn good_lines_beside_bad_ones_arrive_and_the_answer_names_the_bad_ones() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    let client = crate::sluice::reqwest_client().unwrap();
    let answer = client
        .put(sluice.url("/api/v1/import/prometheus/metrics/job/night?extra_label=zone=b"))
        .body("good{zone=\"a\"} 1\nbad{zone=a} 2\n")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer["errors"][0]["line"], 2, "{answer}");
    let labels = [("job", "night"), ("zone", "b")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    arrives(&sluice, "good", &labels.into(), 1.0).await;
}
