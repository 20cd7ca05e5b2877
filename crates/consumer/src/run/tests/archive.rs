//! Stores whose batches are the borders of commits.

use std::collections::BTreeSet;

use super::*;
use crate::fake::poison;

#[tokio::test(start_paused = true)]
async fn commits_lie_on_the_borders_of_batches_of_whole_records() {
    let setup = Setup::new(Lanes::ByPartition, |_, attempt| match attempt % 3 {
        0 => Answer::Retry(None),
        _ => Answer::Take,
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.assign(1, 100);
        for offset in 0..40 {
            let series: &[(&str, &[i64])] = match offset % 3 {
                0 => &[("a", &[1, 2, 3]), ("b", &[1])],
                1 => &[("a", &[4])],
                _ => &[("a", &[5, 6]), ("b", &[2]), ("c", &[1])],
            };
            world.event(records([
                record(0, offset, series),
                record(1, 100 + offset, series),
            ]));
        }
        let ends = [(0, 40), (1, 140)];
        world.until("commits", all_committed(&ends)).await;
    });
    report.await.unwrap();
    let state = world.state();
    let mut borders = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for batch in &state.batches {
        let partitions: BTreeSet<i32> = batch.iter().map(|(partition, _)| *partition).collect();
        assert_eq!(partitions.len(), 1, "a batch mixes partitions");
        assert!(batch.is_sorted());
        for place in batch {
            assert!(seen.insert(*place), "{place:?} is in two batches");
        }
        let (partition, last) = batch[batch.len() - 1];
        borders.insert((partition, last + 1));
    }
    let commits: BTreeSet<_> = state.commits.iter().copied().collect();
    assert!(commits.is_subset(&borders), "{commits:?} {borders:?}");
    assert!(commits.len() > 4);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_committed_at_once() {
    let mut setup = Setup::new(Lanes::ByPartition, |_, _| Answer::Take);
    setup.config.commit_interval = Period::secs(3600);
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        let started = Instant::now();
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
        assert!(started.elapsed() < Duration::from_secs(2));
    });
    report.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_some_batches_are_written_ahead_of_their_commit() {
    let setup = Setup::new(Lanes::ByPartition, |_, _| Answer::Take);
    let world = setup.world.clone();
    for _ in 0..30 {
        let failure = DrainError::Unavailable("later".to_owned());
        world.state().commit_failures.push_back(failure);
    }
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        for offset in 0..20 {
            let times: Vec<i64> = (0..10).collect();
            world.event(records([record(0, offset, &[("a", &times)])]));
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(world.state().batches.len(), 4);
        assert!(world.state().commits.is_empty());
        world.until("commit", all_committed(&[(0, 20)])).await;
    });
    report.await.unwrap();
    assert_eq!(world.state().batches.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn poison_between_batches_is_committed_with_the_one_before() {
    let setup = Setup::new(Lanes::ByPartition, |_, _| Answer::Take);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([
            record(0, 0, &[("a", &[1])]),
            poison(0, 1),
            record(0, 2, &[]),
        ]));
        world.until("commit", all_committed(&[(0, 3)])).await;
    });
    report.await.unwrap();
    assert_eq!(world.state().dead.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_refused_goes_to_the_dead_letters_whole() {
    let setup = Setup::new(Lanes::ByPartition, |batch, _| {
        let bad = batch.items.iter().any(|item| item.source.offset == 3);
        if bad {
            Answer::Refuse("bad")
        } else {
            Answer::Take
        }
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records((0..8).map(|offset| {
            record(0, offset, &[("a", &[offset]), ("b", &[offset])])
        })));
        world.until("commit", all_committed(&[(0, 8)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!((ledger.written, ledger.dead_lettered), (14, 2));
    let state = world.state();
    assert_eq!(state.dead.len(), 1);
    assert_eq!(state.dead[0].source_offset, 3);
    for batch in &state.batches {
        assert!(!batch.iter().any(|(_, offset)| *offset == 3));
    }
}

#[tokio::test(start_paused = true)]
async fn poison_that_cannot_be_buried_lets_no_more_batches_be_written_than_the_store_remembers() {
    let mut setup = Setup::new(Lanes::ByPartition, |_, _| Answer::Take);
    setup.bury_failures = 40;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        let times: Vec<i64> = (0..10).collect();
        world.assign(0, 0);
        world.event(records([poison(0, 0)]));
        for offset in 1..20 {
            world.event(records([record(0, offset, &[("a", &times)])]));
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(world.state().batches.len(), 4);
        assert!(world.state().commits.is_empty());
        world.until("commit", all_committed(&[(0, 20)])).await;
    });
    report.await.unwrap();
    assert_eq!(world.state().batches.len(), 19);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_committed_inside_a_written_batch_while_poison_in_it_cannot_be_buried() {
    let mut setup = Setup::new(Lanes::ByPartition, |_, _| Answer::Take);
    setup.bury_failures = 20;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
        world.event(records([
            record(0, 1, &[("a", &[2])]),
            poison(0, 2),
            record(0, 3, &[("a", &[3])]),
        ]));
        world.until("batch", |state| state.batches.len() == 2).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        world.until("commit", all_committed(&[(0, 4)])).await;
    });
    report.await.unwrap();
    assert_eq!(world.state().commits, [(0, 1), (0, 4)]);
}
