//! What one lane cannot carry is carried by all, and no sample overtakes another one of its series.

use std::collections::BTreeMap;

use super::*;

/// A batch of ten takes so long.
const SLOW: Duration = Duration::from_millis(50);

/// A record of `m` with a sample of each of 40 series.
fn wide(offset: i64) -> buffer::Consumed {
    let names: Vec<String> = (0..40).map(|series| format!("s{series}")).collect();
    record_of_all(0, offset, &names, &[offset])
}

/// What is in flight at once at most, by the times of the attempts.
fn at_once(state: &State, from: Duration, started: Instant) -> usize {
    let mut counts: BTreeMap<Duration, usize> = BTreeMap::new();
    for (at, _) in &state.attempts {
        let since = at.duration_since(started);
        if since >= from {
            *counts.entry(since).or_default() += 1;
        }
    }
    counts.into_values().max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_too_much_for_one_lane_goes_to_all() {
    let setup = Setup::new(by_series(4), |_, _| Answer::TakeAfter(SLOW));
    let world = setup.world.clone();
    let started = Instant::now();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records((0..100).map(wide)));
        world.until("commit", all_committed(&[(0, 100)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 4000);
    let state = world.state();
    assert_order(&state);
    assert_eq!(state.written_set(), state.all_given());
    // 400 batches of 50 ms; the lanes' shares of 40 series are as chance has it.
    let took = started.elapsed();
    assert!(took < Duration::from_secs(14), "{took:?}");
    assert_eq!(at_once(&state, Duration::from_secs(1), started), 4);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_not_divided_while_some_of_it_is_in_flight() {
    // Long enough for the loop to look at a lane many times while it is busy.
    let setup = Setup::new(by_series(4), |_, _| Answer::TakeAfter(40 * SLOW));
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        for offset in 0..50 {
            world.event(records([wide(offset)]));
            tokio::time::sleep(2 * SLOW).await;
        }
        world.until("commit", all_committed(&[(0, 50)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 2000);
    assert_order(&world.state());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_one_lane_can_carry_stays_there() {
    let setup = Setup::new(by_series(4), |_, _| Answer::TakeAfter(SLOW));
    let world = setup.world.clone();
    let started = Instant::now();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        for offset in 0..50 {
            world.event(records([wide(offset)]));
            tokio::time::sleep(5 * SLOW).await;
        }
        world.until("commit", all_committed(&[(0, 50)])).await;
    });
    report.await.unwrap();
    let state = world.state();
    assert_eq!(at_once(&state, Duration::ZERO, started), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_whole_again_a_while_after_it_was_too_much() {
    let setup = Setup::new(by_series(4), |_, _| Answer::TakeAfter(SLOW));
    let world = setup.world.clone();
    let started = Instant::now();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.assign(1, 0);
        world.event(records((0..100).map(wide)));
        // Something of another name waits all the time.
        for offset in 0..400 {
            world.event(records([record_of(
                "other",
                1,
                offset,
                &[("o", &[offset])],
            )]));
            tokio::time::sleep(6 * SLOW).await;
        }
        world
            .until("commit", all_committed(&[(0, 100), (1, 400)]))
            .await;
        world.event(records([wide(100)]));
        world.until("commit", all_committed(&[(0, 101)])).await;
    });
    report.await.unwrap();
    let state = world.state();
    assert_order(&state);
    assert_eq!(state.written_set(), state.all_given());
    assert_eq!(at_once(&state, Duration::from_secs(1), started), 4);
    // The batches of the last record came one after the other.
    let last: Vec<Instant> = state
        .attempts
        .iter()
        .rev()
        .map(|(at, _)| *at)
        .take(4)
        .collect();
    assert!(
        last.is_sorted_by(|later, earlier| later > earlier),
        "{last:?}"
    );
}
