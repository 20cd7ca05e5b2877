//! Answers as a connection gets them.

use axum::body::{Body, Bytes, HttpBody as _};
use http::{HeaderMap, Version};
use http_body_util::{BodyExt as _, Full};

use super::{Activity, Answer, PIECE_BYTES};

fn answer(body: Body) -> Answer {
    Activity::new().handler(Version::HTTP_11).answer(body)
}

#[tokio::test]
async fn a_long_answer_comes_in_pieces() {
    let whole: Vec<u8> = (0_u8..=250).cycle().take(2 * PIECE_BYTES + 1).collect();
    let mut answer = answer(Body::from(whole.clone()));
    let mut came = Vec::new();
    let mut lengths = Vec::new();
    while !answer.is_end_stream() {
        let left = (whole.len() - came.len()) as u64;
        assert_eq!(answer.size_hint().exact(), Some(left));
        let piece = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        lengths.push(piece.len());
        came.extend_from_slice(&piece);
    }
    assert_eq!(lengths, [PIECE_BYTES, PIECE_BYTES, 1]);
    assert!(came == whole, "the pieces are the whole");
}

#[tokio::test]
async fn a_short_answer_is_one_piece_and_trailers_come_behind() {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let given = trailers.clone();
    let body = Full::new(Bytes::from_static(b"short"));
    let body = body.with_trailers(async move { Some(Ok(given)) });
    let mut answer = answer(Body::new(body));
    let data = answer.frame().await.unwrap().unwrap().into_data();
    assert_eq!(data.unwrap(), Bytes::from_static(b"short"));
    let last = answer.frame().await.unwrap().unwrap().into_trailers();
    assert_eq!(last.unwrap(), trailers);
    assert!(answer.frame().await.is_none());
}
