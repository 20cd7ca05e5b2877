//! Bodies as senders compress them, with what the compressors need kept between bodies.

use anyhow::Context;

use crate::protocol::Compression;

/// The level at which senders that care for time compress.
const ZSTD_LEVEL: i32 = 1;

/// Compresses one body after another.
pub(crate) enum Compressor {
    Identity,
    Gzip,
    Zstd(zstd::bulk::Compressor<'static>),
    Snappy(Box<snap::raw::Encoder>),
}

impl Compressor {
    pub(crate) fn new(compression: Compression) -> anyhow::Result<Self> {
        Ok(match compression {
            Compression::Identity => Self::Identity,
            Compression::Gzip => Self::Gzip,
            Compression::Zstd => Self::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            Compression::Snappy => Self::Snappy(Box::new(snap::raw::Encoder::new())),
        })
    }

    /// Appends the compressed body.
    pub(crate) fn append(&mut self, body: &[u8], into: &mut Vec<u8>) -> anyhow::Result<()> {
        match self {
            Self::Identity => into.extend_from_slice(body),
            Self::Gzip => into.extend_from_slice(&codec::deflate::gzip_fast(body)),
            Self::Zstd(compressor) => into.extend_from_slice(&compressor.compress(body)?),
            Self::Snappy(encoder) => {
                let start = into.len();
                into.resize(start + snap::raw::max_compress_len(body.len()), 0);
                let room = into.get_mut(start..).context("room was made")?;
                let len = encoder.compress(body, room)?;
                into.truncate(start + len);
            }
        }
        Ok(())
    }
}
