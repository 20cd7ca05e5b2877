//! The other way round: bodies as senders compress them, for load generators and tests.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The bytes as one gzip member, at the level that senders use by default.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}
