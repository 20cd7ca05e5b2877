//! A record between the upstream and the spool: what its neighbours, and whoever gives it up, do to it.

use futures::future::FutureExt as _;

use super::*;

#[tokio::test]
async fn a_record_that_is_confirmed_after_its_neighbour_tripped_the_part_is_not_sent_again() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Silent);
    let [first, second] = [0, 1].map(|number| spool.spooled.publish(record("cpu", number)));
    // Both are copied to the spool now, and nobody has asked for the second one.
    assert_eq!(first.await, Ok(Durability::Spool));
    bench.upstream.set(Mood::Fine);
    assert_eq!(second.await, Ok(Durability::Kafka));
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("cpu"), [0, 1]);
    spool.close().await;
}

#[tokio::test]
async fn a_record_that_nobody_waits_for_any_more_holds_nothing_up() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Silent);
    // Before it was asked for, while the upstream is waited for, and while the spool is.
    drop(spool.spooled.publish(record("cpu", 0)));
    let mut answer = Box::pin(spool.spooled.publish(record("cpu", 1)));
    assert_eq!((&mut answer).now_or_never(), None);
    drop(answer);
    let mut answer = Box::pin(spool.spooled.publish(record("cpu", 2)));
    assert_eq!((&mut answer).now_or_never(), None);
    tokio::time::sleep(bench.config.after.0 * 2).await;
    // Its part is tripped; whether the disk was faster does not matter.
    drop((&mut answer).now_or_never());
    drop(answer);
    let shared = &spool.spooled.0;
    assert_eq!(shared.fresh_bytes.load(Ordering::Relaxed), 0);

    bench.upstream.set(Mood::Fine);
    spool.drained().await;
    assert!(!shared.late.is_expecting());
    assert_eq!(spool.publish("cpu", 3).await, Ok(Durability::Kafka));
    let numbers = bench.upstream.numbers("cpu");
    let distinct: BTreeMap<u64, ()> = numbers.iter().map(|number| (*number, ())).collect();
    assert_eq!(distinct.into_keys().collect::<Vec<_>>(), [0, 1, 2, 3]);
    spool.close().await;
}
