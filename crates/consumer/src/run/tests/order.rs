//! Order per series, and commits behind writes, whatever the store does in between.

use super::*;

/// A store that fails in a pattern of its own, from the seed.
fn moody(seed: usize) -> impl Fn(&store::Batch, usize) -> Answer + Send + Sync {
    move |_, attempt| match (attempt * 7 + seed * 13) % 11 {
        0..4 => Answer::Retry(None),
        4..6 => Answer::TakeAfter(Duration::from_millis(70)),
        _ => Answer::Take,
    }
}

async fn check(lanes: Lanes, seed: usize) {
    let setup = Setup::new(lanes, moody(seed));
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        for partition in 0..4 {
            world.assign(partition, 0);
        }
        for offset in 0..50 {
            let names = ["a", "b", "c", "d", "e"];
            let times = [offset * 10, offset * 10 + 1];
            world.event(records((0..4).map(|partition| {
                let named: Vec<String> = names
                    .iter()
                    .map(|name| format!("{name}{partition}"))
                    .collect();
                record_of_all(partition, offset, &named, &times)
            })));
            if offset % 10 == 0 {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        let ends = [(0, 50), (1, 50), (2, 50), (3, 50)];
        world.until("commits", all_committed(&ends)).await;
    });
    let report = report.await.unwrap();
    assert_eq!(report.ledger.written, 4 * 50 * 10);
    assert_eq!(report.ledger.in_memory(), 0);
    let state = world.state();
    assert_order(&state);
    assert_eq!(state.written_set(), state.all_given());
}

#[tokio::test(start_paused = true)]
async fn series_stay_in_order_and_commits_behind_writes_in_series_lanes() {
    for seed in 0..8 {
        check(by_series(3), seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn series_stay_in_order_and_commits_behind_writes_in_partition_lanes() {
    for seed in 0..8 {
        check(Lanes::ByPartition, seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_lane_holds_up_its_partitions_commit_but_not_other_lanes() {
    // The lane of the metric with series `a` never answers; the frontier may not pass its first record.
    let setup = Setup::new(by_series(64), |batch, _| {
        let slow = batch
            .items
            .iter()
            .any(|item| item.view().labels().any(|label| label == ("s", "a")));
        if slow { Answer::Hang } else { Answer::Take }
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([
            record_of("metric_b", 0, 0, &[("b", &[1])]),
            record_of("metric_a", 0, 1, &[("a", &[1])]),
            record_of("metric_c", 0, 2, &[("c", &[1])]),
            record_of("metric_d", 0, 3, &[("d", &[1])]),
            record_of("metric_e", 0, 4, &[("e", &[1])]),
        ]));
        world
            .until("writes", |state| state.written.len() >= 3)
            .await;
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    let report = report.await.unwrap();
    assert_eq!(world.state().commits, [(0, 1)]);
    assert_eq!(report.late.len(), 1);
    assert_eq!(report.ledger.in_memory(), 0);
}

#[tokio::test(start_paused = true)]
async fn commits_are_coalesced() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let world = setup.world.clone();
    let started = Instant::now();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        for offset in 0..400 {
            world.event(records([record(0, offset, &[("a", &[offset])])]));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.until("commits", all_committed(&[(0, 400)])).await;
    });
    report.await.unwrap();
    let commits = world.state().commits.len();
    let seconds = started.elapsed().as_secs();
    assert!(commits as u64 <= seconds + 2, "{commits} in {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_is_tried_again_and_one_lost_partition_does_not_stop_the_others() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let world = setup.world.clone();
    world.state().commit_failures.extend([
        DrainError::Unavailable("later".to_owned()),
        DrainError::NotOwned(1),
    ]);
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.assign(1, 0);
        world.event(records([
            record(0, 0, &[("a", &[1])]),
            record(1, 0, &[("b", &[1])]),
        ]));
        world
            .until("commits", all_committed(&[(0, 1), (1, 1)]))
            .await;
    });
    report.await.unwrap();
    let state = world.state();
    // Without partition 1 first, then with it.
    assert_eq!(state.commits, [(0, 1), (1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_series_longer_than_a_batch_is_cut() {
    let setup = Setup::new(by_series(1), |batch, _| {
        assert!(batch.samples() <= 10, "{} samples", batch.samples());
        Answer::Take
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        let times: Vec<i64> = (0..95).collect();
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &times)])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 95);
    let state = world.state();
    assert!(state.written.is_sorted());
    assert_eq!(state.written_set(), state.all_given());
}

#[tokio::test(start_paused = true)]
async fn much_is_decoded_beside_the_loop_in_order() {
    let setup = Setup::new(by_series(2), |_, _| Answer::Take);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        let times: Vec<i64> = (0..10_000).map(|at| at + 1_700_000_000_000).collect();
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &times)])]));
        world.event(records([record(0, 1, &[("a", &[1_800_000_000_000])])]));
        world.until("commit", all_committed(&[(0, 2)])).await;
    });
    report.await.unwrap();
    let state = world.state();
    assert!(
        state.given_bytes > 64 << 10,
        "too little to be decoded beside"
    );
    assert!(state.written.is_sorted());
    assert_eq!(state.written.len(), 10_001);
}

#[tokio::test(start_paused = true)]
async fn a_slow_read_is_not_cut_off_by_the_writes_that_end_meanwhile() {
    let mut setup = Setup::new(by_series(8), |_, _| {
        Answer::TakeAfter(Duration::from_millis(10))
    });
    setup.batching.max_samples = 1;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        let times: Vec<i64> = (0..500).collect();
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &times), ("b", &times)])]));
        world.until("reading", |state| state.given.len() == 1).await;
        // Writes end every 10 ms for some seconds.
        world.state().read_takes = Duration::from_millis(200);
        world.event(records([record(0, 1, &[("c", &[1])])]));
        world.event(records([record(0, 2, &[("c", &[2])])]));
        world.until("reading", |state| state.given.len() == 3).await;
        assert!(world.state().written.len() < 200);
        world.until("commit", all_committed(&[(0, 3)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 1002);
    assert_eq!(world.state().written_set().len(), 1002);
}
