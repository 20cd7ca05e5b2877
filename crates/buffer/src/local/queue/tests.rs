//! Tests of the writer's queue.

use bytes::Bytes;

use super::*;
use crate::ContentType;

fn append(bytes: usize) -> Command {
    let record = Record {
        key: Bytes::new(),
        value: Bytes::from(vec![0; bytes]),
        content_type: ContentType::Json,
        tenant: None,
        source: None,
        received_at_ms: 0,
        spread: crate::Spread::default(),
    };
    Command::Append(record, Answer::new().0)
}

#[test]
fn a_full_queue_refuses_records_but_not_commits() {
    let queue = Queue::new(1000);
    assert_eq!(queue.push(append(700)), Ok(()));
    assert_eq!(queue.push(append(700)), Err(Refused::Full));
    let commit = Command::Commit(Arc::from("reader"), 1, Answer::new().0);
    assert_eq!(queue.push(commit), Ok(()));
}

#[test]
fn bytes_are_held_until_they_are_answered() {
    let queue = Queue::new(1000);
    queue.push(append(700)).unwrap();
    let round = queue.take(10_000, Duration::ZERO);
    assert_eq!(queue.push(append(700)), Err(Refused::Full));
    queue.answered(&round);
    assert_eq!(queue.bytes(), 0);
    assert_eq!(queue.push(append(700)), Ok(()));
}

#[test]
fn a_round_takes_what_waits_up_to_its_bound_and_at_least_one() {
    let queue = Queue::new(1 << 20);
    for _ in 0..3 {
        queue.push(append(1000)).unwrap();
    }
    assert_eq!(queue.take(1, Duration::ZERO).commands.len(), 1);
    assert_eq!(queue.take(10_000, Duration::ZERO).commands.len(), 2);
}

#[test]
fn a_closed_queue_is_emptied_before_it_is_over() {
    let queue = Queue::new(1 << 20);
    for _ in 0..2 {
        queue.push(append(1000)).unwrap();
    }
    queue.close();
    assert_eq!(queue.push(append(1)), Err(Refused::Closed));
    assert!(!queue.take(1, Duration::ZERO).is_last);
    assert!(queue.take(1, Duration::ZERO).is_last);
}

#[tokio::test]
async fn an_abandoned_queue_leaves_nobody_waiting() {
    let queue = Queue::new(1000);
    let (answer, answered) = Answer::<(), DrainError>::new();
    queue.push(Command::Expire(answer)).unwrap();
    queue.abandon();
    assert!(answered.await.is_err());
    assert_eq!(queue.flush(Duration::from_secs(60)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_flush_counts_what_is_still_open_at_its_deadline() {
    let queue = Queue::new(1 << 20);
    for _ in 0..3 {
        queue.push(append(1000)).unwrap();
    }
    let round = queue.take(1, Duration::ZERO);
    queue.answered(&round);
    assert_eq!(queue.flush(Duration::from_secs(1)).await, 2);
    let round = queue.take(10_000, Duration::ZERO);
    queue.answered(&round);
    assert_eq!(queue.flush(Duration::ZERO).await, 0);
}
