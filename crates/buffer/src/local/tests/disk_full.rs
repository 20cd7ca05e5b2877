//! A disk that fills up and gets room again: a small tmpfs, which only root can mount.

use super::*;
use crate::small_disk::SmallDisk;

#[tokio::test]
async fn a_full_disk_stops_the_log_and_room_starts_it_again_without_loss() {
    let Some(disk) = SmallDisk::mount(48 << 20) else {
        return;
    };
    let mut bench = Bench::new();
    bench.dir = disk.path().join("log");
    let log = bench.open();
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 24 << 20]).unwrap();

    let writer = log.writer();
    let mut acknowledged = Vec::new();
    let mut refused = None;
    for number in 0.. {
        match writer.publish(record(number, 100_000)).await {
            Ok(_) => acknowledged.push(number),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    assert!(
        matches!(&refused, Some(PublishError::Unconfirmed(reason)) if reason.contains("disk is full") || reason.contains("background")),
        "{refused:?}"
    );
    assert!(!bench.health.is_ready());
    assert!(writer.publish(record(0, 10)).await.is_err());

    std::fs::remove_file(&ballast).unwrap();
    testkit::eventually(Duration::from_secs(30), || {
        writer.publish(record(1_000_000, 10))
    })
    .await;
    assert!(bench.health.is_ready());

    // Everything acknowledged is there once and in order; the unconfirmed may be.
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    let mut seen = Vec::new();
    while seen.last() != Some(&1_000_000) {
        seen.extend(read(&mut reader, 1).await.iter().map(number_of));
    }
    let expected = acknowledged.len();
    assert_eq!(seen[..expected], acknowledged);
    assert!(
        seen.len() <= expected + 2,
        "{} records, {expected} acknowledged",
        seen.len()
    );
}
