//! What is read of the archive's own files, for the fuzz targets alone.

use bytes::Bytes;

use super::Span;
use super::manifest::{Entry, Manifest};
use super::{bucket, merge, read};

/// A partition's manifest; what the next batches do to it.
pub fn manifest(text: &[u8]) -> bool {
    let Ok(mut manifest) = serde_json::from_slice::<Manifest>(text) else {
        return false;
    };
    for first in [0, 5, i64::MAX - 1] {
        manifest.doubt(first).unwrap_or_default();
        let span = Span {
            partition: 0,
            first,
            last: first + 1,
        };
        manifest.take_replaced(first, span, |_| Some(0));
        manifest.push(Entry {
            first,
            last: first + 1,
            received_at_ms: 0,
            files: Vec::new(),
        });
    }
    true
}

/// A commit of the table in an object store.
pub fn table_log(text: &[u8]) -> bool {
    bucket::reads_commit(&String::from_utf8_lossy(text))
}

/// A Parquet file, as readers and as merging read it.
pub fn rows(file: &Bytes) -> bool {
    let mut sum = 0.0;
    let is_read = read::guarded(|| read::read_rows(file.clone(), &mut |value| sum += value));
    let is_merged = read::guarded(|| merge::read_chunks(file.clone()));
    is_read.is_ok() && is_merged.is_ok()
}
