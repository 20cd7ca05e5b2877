//! Which bodies are read where they came in.

use super::*;

fn packed(bytes: usize) -> Bytes {
    codec::snappy::compress(&vec![b' '; bytes]).into()
}

fn is_small(encoding: Encoding, wire: &Bytes) -> bool {
    small(encoding, wire, 64 << 20).unwrap().is_some()
}

/// Fewer bytes than these become 64 MiB in other encodings, which would hold a runtime thread for as long.
#[test]
fn a_body_is_small_by_what_it_becomes() {
    assert!(is_small(Encoding::Snappy, &packed(200 << 10)));
    let large = packed(300 << 10);
    assert!(large.len() < 16 << 10);
    assert!(!is_small(Encoding::Snappy, &large));
    assert!(is_small(Encoding::Identity, &vec![b' '; 256 << 10].into()));
    assert!(!is_small(Encoding::Identity, &vec![b' '; 257 << 10].into()));
}

#[test]
fn a_small_body_beyond_the_limit_is_refused_at_once() {
    let error = small(Encoding::Snappy, &packed(2000), 1000).unwrap_err();
    assert_eq!(error.code(), Code::InflatedTooLarge);
}
