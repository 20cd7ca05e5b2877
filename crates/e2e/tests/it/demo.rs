//! The made-up fleet: every protocol of it is understood, and the ledger balances over what it does wrong.

use std::process::Command;

use testkit::{eventually, free_port};

use crate::sluice::{PATIENCE, Sluice, binary};

/// The rows of the report: who, and what was answered.
fn rows(report: &str) -> Vec<(&str, &str)> {
    report
        .lines()
        .skip_while(|line| !line.starts_with("sender"))
        .skip(1)
        .filter_map(|line| Some((line.get(..14)?.trim_end(), line.get(14..)?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_fleet_is_understood_but_for_the_sender_that_does_everything_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let statsd = format!("127.0.0.1:{}", free_port());
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_STATSD__LISTEN", &statsd),
            ("SLUICE_STATSD__FLUSH_INTERVAL", "1s"),
        ],
    );
    let output = Command::new(binary())
        .args(["demo", "--url", &sluice.url(""), "--statsd", &statsd])
        .args(["--hosts", "4", "--interval", "100ms", "--for", "4s"])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}{said}");

    let rows = rows(&report);
    assert_eq!(rows.len(), 7, "{report}");
    for (who, answers) in rows {
        let bad = ["× 4", "× 5", "without an answer"];
        let has_bad = bad.iter().any(|bad| answers.contains(bad));
        assert_eq!(has_bad, who == "an old script", "{report}");
    }

    // Packets are stored when the interval ends.
    eventually(PATIENCE, async || {
        let statsd = "protocol=\"statsd\"";
        let accepted = sluice.metric("sluice_gateway_samples_accepted_total", statsd);
        match accepted.unwrap() {
            0.0 => Err("no sample of StatsD"),
            _ => Ok(()),
        }
    })
    .await;
    let total = |name| sluice.metric(name, "").unwrap();
    let rejected = total("sluice_gateway_samples_rejected_total");
    assert!(rejected > 0.0);
    eventually(PATIENCE, async || {
        let received = total("sluice_gateway_samples_received_total");
        let accepted = total("sluice_gateway_samples_accepted_total");
        let written = sluice
            .metric("sluice_consumer_samples_consumed_total", "store=\"recent\"")
            .unwrap();
        if received == accepted + rejected && written == accepted {
            Ok(())
        } else {
            Err(format!(
                "{received} received, {accepted} accepted, {rejected} rejected, {written} seen"
            ))
        }
    })
    .await;
    for protocol in ["influx", "json", "otlp_http", "pushgateway", "text"] {
        let label = format!("protocol=\"{protocol}\"");
        let accepted = sluice.metric("sluice_gateway_samples_accepted_total", &label);
        assert!(accepted.unwrap() > 0.0, "{protocol}");
    }
    for reason in [
        "timestamp_in_seconds",
        "value_invalid",
        "metric_name_invalid",
        "labels_invalid",
    ] {
        let label = format!("reason=\"{reason}\"");
        let by_source = sluice.metric(
            "sluice_gateway_samples_rejected_by_source_total",
            &format!("source=\"legacy-01\",{label}"),
        );
        assert!(by_source.unwrap() > 0.0, "{reason}");
    }
}
