//! The spool's disk fails: whoever can be served is, and everybody hears why.

use super::*;
use crate::small_disk::SmallDisk;

/// Begins with its number; compression makes nothing of the rest.
fn large(number: u64) -> Record {
    let mut record = record("large", number);
    let mut state = number;
    let noise: Vec<u8> = (0..100_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect();
    record.tenant = None;
    record.value = [number.to_be_bytes().as_slice(), &noise].concat().into();
    record
}

fn number(record: &Record) -> u64 {
    u64::from_be_bytes(*record.value.first_chunk().unwrap())
}

#[tokio::test]
async fn a_full_disk_refuses_with_a_sentence_and_goes_on_when_there_is_room_or_kafka() {
    let Some(disk) = SmallDisk::mount(48 << 20) else {
        return;
    };
    let bench = Bench::at(disk.path().join("spool"), tempfile::tempdir().unwrap());
    let spool = bench.open().await;
    let _condition = spool.spooled.upstream_condition("no broker answers");
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 24 << 20]).unwrap();
    bench.upstream.set(Mood::Failing);
    let mut taken = Vec::new();
    let error = loop {
        let number = taken.len() as u64;
        match spool.spooled.publish(large(number)).await {
            Ok(_) => taken.push(number),
            Err(error) => break error,
        }
    };
    assert!(
        error.to_string().contains("timed out"),
        "it says what kafka said: {error}"
    );
    eventually(PATIENCE, async || match bench.health.reasons().as_slice() {
        [("buffer", reason)] if reason.contains("no broker answers; spool:") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    eventually(PATIENCE, async || {
        match spool.spooled.publish(large(1_000_000)).await {
            Err(error) if error.to_string().contains("disk is full") => Ok(()),
            other => Err(format!("{other:?} {}", spool.spooled.log().size_bytes())),
        }
    })
    .await;

    // Kafka is back before there is room: it is found out, though nothing can be put into the spool.
    bench.upstream.set(Mood::Fine);
    eventually(PATIENCE, async || match spool.publish("cpu", 1).await {
        Ok(Durability::Kafka) => Ok(()),
        other => Err(other),
    })
    .await;

    std::fs::remove_file(&ballast).unwrap();
    spool.drained().await;
    let delivered = bench.upstream.delivered();
    let large = delivered.iter().filter(|record| record.key == "large");
    let mut numbers: Vec<u64> = large.map(number).collect();
    numbers.retain(|number| taken.contains(number));
    assert_eq!(numbers, taken);
    eventually(PATIENCE, async || match bench.health.is_ready() {
        true => Ok(()),
        false => Err(bench.health.reasons()),
    })
    .await;
}
