//! Records that cannot be decoded.

use super::*;
use crate::fake::poison;

#[tokio::test(start_paused = true)]
async fn poison_goes_to_the_dead_letters_as_it_came_and_good_records_to_the_store() {
    let mut setup = Setup::new(by_series(2), |_, _| Answer::Take);
    setup.bury_failures = 6;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(2, 10);
        world.event(records([
            record(2, 10, &[("a", &[1])]),
            poison(2, 11),
            record(2, 12, &[("a", &[2])]),
        ]));
        world.until("commit", all_committed(&[(2, 13)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!((ledger.consumed, ledger.written), (2, 2));
    assert_eq!((ledger.dead_lettered, ledger.records_dead_lettered), (0, 1));
    let state = world.state();
    let [letter] = state.dead.as_slice() else {
        panic!("{} letters", state.dead.len());
    };
    let original = poison(2, 11);
    assert_eq!(letter.value, original.value);
    assert_eq!(letter.key, original.key);
    assert_eq!(letter.content_type, original.content_type);
    assert_eq!(letter.source, original.source);
    assert_eq!(letter.source_topic, "metrics");
    assert_eq!((letter.source_partition, letter.source_offset), (2, 11));
    assert_eq!(letter.store, "main");
    assert_eq!(letter.reason, "protobuf_invalid");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_committed_past_poison_that_is_not_buried() {
    let mut setup = Setup::new(by_series(1), |_, _| Answer::Take);
    setup.bury_failures = usize::MAX;
    setup.config.shutdown_timeout = Period::secs(2);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([
            record(0, 0, &[("a", &[1])]),
            poison(0, 1),
            record(0, 2, &[("a", &[2])]),
        ]));
        world
            .until("writes", |state| state.written.len() == 2)
            .await;
        tokio::time::sleep(Duration::from_secs(300)).await;
    });
    let report = report.await.unwrap();
    assert_eq!(report.late, ["a dead letter"]);
    assert_eq!(world.state().committed().get(&0), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_partition_full_of_poison_is_buried_in_order_of_reading() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records((0..1000).map(|offset| poison(0, offset))));
        world.until("commit", all_committed(&[(0, 1000)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!(ledger.records_dead_lettered, 1000);
    assert_eq!(world.state().dead.len(), 1000);
}
