//! The archive's own files, which anybody may have copied, cut or edited.

use std::sync::Once;

use bytes::Bytes;

/// A Parquet file, or else a partition's manifest, or a commit of the table in an object store. The Parquet library panics on some damaged files; that ends as an
/// error here, so the fuzzer, which takes every panic for its find, is told to look for hangs and for memory alone.
pub(crate) fn archive(data: &[u8]) {
    static QUIET: Once = Once::new();
    if data.starts_with(b"PAR1") {
        QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
        store::fuzzing::rows(&Bytes::copy_from_slice(data));
    } else {
        store::fuzzing::manifest(data);
        store::fuzzing::table_log(data);
    }
}
