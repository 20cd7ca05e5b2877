//! Blocks are whole or refused, and their claims are checked first.

use proptest::prelude::*;

use super::*;

fn run(body: &[u8], limit_bytes: usize) -> Result<Vec<u8>, String> {
    decompress(body, limit_bytes)
        .map(|data| data.to_vec())
        .map_err(|error| error.to_string())
}

#[test]
fn the_claimed_length_is_checked_before_it_is_allocated() {
    let block = compress(&[7; 1000]);
    assert_eq!(run(&block, 1000), Ok(vec![7; 1000]));
    assert_eq!(
        run(&block, 999),
        Err("the body has more than 999 bytes when decompressed".to_owned())
    );
    // Claims 2^32 - 1 bytes.
    assert_eq!(
        run(b"\xff\xff\xff\xff\x0f\x00", usize::MAX),
        Err(
            "the body is not valid snappy: truncated, or not snappy: 6 bytes cannot hold the \
             4294967295 that the header claims"
                .to_owned()
        )
    );
}

#[test]
fn the_framed_format_is_recognised() {
    assert_eq!(
        run(b"\xff\x06\x00\x00sNaPpY\x01", 100),
        Err(
            "the body is not valid snappy: this is the framed format; remote write uses the block format"
                .to_owned()
        )
    );
}

#[test]
fn every_truncation_is_an_error() {
    let block = compress(&(0..=255).collect::<Vec<u8>>().repeat(4));
    for end in 0..block.len() {
        assert!(run(&block[..end], 2000).is_err(), "{end}");
    }
}

#[test]
fn the_best_possible_compression_is_not_taken_for_a_lie() {
    let data = vec![0; 1 << 20];
    assert_eq!(run(&compress(&data), 1 << 20), Ok(data));
}

proptest! {
    #[test]
    fn what_was_compressed_comes_back(data in prop::collection::vec(0_u8..4, 0..10_000)) {
        prop_assert_eq!(run(&compress(&data), data.len()), Ok(data));
    }

    #[test]
    fn random_bytes_never_panic(body: Vec<u8>) {
        if let Ok(data) = run(&body, 1000) {
            prop_assert!(data.len() <= 1000);
        }
    }
}

#[test]
fn a_compressor_gives_back_what_a_large_block_needed() {
    let mut compressor = Compressor::default();
    let usual = vec![7; 100_000];
    assert_eq!(compressor.compress(&usual), compress(&usual));
    let kept = compressor.room.capacity();
    assert!(kept > 0);
    let large = vec![7; KEPT_BYTES];
    assert_eq!(compressor.compress(&large), compress(&large));
    assert_eq!(compressor.room.capacity(), 0);
    assert_eq!(compressor.compress(&usual), compress(&usual));
}
