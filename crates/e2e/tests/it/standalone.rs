//! One machine, nothing else: push, look, crash, and find it in the archive.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::eventually;
use testkit::python::interpreter;
use tokio::task::JoinSet;

use crate::push::{self, Samples, now_ms, push};
use crate::sluice::{PATIENCE, Sluice};

/// What DuckDB and pyarrow each find in an archive; they must agree.
fn archive(folder: &Path) -> Samples {
    let script = testkit::repository().join("crates/e2e/tests/it/read_archive.py");
    let output = Command::new(interpreter())
        .arg(script)
        .arg(folder)
        .output()
        .expect("python runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let rows: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    push::samples(&rows).expect("every sample is in the archive exactly once")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_sample_is_shown_at_once_and_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    let at_ms = now_ms();
    let body = json!({"metrics": [
        {"metric_name": "cpu_usage_percent", "timestamp": at_ms, "value": 42.5, "labels": {"host": "web-01", "region": "us-east-1"}},
        {"metric_name": "http.server.duration", "timestamp": at_ms, "value": 0.25, "labels": {}},
    ]});
    let answer = push(&sluice.url("/metrics"), &body).await.unwrap();
    assert_eq!(answer, json!({"status": "success", "metrics_received": 2}));

    let shown = eventually(PATIENCE, async || {
        let shown =
            sluice.get("/api/v1/recent/samples?metric_name=cpu_usage_percent&label=host:web-01");
        let shown = shown.map_err(|error| error.to_string())?;
        if shown["samples"]
            .as_array()
            .is_some_and(|rows| rows.len() == 1)
        {
            Ok(shown)
        } else {
            Err(shown.to_string())
        }
    })
    .await;
    assert_eq!(shown["samples"][0]["value"], 42.5);
    assert_eq!(shown["samples"][0]["timestamp"], at_ms);

    sluice.process.kill();
    let sluice = sluice.again();
    eventually(PATIENCE, async || {
        let consumed = sluice.metric("sluice_consumer_samples_consumed_total", "archive");
        match consumed.unwrap() {
            2.0 => Ok(()),
            consumed => Err(consumed),
        }
    })
    .await;
    // A polite end closes the archive's files.
    sluice.process.terminate();
    assert!(
        sluice.process.wait_for_exit(PATIENCE).success(),
        "{}",
        sluice.process.log()
    );
    let expected = push::samples(&body["metrics"]).unwrap();
    assert_eq!(archive(&folder.path().join("archive")), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_moment_neither_lose_nor_double_an_acknowledged_sample() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let settings = [
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "200ms"),
    ];
    let mut sluice = Sluice::start("standalone", &settings);
    let start_ms = now_ms();
    let mut acknowledged = Samples::new();
    for round in 0..5_i64 {
        let url = sluice.url("/metrics");
        let mut pusher = JoinSet::new();
        pusher.spawn(async move {
            let mut pushed = Samples::new();
            for number in 0.. {
                let samples: Samples = (0..20_i64)
                    .map(|name| {
                        let labels = [("round".to_owned(), round.to_string())].into();
                        (
                            (format!("metric_{name}"), labels, start_ms + number),
                            (number * 20 + name) as f64,
                        )
                    })
                    .collect();
                let client = crate::sluice::reqwest_client().unwrap();
                let sent = client
                    .post(&url)
                    .body(push::batch(&samples).to_string())
                    .send()
                    .await;
                match sent {
                    Ok(answer) if answer.status().is_success() => pushed.extend(samples),
                    // Killed: the sender still owns these, and this test drops them.
                    _ => break,
                }
            }
            pushed
        });
        // Long enough that some files are closed and some are not, at another point each round.
        tokio::time::sleep(Duration::from_millis(
            310 + 170 * u64::try_from(round).unwrap(),
        ))
        .await;
        sluice.process.kill();
        acknowledged.extend(pusher.join_next().await.unwrap().unwrap());
        sluice = sluice.again();
    }
    sluice.process.terminate();
    assert!(
        sluice.process.wait_for_exit(PATIENCE).success(),
        "{}",
        sluice.process.log()
    );
    let found = archive(&folder.path().join("archive"));
    assert!(
        acknowledged.len() >= 100,
        "only {} samples were acknowledged",
        acknowledged.len()
    );
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|(key, value)| found.get(*key) != Some(value))
        .take(3)
        .collect();
    assert!(lost.is_empty(), "lost, for example, {lost:?}");
    // At most the requests that each kill cut off may be there too: durable, but not answered.
    let unanswered = found.len() - acknowledged.len();
    assert!(unanswered <= 5 * 20, "{unanswered} samples too many");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Sluice::standalone(folder.path());
    let second = testkit::Launch::new("second", crate::sluice::binary())
        .arg("standalone")
        .env("SLUICE_DATA_DIR", folder.path())
        .env("SLUICE_HTTP__LISTEN", "127.0.0.1:0")
        .env("SLUICE_ADMIN__LISTEN", "127.0.0.1:0")
        .start();
    let status = second.wait_for_exit(PATIENCE);
    assert_eq!(status.code(), Some(1), "{}", second.log());
    assert!(
        second.log().contains(&folder.path().display().to_string()),
        "{}",
        second.log()
    );
    assert!(first.process.exited().is_none());
}

#[test]
fn a_wrong_setting_ends_with_64_and_one_line() {
    let process = testkit::Launch::new("wrong", crate::sluice::binary())
        .arg("standalone")
        .env("SLUICE_HTTP__MAX_BODY", "16")
        .start();
    assert_eq!(process.wait_for_exit(PATIENCE).code(), Some(64));
    let log = process.log();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.contains("SLUICE_HTTP__MAX_BODY") && log.contains("16MiB"),
        "{log}"
    );
}
