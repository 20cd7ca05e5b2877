//! Batch jobs push with Prometheus' own client, and their groups outlive the job and the gateway.

use std::process::Command;

use serde_json::Value;
use testkit::eventually;
use testkit::kafka::{Kafka, unique};
use testkit::python::interpreter;

use crate::sluice::{PATIENCE, Sluice};

/// One step of a batch job, with `prometheus_client` as it is.
fn run(sluice: &Sluice, step: &str) {
    let script = testkit::repository().join("crates/e2e/tests/it/push_job.py");
    let output = Command::new(interpreter())
        .arg(script)
        .arg(sluice.url(""))
        .arg(step)
        .output()
        .expect("python runs");
    assert!(
        output.status.success(),
        "{step}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Waits until the newest value of a series with these labels is this one, and answers its labels.
async fn newest(sluice: &Sluice, name: &str, label: &str, value: &Value) -> Value {
    eventually(PATIENCE, async || {
        let path = format!("/api/v1/recent/series?metric_name={name}&label={label}");
        let shown = sluice.get(&path).map_err(|error| error.to_string())?;
        let rows = shown["series"].as_array().cloned().unwrap_or_default();
        match rows.as_slice() {
            [row] if row["last_value"] == *value => Ok(row["labels"].clone()),
            _ => Err(format!("{name}: {shown}")),
        }
    })
    .await
}

fn groups(sluice: &Sluice) -> Vec<Value> {
    let listed = sluice.get("/api/v1/metrics").unwrap();
    listed["data"].as_array().cloned().unwrap()
}

/// The life of two groups, with a restart of the gateway in between.
async fn story(sluice: Sluice) -> Sluice {
    run(&sluice, "push");
    run(&sluice, "push_with_key");
    let job = "job:nightly";
    newest(&sluice, "job_rows", job, &5.0.into()).await;
    newest(&sluice, "job_errors_total", job, &2.0.into()).await;
    newest(&sluice, "job_seconds_count", job, &1.0.into()).await;
    newest(&sluice, "push_failure_time_seconds", job, &0.0.into()).await;
    let labels = newest(&sluice, "keyed_rows", "job:a/b", &8.0.into()).await;
    assert_eq!(
        labels,
        serde_json::json!({"job": "a/b", "path": "/var/tmp", "zone": "a b"})
    );
    assert_eq!(groups(&sluice).len(), 2);

    sluice.process.terminate();
    sluice.process.wait_for_exit(PATIENCE);
    let sluice = sluice.again();

    // What the group was before the restart is known, so its end is marked.
    run(&sluice, "push_again");
    newest(&sluice, "job_rows", job, &6.0.into()).await;
    newest(&sluice, "job_errors_total", job, &"NaN".into()).await;
    run(&sluice, "add");
    newest(&sluice, "job_files", job, &7.0.into()).await;
    let shown = sluice.get("/metrics/job/nightly").unwrap();
    let families: Vec<_> = shown["families"].as_object().unwrap().keys().collect();
    assert_eq!(families, ["job_files", "job_rows"]);
    assert_eq!(shown["last_push_successful"], true);

    run(&sluice, "delete");
    for name in ["job_rows", "job_files", "push_time_seconds"] {
        newest(&sluice, name, job, &"NaN".into()).await;
    }
    newest(&sluice, "keyed_rows", "job:a/b", &"NaN".into()).await;
    assert_eq!(groups(&sluice), Vec::<Value>::new());
    sluice
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_outlive_a_restart_of_standalone() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = story(Sluice::standalone(folder.path())).await;
    let rejected = sluice.metric("sluice_gateway_samples_rejected_total", "pushgateway");
    assert_eq!(rejected.unwrap(), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_outlive_a_restart_and_are_shared_over_kafka() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let brokers = Kafka::shared().brokers();
    let topic = unique("groups");
    let dead = format!("{topic}-dead");
    let mut settings = vec![
        ("SLUICE_KAFKA__BROKERS", brokers.as_str()),
        ("SLUICE_KAFKA__TOPIC", topic.as_str()),
        ("SLUICE_KAFKA__PARTITIONS", "4"),
        ("SLUICE_KAFKA__REPLICATION", "1"),
        ("SLUICE_CONSUMER__DEAD_LETTER_TOPIC", dead.as_str()),
    ];
    let gateway = Sluice::start("gateway", &settings);
    settings.push(("SLUICE_BUFFER__KIND", "kafka"));
    settings.push(("SLUICE_DATA_DIR", data_dir.as_str()));
    let standalone = story(Sluice::start("standalone", &settings)).await;

    // What is pushed to one of them can be seen, and deleted, at the other.
    run(&gateway, "push");
    newest(&standalone, "job_rows", "job:nightly", &5.0.into()).await;
    eventually(PATIENCE, async || match groups(&standalone).as_slice() {
        [group] if group["job_rows"]["metrics"][0]["value"] == "5" => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    run(&standalone, "delete");
    newest(&standalone, "job_rows", "job:nightly", &"NaN".into()).await;
    eventually(PATIENCE, async || match groups(&gateway).len() {
        0 => Ok(()),
        count => Err(format!("{count} groups")),
    })
    .await;
}
