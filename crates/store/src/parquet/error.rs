//! Why the archive could not be written.

use std::io;
use std::path::{Path, PathBuf};

use ::parquet::errors::ParquetError;

use crate::WriteError;

/// What went wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("archive: cannot {action} {}: {source}", path.display())]
    Io {
        /// A verb.
        action: &'static str,
        /// Of what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The rows cannot be encoded.
    #[error("archive: cannot encode {}: {source}", path.display())]
    Encode {
        /// Of which file.
        path: PathBuf,
        /// The encoder's words.
        source: ParquetError,
    },
    /// The rows cannot be decoded.
    #[error("archive: cannot read {}: {source}", path.display())]
    Decode {
        /// Of which file.
        path: PathBuf,
        /// The decoder's words.
        source: ParquetError,
    },
    /// A merged file does not hold the rows that went into it.
    #[error("archive: merging {} gave {written} rows out of {read}; the day stays as it is", path.display())]
    Miscounted {
        /// The folder.
        path: PathBuf,
        /// Rows of the files.
        read: u64,
        /// Rows of the merged ones.
        written: u64,
    },
    /// Two stores were given one folder.
    #[error("archive: {} belongs to a running process, store {store:?} of the buffer {buffer:?}; give each store a folder of its own", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
        /// The other store.
        store: String,
        /// What it reads.
        buffer: String,
    },
    /// Another process resumed the partition.
    #[error(
        "archive: another process has taken partition {0} over; nothing of this batch was added"
    )]
    TakenOver(i32),
    /// Another process has the partition and does not go on.
    #[error("archive: another process holds partition {0} and does not go on; it may be paused")]
    Held(i32),
    /// The object store refused, or did not answer.
    #[error("archive: object store: cannot {action} {path}: {source}")]
    Bucket {
        /// A verb.
        action: &'static str,
        /// Of what.
        path: String,
        /// The library's words.
        source: object_store::Error,
    },
    /// The object store, or the table in it, cannot be used.
    #[error("archive: object store: {0}")]
    Unusable(String),
    /// A certificate or a key cannot be used.
    #[error("archive: object_store.tls.{0}")]
    Client(#[from] service::http_client::ClientError),
    /// The caller gave up on the write.
    #[error("archive: the write was abandoned")]
    Abandoned,
    /// The consumer broke the contract of lanes.
    #[error("archive: a batch mixes partitions {0} and {1}")]
    Mixed(i32, i32),
    /// The writing thread ended in a panic.
    #[error("archive: the writer failed: {0}")]
    Defect(String),
}

impl Error {
    /// For `map_err`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// For `map_err`.
    pub(super) fn bucket(
        action: &'static str,
        path: impl ToString,
    ) -> impl FnOnce(object_store::Error) -> Self {
        let path = path.to_string();
        move |source| Self::Bucket {
            action,
            path,
            source,
        }
    }

    /// For `map_err`.
    pub(super) fn encode(path: &Path) -> impl FnOnce(ParquetError) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Encode { path, source }
    }
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            // Whatever the disk's trouble is, the samples are fine: the buffer keeps them.
            Error::Io { .. }
            | Error::Decode { .. }
            | Error::Miscounted { .. }
            | Error::Abandoned
            | Error::Mixed(..)
            | Error::Taken { .. }
            | Error::TakenOver(_)
            | Error::Held(_)
            | Error::Bucket { .. }
            | Error::Unusable(_)
            | Error::Client(_)
            | Error::Defect(_) => Self::Retryable {
                message,
                retry_after: None,
            },
            Error::Encode { .. } => Self::Refused {
                reason: "encode_failed",
                message,
            },
        }
    }
}
