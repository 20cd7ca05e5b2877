//! The clients that people use send StatsD, told nothing but where to, and every sum is right.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::python::interpreter;
use testkit::{eventually, free_port};

use crate::sluice::{PATIENCE, Sluice};

/// A standalone that takes all four ways, after the clients have sent.
fn sent(folder: &Path, distributions: &str) -> Sluice {
    let data_dir = folder.join("data").display().to_string();
    let (udp, tcp) = (free_port(), free_port());
    let datagram = folder.join("dsd.socket").display().to_string();
    let stream = folder.join("stream.socket").display().to_string();
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_STATSD__LISTEN", &format!("127.0.0.1:{udp}")),
            ("SLUICE_STATSD__TCP_LISTEN", &format!("127.0.0.1:{tcp}")),
            ("SLUICE_STATSD__UNIX_DATAGRAM", &datagram),
            ("SLUICE_STATSD__UNIX_STREAM", &stream),
            ("SLUICE_STATSD__FLUSH_INTERVAL", "500ms"),
            ("SLUICE_STATSD__GATEWAY", "gw-1"),
            ("SLUICE_STATSD__DISTRIBUTIONS", distributions),
        ],
    );
    let script = testkit::repository().join("crates/e2e/tests/it/push_statsd.py");
    let output = Command::new(interpreter())
        .arg(script)
        .args([udp.to_string(), tcp.to_string(), datagram, stream])
        .output()
        .expect("python runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    sluice
}

/// The values of a metric's only series, oldest first.
fn values(sluice: &Sluice, name: &str, labels: &[(&str, &str)]) -> anyhow::Result<Vec<f64>> {
    let mut path = format!("/api/v1/recent/samples?limit=100000&metric_name={name}");
    for (label, value) in labels {
        path += &format!("&label={label}:{value}");
    }
    let shown = sluice.get(&path)?;
    let rows = shown["samples"].as_array().cloned().unwrap_or_default();
    let labels = |row: &Value| row["labels"].to_string();
    anyhow::ensure!(
        rows.windows(2)
            .all(|two| labels(&two[0]) == labels(&two[1])),
        "more than one series: {shown}"
    );
    Ok(rows
        .iter()
        .filter_map(|row| row["value"].as_f64())
        .collect())
}

async fn last(sluice: &Sluice, name: &str, labels: &[(&str, &str)], expected: f64) {
    eventually(PATIENCE, async || {
        let found = values(sluice, name, labels).map_err(|error| error.to_string())?;
        // A sum of floats is as good as their order.
        if found
            .last()
            .is_some_and(|last| (last - expected).abs() < 1e-9)
        {
            Ok(())
        } else {
            Err(format!("{name}: {:?} is not {expected}", found.last()))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_by_every_way_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = sent(folder.path(), "classic");
    let gateway = ("gateway", "gw-1");
    for prefix in ["shop", "tcp", "unix"] {
        last(&sluice, &format!("{prefix}.orders"), &[gateway], 500.0).await;
        last(&sluice, &format!("{prefix}.queue"), &[gateway], 15.0).await;
        last(&sluice, &format!("{prefix}.piped"), &[gateway], 50.0).await;
        last(
            &sluice,
            &format!("{prefix}.latency_count"),
            &[gateway],
            10.0,
        )
        .await;
        last(&sluice, &format!("{prefix}.latency_sum"), &[gateway], 3.2).await;
        last(
            &sluice,
            &format!("{prefix}.latency_bucket"),
            &[("le", "0.25")],
            0.0,
        )
        .await;
        last(
            &sluice,
            &format!("{prefix}.latency_bucket"),
            &[("le", "0.5")],
            10.0,
        )
        .await;
        let users = values(&sluice, &format!("{prefix}.users"), &[gateway]).unwrap();
        assert!(users.contains(&2.0), "{users:?}");
    }
    let tags = [
        gateway,
        ("env", "prod"),
        ("team", "a:b"),
        ("urgent", "true"),
    ];
    for prefix in ["", "packed.", "local."] {
        last(&sluice, &format!("{prefix}dd.hits"), &tags, 300.0).await;
        last(&sluice, &format!("{prefix}dd.temp"), &tags, 21.5).await;
        last(&sluice, &format!("{prefix}dd.size_sum"), &tags, 6.0).await;
        last(&sluice, &format!("{prefix}dd.dist_count"), &tags, 3.0).await;
        last(&sluice, &format!("{prefix}dd.took_sum"), &tags, 6.0).await;
        last(&sluice, &format!("{prefix}dd.past"), &tags[1..], 4.0).await;
        last(&sluice, &format!("{prefix}dd.then"), &tags[1..], 7.0).await;
        let users = values(&sluice, &format!("{prefix}dd.users"), &tags).unwrap();
        assert!(users.contains(&1.0), "{users:?}");
    }
    let metric = |name: &str, labels: &str| sluice.metric(name, labels).unwrap();
    assert_eq!(metric("sluice_gateway_ignored_total", "service_check"), 3.0);
    assert_eq!(metric("sluice_gateway_ignored_total", "\"event\""), 3.0);
    assert_eq!(metric("sluice_statsd_lines_rejected_total", ""), 0.0);
    assert_eq!(metric("sluice_statsd_kernel_drops_total", ""), 0.0);
    assert_eq!(
        metric("sluice_gateway_samples_rejected_total", "statsd"),
        0.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_just_before_the_end_is_in_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = sent(folder.path(), "native");
    sluice.process.terminate();
    let status = sluice.process.wait_for_exit(PATIENCE);
    assert!(status.success(), "{status}");
    assert!(!folder.path().join("dsd.socket").exists());
    let program = "
import sys, duckdb
rows = duckdb.execute(f\"\"\"
    SELECT metric, max(value), count(histogram)
    FROM read_parquet('{sys.argv[1]}/**/*.parquet', hive_partitioning = true)
    WHERE metric IN ('shop.orders', 'shop.latency', 'dd.hits') GROUP BY metric ORDER BY metric
\"\"\").fetchall()
print([(metric, value, histograms > 0) for metric, value, histograms in rows])
";
    let archive = folder.path().join("data/archive").display().to_string();
    assert_eq!(
        testkit::python::run(program, &[&archive]).trim(),
        "[('dd.hits', 300.0, False), ('shop.latency', None, True), ('shop.orders', 500.0, False)]"
    );
}
