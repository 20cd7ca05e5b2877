//! How far a replay is.

use std::collections::BTreeMap;

use super::{Positions, Span};

fn positions() -> Positions {
    let span = |partition, from, to| Span {
        partition,
        from,
        to,
    };
    Positions::new(&[span(0, 100, 200), span(1, 0, 10)], &BTreeMap::new())
}

#[test]
fn what_is_read_but_not_in_the_store_is_read_again() {
    let positions = positions();
    positions.handed_on(0, 149);
    assert_eq!(positions.next()[&0], 100);
    positions.committed(0, 120);
    assert_eq!(positions.next()[&0], 120);
    assert_eq!(positions.progress(), (20, 110));
    positions.committed(0, 150);
    assert_eq!(positions.next()[&0], 150);
}

#[test]
fn what_is_skipped_is_done_once_what_came_before_is_in_the_store() {
    let positions = positions();
    positions.handed_on(0, 110);
    positions.skipped(0, 150);
    assert_eq!(positions.next()[&0], 100);
    positions.committed(0, 111);
    assert_eq!(positions.next()[&0], 151);
}

#[tokio::test]
async fn it_is_done_when_every_partition_is_read_and_in_the_store() {
    let positions = positions();
    positions.ended(1);
    positions.handed_on(0, 199);
    positions.ended(0);
    assert!(!positions.is_done());
    let (done, ()) = tokio::join!(positions.done(), async {
        tokio::task::yield_now().await;
        positions.committed(0, 200);
    });
    assert_eq!(done, ());
    assert_eq!(positions.progress(), (110, 110));
}

#[test]
fn it_goes_on_where_it_was() {
    let span = Span {
        partition: 0,
        from: 100,
        to: 200,
    };
    let positions = Positions::new(&[span], &[(0, 150)].into());
    assert_eq!(positions.progress(), (50, 100));
    assert_eq!(positions.next()[&0], 150);
}

#[test]
fn a_replay_of_nothing_is_done() {
    assert!(Positions::new(&[], &BTreeMap::new()).is_done());
}
