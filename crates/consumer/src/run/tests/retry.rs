//! Passing failures: the same batch again, later.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_batch_is_written_again_until_the_store_takes_it() {
    let setup = Setup::new(by_series(1), |_, attempt| match attempt {
        0..12 => Answer::Retry(None),
        _ => Answer::Take,
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 1);
    let state = world.state();
    let waits: Vec<u128> = state
        .attempts
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).as_millis())
        .collect();
    assert_eq!(waits.len(), 12);
    for (number, wait) in waits.iter().enumerate() {
        let full = (100_u128 << number).min(30_000);
        assert!(
            (full / 2..=full + 5).contains(wait),
            "wait {number}: {wait}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_is_left_alone_as_long_as_it_asks() {
    let setup = Setup::new(by_series(1), |_, attempt| match attempt {
        0 => Answer::Retry(Some(Duration::from_secs(90))),
        _ => Answer::Take,
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.assign(1, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world
            .until("an attempt", |state| !state.attempts.is_empty())
            .await;
        // A rebalance looks at the batch that waits, but does not shorten its wait.
        let (handover, done) = buffer::Handover::new();
        world.event(Event::Revoked {
            partitions: vec![1],
            handover,
        });
        done.await.unwrap();
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    report.await.unwrap();
    let state = world.state();
    let wait = state.attempts[1].0 - state.attempts[0].0;
    assert!(wait >= Duration::from_secs(90), "{wait:?}");
    assert!(wait <= Duration::from_secs(100), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_partition_waits_until_the_store_can_start_with_it() {
    let mut setup = Setup::new(by_series(1), |_, _| Answer::Take);
    setup.resume_failures = 5;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 3);
        world.event(records([record(0, 3, &[("a", &[1])])]));
        world
            .until("some tries", |state| state.resumed.len() >= 3)
            .await;
        assert!(world.state().attempts.is_empty());
        world.event(records([record(0, 4, &[("a", &[2])])]));
        world.until("commit", all_committed(&[(0, 5)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 2);
    let state = world.state();
    assert_eq!(state.resumed, [(0, 3); 6]);
    assert!(state.written.is_sorted());
}
