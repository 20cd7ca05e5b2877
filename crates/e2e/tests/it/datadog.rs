//! Datadog's own Python client pushes unchanged, and so does what the agent's messages are made of.

use serde_json::Value;
use testkit::{eventually, python};

use crate::sluice::{PATIENCE, Sluice};

/// Nothing configured but where to, and keys.
const CLIENT: &str = r#"
import sys, time
from datadog import api, initialize, ThreadStats

initialize(api_key="key", app_key="key", api_host=sys.argv[1], mute=False)
now = int(time.time())

def ok(answer):
    assert answer == {"status": "ok"}, answer

ok(api.Metric.send(metric="page.views", points=[(now, 15), (now + 1, 16.5)], type="count", tags=["env:test", "env:prod", "canary"], host="web-1"))
ok(api.Metric.send(metrics=[
    {"metric": "queue.depth", "points": 17, "tags": ["queue:mail"]},
    {"metric": "queue.depth", "points": 18, "tags": ["queue:web"], "type": "gauge"},
], compress_payload=True))
ok(api.Distribution.send(metric="request.seconds", points=[(now, [0.1, 0.2, 3])]))
ok(api.ServiceCheck.check(check="app.ok", host_name="web-1", status=0))
ok(api.Event.create(title="deployed", text="v2"))

stats = ThreadStats()
stats.start(flush_in_thread=False)
stats.gauge("thread.gauge", 3, tags=["a:b"], timestamp=now - 100)
stats.increment("thread.hits", 2, timestamp=now - 100)
stats.histogram("thread.duration", 5, timestamp=now - 100)
stats.flush(now)

try:
    api.Metric.send(metric="page.views", points=[(now + 10**7, 1)])
except api.exceptions.ApiError as error:
    reasons = error.args[0]["errors"]
    assert "ahead of the gateway's clock" in reasons[1], reasons
else:
    raise AssertionError("a sample of next year was taken")
print("done")
"#;

/// What the agent sends every 15 seconds: its messages, deflated, behind its headers.
const AGENT: &str = r#"
import pathlib, sys, tempfile, time, zlib
from grpc_tools import protoc
import requests

PROTO = '''
syntax = "proto3";
package datadog.agentpayload;
message MetricPayload {
  enum MetricType { UNSPECIFIED = 0; COUNT = 1; RATE = 2; GAUGE = 3; }
  message MetricPoint { double value = 1; int64 timestamp = 2; }
  message Resource { string type = 1; string name = 2; }
  message MetricSeries {
    repeated Resource resources = 1; string metric = 2; repeated string tags = 3; repeated MetricPoint points = 4;
    MetricType type = 5; string unit = 6; string source_type_name = 7; int64 interval = 8;
  }
  repeated MetricSeries series = 1;
}
message SketchPayload {
  message Sketch {
    message Dogsketch {
      int64 ts = 1; int64 cnt = 2; double min = 3; double max = 4; double avg = 5; double sum = 6;
      repeated sint32 k = 7; repeated uint32 n = 8;
    }
    string metric = 1; string host = 2; repeated string tags = 4; repeated Dogsketch dogsketches = 7;
  }
  repeated Sketch sketches = 1;
}
'''
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "agent_payload.proto").write_text(PROTO)
assert protoc.main(["protoc", f"-I{folder}", f"--python_out={folder}", "agent_payload.proto"]) == 0
sys.path.insert(0, str(folder))
import agent_payload_pb2 as agent

url, now = sys.argv[1], int(time.time())
headers = {"DD-API-KEY": "key", "Content-Type": "application/x-protobuf", "Content-Encoding": "deflate"}

valid = requests.get(url + "/api/v1/validate", headers={"DD-API-KEY": "key"})
assert valid.status_code == 200 and valid.json() == {"valid": True}, valid.text

payload = agent.MetricPayload()
series = payload.series.add(metric="system.load.1", tags=["env:prod"], type=3, source_type_name="System", interval=15)
series.resources.add(type="host", name="web-1")
series.points.add(value=0.75, timestamp=now)
sent = requests.post(url + "/api/v2/series", headers=headers, data=zlib.compress(payload.SerializeToString()))
assert sent.status_code == 202 and sent.json() == {"errors": []}, sent.text

payload = agent.SketchPayload()
sketch = payload.sketches.add(metric="request.duration", host="web-1")
sketch.dogsketches.add(ts=now, cnt=3, min=1, max=2, avg=1.3, sum=4, k=[1338, 1383], n=[2, 1])
sent = requests.post(url + "/api/beta/sketches", headers=headers, data=zlib.compress(payload.SerializeToString()))
assert sent.status_code == 202, sent.text

for path in ["/intake/?api_key=key", "/api/v1/check_run", "/api/v1/metadata"]:
    sent = requests.post(url + path, json={})
    assert sent.status_code == 202, (path, sent.text)
print("done")
"#;

fn start(folder: &std::path::Path) -> Sluice {
    let data_dir = folder.display().to_string();
    Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_RECENT__MAX_POINTS", "1000"),
        ],
    )
}

/// Labels and values of a metric's recent samples, oldest first.
fn recent(sluice: &Sluice, name: &str) -> Vec<(Value, f64)> {
    let path = format!("/api/v1/recent/samples?metric_name={name}");
    let found = sluice.get(&path).unwrap();
    let rows = found["samples"].as_array().unwrap().iter();
    rows.map(|row| (row["labels"].clone(), row["value"].as_f64().unwrap()))
        .collect()
}

async fn arrives(sluice: &Sluice, name: &str, values: &[f64]) -> Vec<Value> {
    eventually(PATIENCE, async || {
        let found = recent(sluice, name);
        let found_values: Vec<f64> = found.iter().map(|(_, value)| *value).collect();
        if found_values == values {
            Ok(found.into_iter().map(|(labels, _)| labels).collect())
        } else {
            Err(format!("{name}: {found:?}"))
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_pushes_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = start(folder.path());
    let printed = python::run(CLIENT, &[&sluice.url("")]);
    assert_eq!(printed, "done\n");
    let labels = arrives(&sluice, "page.views", &[15.0, 16.5]).await;
    assert_eq!(labels[0]["env"], "prod");
    assert_eq!(labels[0]["canary"], "true");
    assert_eq!(labels[0]["host"], "web-1");
    let labels = arrives(&sluice, "queue.depth", &[17.0, 18.0]).await;
    assert!(labels[0]["host"].is_string(), "the client adds its own");
    arrives(&sluice, "thread.gauge", &[3.0]).await;
    arrives(&sluice, "thread.hits", &[0.2]).await;
    arrives(&sluice, "thread.duration.avg", &[5.0]).await;
    let ignored = |kind| sluice.metric("sluice_gateway_ignored_total", kind).unwrap();
    assert_eq!(ignored("service_check"), 1.0);
    assert_eq!(ignored("event"), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_sends_is_stored_and_keeps_it_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = start(folder.path());
    let printed = python::run(AGENT, &[&sluice.url("")]);
    assert_eq!(printed, "done\n");
    let labels = arrives(&sluice, "system.load.1", &[0.75]).await;
    assert_eq!(labels[0]["host"], "web-1");
    assert_eq!(labels[0]["source_type_name"], "System");
    // The sketch is a native histogram.
    let accepted = sluice.metric("sluice_gateway_samples_accepted_total", "datadog");
    assert_eq!(accepted.unwrap(), 2.0);
}
