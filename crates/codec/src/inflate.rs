//! HTTP bodies as they were before `Content-Encoding`.
//!
//! The output is bounded before it is allocated: a bomb costs the limit and a chunk, whatever its
//! headers claim. Everything that was sent counts: all gzip members, all zstd frames, and bytes
//! behind the end are an error instead of a silent loss.

mod deflate;
mod gzip;
mod snappy;
mod zstd;

use bytes::Bytes;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 1950 (zlib); raw RFC 1951 is accepted too, because old clients send it under this name.
    Deflate,
    /// RFC 8878, any number of frames, windows up to 8 MiB.
    Zstd,
    /// Snappy's framed format. [`Encoding::parse`] does not answer it: under the same name, remote write has the
    /// block format, so each endpoint says which of the two `snappy` is.
    SnappyFramed,
    /// One block of snappy, without frames, as remote write has it. No `Content-Encoding` that [`Encoding::parse`]
    /// knows means it. A body that begins as zstd does, which no block can, is zstd: `vmagent` sends what waited
    /// in its queue under the name of its other compression.
    Snappy,
}

/// `Content-Encoding` names something else, or several encodings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct UnsupportedEncoding {
    /// The header as it came.
    pub found: String,
}

impl UnsupportedEncoding {
    fn sentence(&self) -> String {
        let found: String = self.found.chars().take(100).collect();
        if found.contains(',') {
            format!(
                "content-encoding {found:?} names several encodings; use one of gzip, deflate, zstd"
            )
        } else {
            format!(
                "content-encoding {found:?} is not supported; use identity, gzip, deflate or zstd"
            )
        }
    }
}

/// The body could not be inflated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// There is more than this.
    #[error("the body has more than {limit_bytes} bytes when decompressed")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The bytes are not what the encoding says, or not all of them came.
    #[error("the body is not valid {encoding}: {why}")]
    Corrupt {
        /// The encoding.
        encoding: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl Encoding {
    /// Reads the header `Content-Encoding`; absent and empty mean identity.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn parse(header: Option<&str>) -> Result<Self, UnsupportedEncoding> {
        let header = header.unwrap_or_default().trim();
        let is = |name: &str| header.eq_ignore_ascii_case(name);
        if header.is_empty() || is("identity") {
            Ok(Self::Identity)
        } else if is("gzip") || is("x-gzip") {
            Ok(Self::Gzip)
        } else if is("deflate") {
            Ok(Self::Deflate)
        } else if is("zstd") {
            Ok(Self::Zstd)
        } else {
            Err(UnsupportedEncoding {
                found: header.to_owned(),
            })
        }
    }

    /// The name as in `Content-Encoding`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::SnappyFramed => "snappy",
            Self::Snappy => "snappy",
        }
    }
}

/// The body as it was before the encoding. Identity costs nothing: the same bytes are shared.
///
/// # Errors
/// When the result would be larger than `limit_bytes`, or the body is not what the encoding says.
pub fn inflate(
    encoding: Encoding,
    body: &Bytes,
    limit_bytes: usize,
) -> Result<Bytes, InflateError> {
    match encoding {
        Encoding::Identity if body.len() > limit_bytes => {
            Err(InflateError::TooLarge { limit_bytes })
        }
        Encoding::Identity => Ok(body.clone()),
        Encoding::Gzip => gzip::inflate(body, limit_bytes),
        Encoding::Deflate => deflate::inflate(body, limit_bytes),
        Encoding::Zstd => zstd::inflate(body, limit_bytes),
        Encoding::SnappyFramed => snappy::inflate(body, limit_bytes),
        Encoding::Snappy if body.starts_with(&zstd::MAGIC) => zstd::inflate(body, limit_bytes),
        Encoding::Snappy => crate::snappy::decompress(body, limit_bytes),
    }
}

fn corrupt(encoding: Encoding, why: impl Into<String>) -> InflateError {
    InflateError::Corrupt {
        encoding: encoding.as_str(),
        why: why.into(),
    }
}

/// What a body may claim as its size before any of it is inflated.
const FIRST_CHUNK_MAX: usize = 4 << 20;

/// Makes room for more output, doubling, but never beyond one byte more than the limit.
fn reserve(output: &mut Vec<u8>, limit_bytes: usize) {
    if output.len() == output.capacity() {
        let most = limit_bytes.saturating_add(1).saturating_sub(output.len());
        output.reserve_exact(output.len().max(16 << 10).min(most).max(1));
    }
}

#[cfg(test)]
mod tests;
