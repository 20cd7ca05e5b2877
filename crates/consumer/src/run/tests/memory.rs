//! The bound in bytes: reading pauses, and what is held always moves on.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const LIMIT: usize = 1 << 20;

/// Some 27 KiB in memory.
fn large(partition: i32, offset: i64) -> buffer::Consumed {
    let times: Vec<i64> = (offset * 1000..offset * 1000 + 1000).collect();
    record(partition, offset, &[("a", &times)])
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_pauses_reading_at_the_bound() {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let mut setup = Setup::new(by_series(2), move |_, _| {
        match gate.load(Ordering::SeqCst) {
            true => Answer::Take,
            false => Answer::Retry(None),
        }
    });
    setup.config.max_buffered = Size(LIMIT as u64);
    setup.config.retry_max = Period::secs(1);
    setup.batching.max_samples = 2000;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        for offset in 0..200 {
            world.event(records([large(0, offset)]));
        }
        world.until("a pause", |state| state.paused).await;
        tokio::time::sleep(Duration::from_secs(100)).await;
        {
            let state = world.state();
            let held = state.given.len();
            assert!(state.paused);
            // What a decoded point takes is less than 32 bytes.
            assert!((20..60).contains(&held), "{held} records of 200");
            assert!(state.commits.is_empty());
        }
        open.store(true, Ordering::SeqCst);
        world.until("commits", all_committed(&[(0, 200)])).await;
        assert!(!world.state().paused);
    });
    assert_eq!(report.await.unwrap().ledger.written, 200_000);
    assert!(world.state().pauses > 1);
}

#[tokio::test(start_paused = true)]
async fn rebalances_are_seen_while_reading_is_paused() {
    let mut setup = Setup::new(by_series(1), |_, _| Answer::Retry(None));
    setup.config.shutdown_timeout = Period::secs(1);
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        for offset in 0..200 {
            world.event(records([large(0, offset)]));
        }
        world.until("a pause", |state| state.paused).await;
        let (handover, done) = buffer::Handover::new();
        world.event(Event::Revoked {
            partitions: vec![0],
            handover,
        });
        done.await.unwrap();
        world.until("reading", |state| !state.paused).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!(ledger.skipped, ledger.consumed);
}

/// Lanes that would wait for an hour, and more of them than fit into memory.
async fn check_age_never_deadlocks(lanes: Lanes) {
    let mut setup = Setup::new(lanes, |_, _| Answer::Take);
    setup.config.max_buffered = Size(LIMIT as u64);
    setup.batching = Batching {
        max_samples: 1_000_000,
        max_bytes: 1 << 30,
        max_age: Duration::from_secs(3600),
    };
    let started = Instant::now();
    let report = setup.run(|world| async move {
        for partition in 0..50 {
            world.assign(partition, 0);
        }
        for offset in 0..3 {
            for partition in 0..50 {
                world.event(records([large(partition, offset)]));
            }
        }
        world
            .until("all is read", |state| state.given.len() == 150)
            .await;
        assert!(started.elapsed() < Duration::from_secs(60));
    });
    // What is left is written by the shutdown.
    assert_eq!(report.await.unwrap().ledger.written, 150_000);
}

#[tokio::test(start_paused = true)]
async fn partitions_that_wait_for_age_are_cut_early_before_they_fill_the_memory() {
    check_age_never_deadlocks(Lanes::ByPartition).await;
}

#[tokio::test(start_paused = true)]
async fn series_that_wait_for_age_are_cut_early_before_they_fill_the_memory() {
    check_age_never_deadlocks(by_series(7)).await;
}

#[tokio::test(start_paused = true)]
async fn one_record_larger_than_the_bound_gets_through() {
    let mut setup = Setup::new(Lanes::ByPartition, |_, _| Answer::Take);
    setup.batching.max_age = Duration::from_secs(3600);
    setup.batching.max_samples = 10_000_000;
    setup.batching.max_bytes = 1 << 30;
    let report = setup.run(|world| async move {
        let times: Vec<i64> = (0..100_000).collect();
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &times)])]));
        world.event(records([record(0, 1, &[("a", &[100_000])])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
        world.until("reading", |state| state.given.len() == 2).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 100_001);
}
