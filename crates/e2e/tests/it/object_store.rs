//! Old days of the archive move to S3, where others read them as a table.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{S3, eventually};

use crate::push::{self, Samples, now_ms, push};
use crate::sluice::{PATIENCE, Sluice};

const DAY_MS: i64 = 86_400_000;
const NAME: &str = "cpu_usage_percent";

/// Waits until so many files were written, so that each push is a batch of its own.
async fn files_written(sluice: &Sluice, files: f64) {
    eventually(PATIENCE, async || {
        let written = sluice.metric("sluice_store_archive_files_total", "archive");
        match written.map_err(|error| error.to_string())? {
            written if written >= files => Ok(()),
            written => Err(format!("{written} of {files} files")),
        }
    })
    .await;
}

async fn moves(sluice: &Sluice, outcome: &str) {
    eventually(PATIENCE, async || {
        let moves = sluice.metric("sluice_store_archive_moves_total", outcome);
        match moves.map_err(|error| error.to_string())? {
            0.0 => Err(sluice.process.log()),
            _ => Ok(()),
        }
    })
    .await;
}

fn stop(sluice: Sluice) -> Sluice {
    sluice.process.terminate();
    let status = sluice.process.wait_for_exit(PATIENCE);
    assert!(status.success(), "{}", sluice.process.log());
    sluice.again()
}

fn day_folders(archive: &Path) -> usize {
    let entries = std::fs::read_dir(archive).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    let days = names.filter(|name| name.to_string_lossy().starts_with("date="));
    days.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_days_become_a_table_on_s3_and_leave_the_disk_and_wait_for_a_server_that_is_away() {
    let mut server = S3::start();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let (url, endpoint) = (
        format!("s3://{}/archive", server.bucket()),
        server.endpoint(),
    );
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", data_dir.as_str()),
            ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "100ms"),
            ("SLUICE_STORES__ARCHIVE__RETENTION", "72h"),
            ("SLUICE_STORES__ARCHIVE__OBJECT_STORE__URL", url.as_str()),
            (
                "SLUICE_STORES__ARCHIVE__OBJECT_STORE__ENDPOINT",
                endpoint.as_str(),
            ),
            (
                "SLUICE_STORES__ARCHIVE__OBJECT_STORE__ACCESS_KEY_ID",
                S3::ACCESS_KEY_ID,
            ),
            (
                "SLUICE_STORES__ARCHIVE__OBJECT_STORE__SECRET_ACCESS_KEY",
                S3::SECRET_ACCESS_KEY,
            ),
        ],
    );
    let now = now_ms();
    // Five days ago, two days ago; and as many batches of today as make those final.
    let mut old = Samples::new();
    let mut files = 0.0;
    for number in 0..20_i64 {
        let at_ms = match number {
            0 => now - 5 * DAY_MS,
            1 => now - 2 * DAY_MS,
            _ => now + number,
        };
        let labels = [("host".to_owned(), format!("web-{number}"))].into();
        let sample = ((NAME.to_owned(), labels, at_ms), number as f64);
        let body = push::batch([(&sample.0, &sample.1)]);
        push(&sluice.url("/metrics"), &body).await.unwrap();
        files += 1.0;
        files_written(&sluice, files).await;
        if number < 2 {
            old.insert(sample.0, sample.1);
        }
    }
    let archive = folder.path().join("archive");
    let days = day_folders(&archive);

    // The server is away: everything stays, and what is pushed is taken all the same.
    server.kill();
    let sluice = stop(sluice);
    moves(&sluice, "failed").await;
    assert_eq!(day_folders(&archive), days);
    let body = json!({"metrics": [{"metric_name": NAME, "timestamp": now, "value": 1.0, "labels": {"host": "web-99"}}]});
    push(&sluice.url("/metrics"), &body).await.unwrap();

    server.restart();
    let sluice = stop(sluice);
    moves(&sluice, "done").await;
    let rows: Value = serde_json::from_str(&server.read_table("archive")).unwrap();
    assert_eq!(push::samples(&rows).unwrap(), old);
    assert_eq!(
        rows[0]["date"].as_str().map(str::len),
        Some("2026-11-21".len())
    );
    // The older of the two days has left the disk.
    assert_eq!(day_folders(&archive), days - 1);

    // Killed and started again, nothing is sent a second time.
    sluice.process.kill();
    let sluice = sluice.again();
    moves(&sluice, "done").await;
    let rows: Value = serde_json::from_str(&server.read_table("archive")).unwrap();
    assert_eq!(push::samples(&rows).unwrap(), old);
    let moved = sluice.metric("sluice_store_archive_object_files_total", "moved");
    assert_eq!(moved.unwrap(), 0.0);
}
