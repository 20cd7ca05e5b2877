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
