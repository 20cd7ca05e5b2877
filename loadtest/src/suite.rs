//! Starts each kind of gateway, loads it, stops it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use testkit::{Kafka, KafkaOptions, Launch, Process, free_port};

use crate::Load;
use crate::report::Row;
use crate::run::measure;

const START: Duration = Duration::from_secs(60);

/// Standalone with its embedded log and archive, then a gateway alone in front of a real Kafka.
pub(crate) async fn run(binary: &Path, load: &Load) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let folder = tempfile::tempdir()?;
    let data_dir = folder.path().display().to_string();
    let (process, target) = start(binary, "standalone", &[("SLUICE_DATA_DIR", &data_dir)])?;
    rows.push(one("standalone, fsynced, archive on", &process, &target, load).await?);
    drop(process);

    let kafka = Kafka::start(&KafkaOptions::default());
    let brokers = kafka.brokers();
    for format in ["protobuf", "json"] {
        let topic = format!("load-{format}");
        let settings = [
            ("SLUICE_KAFKA__BROKERS", brokers.as_str()),
            ("SLUICE_KAFKA__TOPIC", &topic),
            ("SLUICE_KAFKA__PARTITIONS", "8"),
            ("SLUICE_KAFKA__REPLICATION", "1"),
            ("SLUICE_BUFFER__RECORD_FORMAT", format),
        ];
        let (process, target) = start(binary, "gateway", &settings)?;
        rows.push(
            one(
                &format!("gateway, Kafka acks=all, {format} records"),
                &process,
                &target,
                load,
            )
            .await?,
        );
    }
    Ok(rows)
}

fn start(
    binary: &Path,
    command: &str,
    settings: &[(&str, &str)],
) -> anyhow::Result<(Process, String)> {
    let binary = binary
        .canonicalize()
        .with_context(|| format!("{} is not built", binary.display()))?;
    let (http, admin) = (format!("127.0.0.1:{}", free_port()), free_port());
    let mut launch = Launch::new(command, binary)
        .arg(command)
        .env("SLUICE_HTTP__LISTEN", &http)
        .env("SLUICE_ADMIN__LISTEN", format!("127.0.0.1:{admin}"));
    for (key, value) in settings {
        launch = launch.env(key, value);
    }
    let process = launch.start();
    process.wait_until_ready(admin, "/readyz", START);
    Ok((process, http))
}

async fn one(name: &str, process: &Process, target: &str, load: &Load) -> anyhow::Result<Row> {
    eprintln!("{name} …");
    measure(name, target, Some(process.pid()), load).await
}
