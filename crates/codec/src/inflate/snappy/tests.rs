//! The framed format whole or refused, as the other encodings are.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::inflate;

fn framed(data: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(data).unwrap();
    encoder.into_inner().unwrap()
}

fn run(body: &[u8], limit_bytes: usize) -> Result<Vec<u8>, String> {
    inflate(
        Encoding::SnappyFramed,
        &Bytes::copy_from_slice(body),
        limit_bytes,
    )
    .map(|bytes| bytes.to_vec())
    .map_err(|error| error.to_string())
}

#[test]
fn what_was_framed_comes_back() {
    let data = b"up 1\n".repeat(40_000);
    assert_eq!(run(&framed(&data), 1 << 20), Ok(data));
}

#[test]
fn several_streams_are_one_body() {
    let mut body = framed(b"a 1\n");
    body.extend(framed(b"b 2\n"));
    assert_eq!(run(&body, 100), Ok(b"a 1\nb 2\n".to_vec()));
}

#[test]
fn a_bomb_costs_the_limit() {
    let body = framed(&vec![0; 1 << 20]);
    assert_eq!(
        run(&body, 1000),
        Err("the body has more than 1000 bytes when decompressed".to_owned())
    );
    assert_eq!(run(&framed(&[7; 1000]), 1000), Ok(vec![7; 1000]));
}

#[test]
fn a_body_that_breaks_off_is_refused() {
    let body = framed(&b"up 1\n".repeat(1000));
    for cut in [1, 7, 11, 20, body.len() - 1] {
        let error = run(&body[..cut], 1 << 20).unwrap_err();
        assert!(
            error.starts_with("the body is not valid snappy: "),
            "{cut}: {error}"
        );
    }
}

#[test]
fn the_block_format_is_not_taken_for_it() {
    let error = run(&crate::snappy::compress(b"up 1\n"), 100).unwrap_err();
    assert!(error.contains("snappy"), "{error}");
}

#[test]
fn a_flipped_bit_is_noticed() {
    let mut body = framed(b"up 1\n");
    *body.last_mut().unwrap() ^= 1;
    assert!(run(&body, 100).unwrap_err().contains("snappy"));
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer(body in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(run(&body, 1000));
    }

    #[test]
    fn any_data_comes_back(data in prop::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert_eq!(run(&framed(&data), 3000).unwrap(), data);
    }
}
