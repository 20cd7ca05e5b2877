//! Answers that nobody reads are bounded.

use http_body_util::BodyExt as _;

use super::*;

#[tokio::test]
async fn an_answer_takes_room_until_its_last_piece_is_read() {
    let outbox = Outbox::new(200 << 10);
    let answer = |bytes: usize| outbox.answer(StatusCode::OK, "text/plain", vec![7; bytes].into());
    let first = answer(150 << 10).unwrap();
    assert!(matches!(answer(100 << 10), Err(Error::Overloaded(_))));
    let small = answer(50 << 10).unwrap();
    let read = first.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(read.len(), 150 << 10);
    answer(100 << 10).unwrap();
    // One that nobody reads on gives its room back, too.
    drop(small);
    answer(200 << 10).unwrap();
}

#[tokio::test]
async fn each_piece_that_is_read_makes_room_for_others() {
    let outbox = Outbox::new(200 << 10);
    let answer = |bytes: usize| outbox.answer(StatusCode::OK, "text/plain", vec![7; bytes].into());
    let mut body = answer(200 << 10).unwrap().into_body();
    assert!(matches!(answer(30 << 10), Err(Error::Overloaded(_))));
    body.frame().await.unwrap().unwrap();
    drop(answer(30 << 10).unwrap());
    let rest = body.collect().await.unwrap().to_bytes();
    assert_eq!(rest.len(), (200 << 10) - PIECE_BYTES);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_read_in_time_breaks_off_and_makes_room() {
    let outbox = Outbox::new(200 << 10);
    let answer = |bytes: usize| outbox.answer(StatusCode::OK, "text/plain", vec![7; bytes].into());
    let mut body = answer(200 << 10).unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    tokio::time::sleep(PATIENCE + Duration::from_secs(1)).await;
    drop(answer(200 << 10).unwrap());
    assert!(body.frame().await.unwrap().is_err());
}
