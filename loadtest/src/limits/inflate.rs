//! gzip bodies, from one whole buffer into another, alone and with decoding after it.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use codec::Encoding;
use libdeflater::Decompressor;

use super::bodies::Bodies;
use super::decode::sonic_json;
use super::stopwatch;
use crate::outcome::Outcome;
use crate::protocol::Compression;

/// The stage of inflating alone.
const STAGE: &str = "inflate";
/// The stage of inflating and decoding.
const DECODE_STAGE: &str = "decode+inflate";

/// Measures the fastest inflater and the one behind the product's cap.
pub(super) fn measure(bodies: &Bodies, seconds: Duration) -> anyhow::Result<Vec<Outcome>> {
    let gzip = bodies.compressed(Compression::Gzip)?;
    let (batch, largest) = (bodies.batch(), bodies.largest());
    let scenario = || format!("{}-gzip-{batch}", bodies.load.protocol.name());
    let mut decompressor = Decompressor::new();
    let mut room = vec![0; largest];
    let mut whole = |body: &Bytes, use_it: fn(&[u8]) -> usize| {
        let len = decompressor
            .gzip_decompress(body, &mut room)
            .expect("our own body");
        use_it(room.get(..len).unwrap_or_default())
    };
    let capped =
        |body: &Bytes| codec::inflate(Encoding::Gzip, body, largest).expect("our own body");
    let mut outcomes = vec![
        stopwatch::measure(
            bodies,
            (scenario(), "libdeflate", STAGE),
            &gzip,
            seconds,
            |body| {
                whole(body, |plain| black_box(plain).len());
                batch
            },
        ),
        stopwatch::measure(
            bodies,
            (scenario(), "codec::inflate", STAGE),
            &gzip,
            seconds,
            |body| {
                black_box(capped(body));
                batch
            },
        ),
    ];
    outcomes.push(stopwatch::measure(
        bodies,
        (scenario(), "libdeflate + sonic-rs decode", DECODE_STAGE),
        &gzip,
        seconds,
        |body| whole(body, sonic_json),
    ));
    outcomes.push(stopwatch::measure(
        bodies,
        (scenario(), "codec::inflate + sonic-rs decode", DECODE_STAGE),
        &gzip,
        seconds,
        |body| sonic_json(&capped(body)),
    ));
    for outcome in &mut outcomes {
        outcome
            .parameters
            .insert("compression".to_owned(), "gzip".to_owned());
    }
    Ok(outcomes)
}
