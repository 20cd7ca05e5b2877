//! What is remembered of requests, for how long, and in how many bytes.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Found, Table};
use crate::repeats::Answer;

async fn answer(bytes: usize) -> Answer {
    Answer::of(Response::new(Body::from(vec![b'x'; bytes])))
        .await
        .unwrap()
}

fn claim(table: &mut Table, id: u128, fingerprint: u64, now: Instant) -> Found {
    let (_, waiting) = watch::channel(());
    table.claim(id, fingerprint, waiting, now)
}

#[tokio::test]
async fn an_answer_is_forgotten_after_the_window() {
    let mut table = Table::new(Duration::from_secs(300), 1 << 20);
    let now = Instant::now();
    assert!(matches!(claim(&mut table, 1, 1, now), Found::Nothing));
    assert!(matches!(claim(&mut table, 1, 1, now), Found::Open(_)));
    table.remember(1, answer(10).await, now);
    table.give_up(1);
    let late = now + Duration::from_secs(299);
    assert!(matches!(claim(&mut table, 1, 1, late), Found::Answered(_)));
    assert!(matches!(claim(&mut table, 1, 2, late), Found::Other));
    let later = now + Duration::from_secs(300);
    assert!(matches!(claim(&mut table, 1, 2, later), Found::Nothing));
    table.give_up(1);
    assert_eq!(table.bytes(), 0);
}

#[tokio::test]
async fn the_oldest_answers_make_room_and_open_requests_do_not() {
    let mut table = Table::new(Duration::from_secs(300), 16 << 10);
    let now = Instant::now();
    for id in 0..1000 {
        assert!(matches!(claim(&mut table, id, 1, now), Found::Nothing));
        table.remember(id, answer(100).await, now);
        assert!(table.bytes() <= 16 << 10);
    }
    assert!(matches!(claim(&mut table, 999, 1, now), Found::Answered(_)));
    assert!(matches!(claim(&mut table, 0, 1, now), Found::Nothing));
    let open =
        (10_000..20_000).take_while(|id| matches!(claim(&mut table, *id, 1, now), Found::Nothing));
    let open = open.count();
    assert!((10..100).contains(&open), "{open}");
    assert!(matches!(claim(&mut table, 0, 1, now), Found::Open(_)));
}
