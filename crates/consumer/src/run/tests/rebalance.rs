//! Partitions that go to other readers, and come back.

use std::sync::atomic::{AtomicBool, Ordering};

use buffer::Handover;

use super::*;

fn revoke(world: &World, partitions: &[i32]) -> tokio::sync::oneshot::Receiver<()> {
    let (handover, done) = Handover::new();
    world.event(Event::Revoked {
        partitions: partitions.to_vec(),
        handover,
    });
    done
}

fn full(partition: i32, offset: i64) -> buffer::Consumed {
    let times: Vec<i64> = (offset * 10..offset * 10 + 10).collect();
    let name = format!("a{partition}");
    record(partition, offset, &[(&name, &times)])
}

async fn check_a_write_in_flight_ends(lanes: Lanes) {
    let setup = Setup::new(lanes, |_, _| Answer::TakeAfter(Duration::from_secs(2)));
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([full(0, 0), full(0, 1), full(0, 2)]));
        world
            .until("a write", |state| state.attempts.len() == 1)
            .await;
        let done = revoke(&world, &[0]);
        done.await.unwrap();
        // What was in flight is committed when the partition goes; what waited is left.
        assert_eq!(world.state().commits, [(0, 1)]);
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let report = report.await.unwrap();
    assert_eq!(world.state().attempts.len(), 1);
    assert_eq!(world.state().commits, [(0, 1)]);
    let ledger = report.ledger;
    assert_eq!(
        (ledger.written, ledger.skipped, ledger.consumed),
        (10, 20, 30)
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_in_flight_ends_and_is_committed_before_the_handover() {
    check_a_write_in_flight_ends(by_series(1)).await;
    check_a_write_in_flight_ends(Lanes::ByPartition).await;
}

async fn check_a_hanging_write_is_left(lanes: Lanes) {
    let mut setup = Setup::new(lanes, |_, _| Answer::Hang);
    setup.config.shutdown_timeout = Period::secs(1);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([full(0, 0), full(0, 1)]));
        world
            .until("a write", |state| state.attempts.len() == 1)
            .await;
        let started = Instant::now();
        revoke(&world, &[0]).await.unwrap();
        assert!(started.elapsed() <= Duration::from_secs(5));
    });
    let ledger = report.await.unwrap().ledger;
    assert!(world.state().commits.is_empty());
    assert_eq!((ledger.consumed, ledger.skipped), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_write_does_not_hold_up_the_handover_for_ever() {
    check_a_hanging_write_is_left(by_series(1)).await;
    check_a_hanging_write_is_left(Lanes::ByPartition).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_for_its_next_try_lets_the_partition_go_at_once() {
    let setup = Setup::new(by_series(1), |batch, attempt| {
        let first = batch.items.iter().any(|item| item.source.partition == 0);
        if first || attempt < 3 {
            return Answer::Retry(Some(Duration::from_secs(60)));
        }
        Answer::Take
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.assign(1, 0);
        world.event(records([
            record(0, 0, &[("a", &[1, 2])]),
            record(1, 0, &[("b", &[1, 2, 3])]),
        ]));
        world
            .until("a write", |state| state.attempts.len() == 1)
            .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let started = Instant::now();
        revoke(&world, &[0]).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1));
        // The rest of the mixed batch is written without the samples that are another reader's.
        world.until("commit", all_committed(&[(1, 1)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!((ledger.written, ledger.skipped), (3, 2));
    let state = world.state();
    assert_eq!(state.committed().get(&0), None);
    assert_eq!(
        state
            .attempts
            .iter()
            .map(|attempt| attempt.1)
            .collect::<Vec<_>>(),
        [5, 3, 3, 3]
    );
}

async fn check_lost(lanes: Lanes) {
    let setup = Setup::new(lanes, |_, _| Answer::TakeAfter(Duration::from_millis(500)));
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.assign(1, 0);
        world.event(records([full(0, 0), full(0, 1), full(1, 0)]));
        world
            .until("a write", |state| !state.attempts.is_empty())
            .await;
        world.event(Event::Lost {
            partitions: vec![0],
        });
        world.until("commit", all_committed(&[(1, 1)])).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
    let ledger = report.await.unwrap().ledger;
    let state = world.state();
    assert_eq!(state.commits, [(1, 1)]);
    assert_eq!(ledger.in_memory(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_lost_partition_is_committed() {
    check_lost(by_series(1)).await;
    check_lost(Lanes::ByPartition).await;
}

async fn check_comes_back(lanes: Lanes) {
    let slow = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&slow);
    let setup = Setup::new(lanes, move |_, _| match flag.load(Ordering::SeqCst) {
        true => Answer::TakeAfter(Duration::from_secs(3)),
        false => Answer::Take,
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([full(0, 0), full(0, 1)]));
        world
            .until("a write", |state| !state.attempts.is_empty())
            .await;
        world.event(Event::Lost {
            partitions: vec![0],
        });
        world.assign(0, 0);
        slow.store(false, Ordering::SeqCst);
        // The buffer gives the records again, from the committed offset on.
        world.event(records([full(0, 0), full(0, 1), full(0, 2)]));
        world.until("commit", all_committed(&[(0, 3)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!(ledger.consumed, 50);
    assert_eq!(ledger.in_memory(), 0);
    let state = world.state();
    assert_eq!(state.resumed, [(0, 0), (0, 0)]);
    assert_eq!(state.written_set(), state.all_given());
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_comes_back_is_read_again_from_its_commit() {
    check_comes_back(by_series(1)).await;
    check_comes_back(Lanes::ByPartition).await;
}

#[tokio::test(start_paused = true)]
async fn an_assignment_without_a_revocation_replaces_the_one_before() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.in_memory(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_start_with_a_partition_does_not_keep_it() {
    let mut setup = Setup::new(Lanes::ByPartition, |_, _| Answer::Take);
    setup.resume_failures = usize::MAX;
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([full(0, 0)]));
        world.until("tries", |state| state.resumed.len() > 12).await;
        let started = Instant::now();
        revoke(&world, &[0]).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1));
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!((ledger.consumed, ledger.skipped), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn partitions_that_are_not_known_are_given_away_at_once() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let report = setup.run(|world| async move {
        revoke(&world, &[4, 5]).await.unwrap();
        world.event(Event::Lost {
            partitions: vec![6],
        });
        world.event(records([full(7, 0)]));
        world.assign(0, 0);
        world.event(records([full(0, 0)]));
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.consumed, 10);
}
