//! The end of the process.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_in_memory_is_written_and_committed_before_the_end() {
    for lanes in [by_series(3), Lanes::ByPartition] {
        let mut setup = Setup::new(lanes, |_, _| Answer::TakeAfter(Duration::from_millis(100)));
        setup.batching.max_age = Duration::from_secs(3600);
        setup.batching.max_samples = 1000;
        setup.config.commit_interval = Period::secs(3600);
        let world = setup.world.clone();
        let report = setup.run(|world| async move {
            world.assign(0, 0);
            world.assign(1, 0);
            world.event(records((0..20).map(|offset| {
                record(
                    i32::from(offset % 2 == 1),
                    offset,
                    &[("a", &[offset]), ("b", &[offset])],
                )
            })));
            world
                .until("reading", |state| state.given.len() == 20)
                .await;
            assert!(world.state().attempts.is_empty());
        });
        let report = report.await.unwrap();
        assert_eq!(report.late, [] as [&str; 0]);
        assert_eq!((report.ledger.written, report.ledger.in_memory()), (40, 0));
        let state = world.state();
        assert_eq!(state.committed(), [(0, 19), (1, 20)].into());
        assert!(state.paused && state.closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_named_and_left() {
    let mut setup = Setup::new(Lanes::ByPartition, |batch, _| {
        let hangs = batch.items.iter().any(|item| item.source.partition == 1);
        if hangs { Answer::Hang } else { Answer::Take }
    });
    setup.config.shutdown_timeout = Period::secs(8);
    let world = setup.world.clone();
    let (stopped, ended) = (Arc::new(std::sync::OnceLock::new()), Instant::now);
    let at = Arc::clone(&stopped);
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.assign(1, 0);
        world.event(records([
            record(0, 0, &[("a", &[1])]),
            record(1, 0, &[("b", &[1])]),
        ]));
        world.until("reading", |state| state.given.len() == 2).await;
        at.set(Instant::now()).unwrap();
    });
    let report = report.await.unwrap();
    let took = ended() - *stopped.get().unwrap();
    assert!(took <= Duration::from_secs(8), "{took:?}");
    assert_eq!(report.late, ["a write of partition 1"]);
    assert_eq!(report.ledger.skipped, 1);
    let state = world.state();
    assert_eq!(state.committed(), [(0, 1)].into());
    assert!(state.closed);
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_during_the_shutdown_is_answered() {
    let setup = Setup::new(by_series(1), |_, _| {
        Answer::TakeAfter(Duration::from_secs(3))
    });
    let world = setup.world.clone();
    let (handover, done) = buffer::Handover::new();
    let later = world.clone();
    let revoke = async {
        later.until("the shutdown", |state| state.paused).await;
        later.event(Event::Revoked {
            partitions: vec![0],
            handover,
        });
        done.await.unwrap();
        assert_eq!(later.state().commits, [(0, 1)]);
    };
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world
            .until("a write", |state| !state.attempts.is_empty())
            .await;
    });
    let (report, ()) = tokio::join!(report, revoke);
    assert_eq!(report.unwrap().ledger.written, 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_pipeline_ends_at_once() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let started = Instant::now();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
    });
    report.await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
}
