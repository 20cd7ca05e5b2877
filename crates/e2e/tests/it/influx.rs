//! InfluxDB's own clients write unchanged, and every number arrives as it was written.
//!
//! Nothing is configured but address, port and credentials: version 2's Python client, and version 1's command.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::eventually;
use testkit::path_with;

use crate::push::{self, Samples, now_ms};
use crate::sluice::{PATIENCE, Sluice};

fn start(folder: &Path) -> Sluice {
    let data_dir = folder.display().to_string();
    Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_RECENT__MAX_POINTS", "1000"),
        ],
    )
}

/// Waits until exactly these samples are there.
async fn arrive(sluice: &Sluice, wanted: &Samples) {
    eventually(PATIENCE, async || {
        let shown = sluice
            .get("/api/v1/recent/samples?limit=100000")
            .map_err(|error| error.to_string())?;
        let shown = push::samples(&shown["samples"]).map_err(|error| error.to_string())?;
        if shown == *wanted {
            return Ok(());
        }
        let missing = wanted.iter().find(|(key, _)| !shown.contains_key(key));
        let unknown = shown.iter().find(|(key, _)| !wanted.contains_key(key));
        let (found, of) = (shown.len(), wanted.len());
        Err(format!(
            "{found} of {of} arrived; missing {missing:?}, unknown {unknown:?}"
        ))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn influxdb_client_writes_in_every_precision_batched_and_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = start(folder.path());
    let printed = testkit::python::run(include_str!("influx_client.py"), &[&sluice.url("")]);
    let written: Value = serde_json::from_str(&printed).expect("the script prints JSON");
    let written = push::samples(&written).expect("no sample is written twice");
    assert!(written.len() > 1700);
    arrive(&sluice, &written).await;
    let passed_over = sluice
        .metric("sluice_gateway_ignored_total", "kind=\"text\"")
        .unwrap();
    assert_eq!(passed_over, 4.0, "the notes");
}

/// Runs the `influx` command and answers what it printed.
fn influx(sluice: &Sluice, folder: &Path, args: &[&str]) -> String {
    let port = sluice.http_port().to_string();
    let output = Command::new("influx")
        .env("PATH", path_with(&["influx"]))
        .env("HOME", folder)
        .args(["-host", "127.0.0.1", "-port", &port])
        .args(["-username", "agent", "-password", "secret"])
        .args(args)
        .output()
        .expect("influx runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
    printed
}

#[tokio::test(flavor = "multi_thread")]
async fn the_influx_command_imports_and_inserts() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = start(&folder.path().join("data"));
    let now_s = now_ms() / 1000;
    let mut wanted = Samples::new();
    let mut expect = |name: &str, labels: &[(&str, &str)], at_ms: i64, value: f64| {
        let labels: BTreeMap<String, String> = labels
            .iter()
            .chain(&[("db", "plant")])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        wanted.insert((name.to_owned(), labels, at_ms), value);
    };
    for (precision, per_second) in [
        ("s", 1),
        ("ms", 1000),
        ("u", 1_000_000),
        ("ns", 1_000_000_000),
    ] {
        let mut text = String::from(
            "# DDL\nCREATE DATABASE plant\nCREATE RETENTION POLICY \"week\" ON \"plant\" DURATION 7d REPLICATION 1\n\
             # DML\n# CONTEXT-DATABASE: plant\n# CONTEXT-RETENTION-POLICY: week\n",
        );
        for number in 0..100_i64 {
            let at = (now_s - number) * per_second;
            text.push_str(&format!(
                "pump,site=hall\\ {number},unit={precision} pressure=2.5,rounds={number}i,state=\"ok\" {at}\n"
            ));
            let site = format!("hall {number}");
            let labels = [("site", site.as_str()), ("unit", precision)];
            let at_ms = (now_s - number) * 1000;
            expect("pump_pressure", &labels, at_ms, 2.5);
            #[expect(clippy::cast_precision_loss, reason = "at most 100")]
            expect("pump_rounds", &labels, at_ms, number as f64);
        }
        let path = folder.path().join(format!("points-{precision}.txt"));
        std::fs::write(&path, text).unwrap();
        let path = format!("-path={}", path.display());
        let precision = format!("-precision={precision}");
        let printed = influx(&sluice, folder.path(), &["-import", &path, &precision]);
        assert!(printed.contains("Processed 2 commands"), "{printed}");
        assert!(printed.contains("Processed 100 inserts"), "{printed}");
        assert!(printed.contains("Failed 0 inserts"), "{printed}");
    }
    let insert = format!("INSERT valve,side=left open=true {now_s}");
    let args = ["-database", "plant", "-precision", "s", "-execute", &insert];
    influx(&sluice, folder.path(), &args);
    expect("valve_open", &[("side", "left")], now_s * 1000, 1.0);
    arrive(&sluice, &wanted).await;
}
