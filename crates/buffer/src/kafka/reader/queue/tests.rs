//! The order of what comes out, and the bound.

use std::collections::HashSet;

use bytes::Bytes;

use super::Queue;
use crate::{Consumed, DrainError, Event, Handover};

pub(in super::super) fn record(partition: i32, offset: i64) -> Consumed {
    Consumed {
        partition,
        offset,
        received_at_ms: 0,
        key: None,
        value: Bytes::from_static(b"0123456789"),
        content_type: None,
        tenant: None,
        source: None,
        spread: crate::Spread::default(),
        memo: crate::Memo::default(),
    }
}

const ONE_RECORD_BYTES: usize = 10 + super::RECORD_OVERHEAD_BYTES;

fn show(event: Option<Result<Event, DrainError>>) -> String {
    match event {
        None => "nothing".to_owned(),
        Some(Ok(Event::Records(records))) => records
            .iter()
            .map(|record| format!("{}@{}", record.partition, record.offset))
            .collect::<Vec<_>>()
            .join(" "),
        Some(Ok(Event::Assigned { partition, offset })) => format!("assigned {partition}@{offset}"),
        Some(Ok(Event::Revoked { partitions, .. })) => format!("revoked {partitions:?}"),
        Some(Ok(Event::Lost { partitions })) => format!("lost {partitions:?}"),
        Some(Ok(Event::Expired { from, to, .. })) => format!("expired {from}..{to}"),
        Some(Err(error)) => error.to_string(),
    }
}

fn assigned(partition: i32, offset: i64) -> Event {
    Event::Assigned { partition, offset }
}

#[test]
fn records_that_wait_come_together_and_in_order() {
    let queue = Queue::new("g", 1 << 20);
    queue.push_news(assigned(0, 5));
    for offset in 5..8 {
        queue.push_record(record(0, offset));
    }
    assert_eq!(show(queue.pop()), "assigned 0@5");
    assert_eq!(show(queue.pop()), "0@5 0@6 0@7");
    assert_eq!(show(queue.pop()), "nothing");
}

#[test]
fn news_overtake_the_records_of_others() {
    let queue = Queue::new("g", 1 << 20);
    queue.push_record(record(0, 5));
    queue.push_news(assigned(1, 0));
    assert_eq!(show(queue.pop()), "assigned 1@0");
    assert_eq!(show(queue.pop()), "0@5");
}

#[test]
fn after_its_revocation_a_partition_has_no_records() {
    let queue = Queue::new("g", 1 << 20);
    for offset in 0..3 {
        queue.push_record(record(0, offset));
        queue.push_record(record(1, offset));
    }
    queue.push_expired(1, 3, 9);
    queue.purge(&HashSet::from([1]));
    let (handover, _end) = Handover::new();
    queue.push_news(Event::Revoked {
        partitions: vec![1],
        handover,
    });
    assert_eq!(show(queue.pop()), "revoked [1]");
    assert_eq!(show(queue.pop()), "0@0 0@1 0@2");
    assert_eq!(show(queue.pop()), "nothing");
}

#[test]
fn a_loss_stands_between_the_records_around_it() {
    let queue = Queue::new("g", 1 << 20);
    queue.push_record(record(0, 1));
    queue.push_expired(0, 2, 9);
    queue.push_record(record(0, 9));
    assert_eq!(show(queue.pop()), "0@1");
    assert_eq!(show(queue.pop()), "expired 2..9");
    assert_eq!(show(queue.pop()), "0@9");
}

#[test]
fn a_paused_reader_gets_news_but_no_records() {
    let queue = Queue::new("g", 1 << 20);
    queue.pause(true);
    queue.push_record(record(0, 1));
    queue.push_news(assigned(1, 0));
    assert!(queue.wants_pause());
    assert_eq!(show(queue.pop()), "assigned 1@0");
    assert_eq!(show(queue.pop()), "nothing");
    queue.pause(false);
    assert!(!queue.wants_pause());
    assert_eq!(show(queue.pop()), "0@1");
}

#[test]
fn a_full_queue_stops_fetching_until_half_of_it_is_free() {
    let queue = Queue::new("g", 1500 * ONE_RECORD_BYTES);
    for offset in 0..1500 {
        assert!(!queue.wants_pause(), "at {offset}");
        queue.push_record(record(0, offset));
    }
    assert!(queue.wants_pause());
    // The first event has 1000 of the 1500.
    assert!(queue.pop().is_some());
    assert!(!queue.wants_pause());
}

#[test]
fn what_is_purged_is_free_again() {
    let queue = Queue::new("g", 10 * ONE_RECORD_BYTES);
    for offset in 0..10 {
        queue.push_record(record(0, offset));
    }
    assert!(queue.wants_pause());
    queue.purge(&HashSet::from([0]));
    assert!(!queue.wants_pause());
}

#[test]
fn a_passing_error_is_reported_once() {
    let queue = Queue::new("g", 1 << 20);
    for _ in 0..3 {
        queue.push_error(DrainError::Unavailable("x".to_owned()));
    }
    assert_eq!(show(queue.pop()), "the buffer does not answer: x");
    assert_eq!(show(queue.pop()), "nothing");
}

#[test]
fn what_was_read_before_the_end_still_comes_out_and_the_end_stays() {
    let queue = Queue::new("g", 1 << 20);
    queue.push_record(record(0, 1));
    queue.end(DrainError::Fatal("fenced".to_owned()));
    queue.end(DrainError::Fatal("ended".to_owned()));
    assert_eq!(show(queue.pop()), "0@1");
    assert_eq!(show(queue.pop()), "the buffer cannot be read: fenced");
    assert_eq!(show(queue.pop()), "the buffer cannot be read: fenced");
}

#[test]
fn a_discarded_queue_ends_its_handovers() {
    let queue = Queue::new("g", 1 << 20);
    let (handover, mut end) = Handover::new();
    queue.push_news(Event::Revoked {
        partitions: vec![1],
        handover,
    });
    queue.discard();
    assert!(
        end.try_recv()
            .is_err_and(|error| error == tokio::sync::oneshot::error::TryRecvError::Closed)
    );
}

#[tokio::test]
async fn who_waits_is_woken() {
    let queue = std::sync::Arc::new(Queue::new("g", 1 << 20));
    let pushing = std::sync::Arc::clone(&queue);
    let (event, ()) = tokio::join!(queue.next(), async {
        tokio::task::yield_now().await;
        pushing.push_record(record(0, 1));
    });
    assert_eq!(show(Some(event)), "0@1");
}
