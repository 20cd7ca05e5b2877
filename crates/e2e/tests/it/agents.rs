//! The agents that hosts run today push unchanged, and every sample arrives as it was pushed.

use std::process::Command;

use serde_json::Value;
use testkit::eventually;
use testkit::python::interpreter;

use crate::push::{self, Samples};
use crate::sluice::{PATIENCE, Sluice, Topics};

/// Runs both agents against this gateway and answers what they pushed.
fn run_agents(url: &str) -> Samples {
    let script = testkit::repository().join("crates/e2e/agents/push.py");
    let output = Command::new(interpreter())
        .arg(script)
        .arg(url)
        .arg("2")
        .output()
        .expect("python runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        !stderr.contains("Failed") && !stderr.contains("Error"),
        "{stderr}"
    );
    let pushed: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    push::samples(&pushed).expect("the agents push no sample twice")
}

async fn arrive(sluice: &Sluice, pushed: &Samples) {
    assert!(pushed.len() > 500);
    eventually(PATIENCE, async || {
        let shown = sluice
            .get("/api/v1/recent/samples?limit=100000")
            .map_err(|error| error.to_string())?;
        let shown = push::samples(&shown["samples"]).map_err(|error| error.to_string())?;
        if shown == *pushed {
            Ok(())
        } else {
            Err(format!("{} of {} arrived", shown.len(), pushed.len()))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_standalone() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_RECENT__MAX_POINTS", "1000"),
        ],
    );
    let pushed = run_agents(&sluice.url(""));
    arrive(&sluice, &pushed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_gateway_and_kafka() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let topics = Topics::new("agents", 4);
    let gateway = Sluice::start("gateway", &topics.settings());
    // Standalone on Kafka is a gateway and a consumer in one; here it is only read from.
    let reading = topics.with(&[
        ("SLUICE_BUFFER__KIND", "kafka"),
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_RECENT__MAX_POINTS", "1000"),
    ]);
    let reader = Sluice::start("standalone", &reading);
    let pushed = run_agents(&gateway.url(""));
    arrive(&reader, &pushed).await;
}
