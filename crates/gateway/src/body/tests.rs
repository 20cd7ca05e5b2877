//! Bodies of every shape: announced or not, in pieces, too long, stalled, broken.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::{BodyLimits, Received};
use crate::error::Error;
use crate::permits::Permits;

const LIMITS: BodyLimits = BodyLimits {
    max_bytes: 1 << 20,
    idle_timeout: Duration::from_secs(10),
};

async fn read(mut body: Body, room_bytes: usize) -> Result<Received, Error> {
    let permits = Permits::new(room_bytes);
    let permit = LIMITS.admit(&body, permits.empty())?;
    LIMITS.read(&mut body, permit).await
}

/// A body without a length, in these pieces.
fn pieces(pieces: Vec<Bytes>) -> Body {
    Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, io::Error>)))
}

/// A body that brings so many bytes each second, forever.
fn trickle(bytes: usize) -> Body {
    let piece = Bytes::from(vec![b'x'; bytes]);
    Body::from_stream(stream::repeat(piece).then(|piece| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, io::Error>(piece)
    }))
}

#[tokio::test]
async fn a_body_in_pieces_is_joined() {
    let body = pieces(vec!["one".into(), "".into(), "two".into(), "three".into()]);
    let received = read(body, 1 << 20).await.unwrap();
    assert_eq!(received.bytes, "onetwothree");
    let received = read(Body::from("whole"), 1 << 20).await.unwrap();
    assert_eq!(received.bytes, "whole");
    assert!(read(Body::empty(), 1 << 20).await.unwrap().bytes.is_empty());
}

#[tokio::test]
async fn an_announced_body_takes_its_room_before_it_is_read() {
    let permits = Permits::new(1000);
    let body = Body::from(vec![b'x'; 600]);
    let permit = LIMITS.admit(&body, permits.empty()).unwrap();
    assert_eq!(permits.used_bytes(), 600);
    let second = LIMITS.admit(&body, permits.empty());
    assert!(matches!(second, Err(Error::Overloaded(_))));
    drop(permit);
    assert_eq!(permits.used_bytes(), 0);
}

#[tokio::test]
async fn a_body_of_unknown_length_takes_room_as_it_comes() {
    let piece = Bytes::from(vec![b'x'; 60_000]);
    let received = read(pieces(vec![piece.clone(); 2]), 128 << 10)
        .await
        .unwrap();
    assert_eq!(received.bytes.len(), 120_000);
    let error = read(pieces(vec![piece; 3]), 128 << 10).await.unwrap_err();
    assert!(matches!(error, Error::Overloaded(_)), "{error:?}");
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_limit_announced_or_not() {
    let longest = Bytes::from(vec![b'x'; 1 << 20]);
    let longer = Bytes::from(vec![b'x'; (1 << 20) + 1]);
    assert!(read(Body::from(longest.clone()), 2 << 20).await.is_ok());
    assert!(read(pieces(vec![longest]), 2 << 20).await.is_ok());
    let error = read(Body::from(longer.clone()), 2 << 20).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the body has 1048577 bytes, the limit is 1048576; send several smaller ones"
    );
    let error = read(pieces(vec![longer]), 2 << 20).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the body has more than 1048576 bytes, the limit is 1048576; send several smaller ones"
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_coming_is_given_up_after_the_idle_time() {
    let started = Instant::now();
    let first = stream::once(async { Ok::<_, io::Error>(Bytes::from("start")) });
    let error = read(Body::from_stream(first.chain(stream::pending())), 1 << 20)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the body stopped coming: 5 bytes came in 10 s"
    );
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_only_drips_is_given_up_and_a_slow_one_is_not() {
    let error = read(trickle(100), 1 << 20).await.unwrap_err();
    assert!(matches!(error, Error::BodyStalled { .. }), "{error:?}");
    // 40 KiB a second reaches the limit instead.
    let error = read(trickle(40 << 10), 2 << 20).await.unwrap_err();
    assert!(matches!(error, Error::BodyTooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_not_a_shorter_body() {
    let body = stream::iter([
        Ok(Bytes::from("{\"metrics\":[]}")),
        Err(io::Error::other("connection reset")),
    ]);
    let error = read(Body::from_stream(body), 1 << 20).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the body ended early after 14 bytes: connection reset"
    );
}
