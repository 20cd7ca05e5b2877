//! The archive's settings.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use super::bucket;

/// An archive of Parquet files, one folder per day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the archive; made when it is missing. Readers take `<dir>/**/*.parquet`. Without it, a
    /// folder of `data_dir` with the store's name.
    pub dir: Option<PathBuf>,
    /// A file is closed, synced and its offsets committed when its first sample has waited so long.
    /// Until then the buffer holds the samples.
    pub close_after: Period,
    /// Memory for the samples of one open file. A file is closed earlier when this is reached.
    pub max_size: Size,
    /// Samples of one open file. A file is closed earlier when this is reached.
    pub max_samples: usize,
    /// Days whose samples are all older than this are deleted. Measured from the clock or from the
    /// newest day in the archive, whichever is earlier, so that a wrong clock deletes nothing. `0s` keeps all.
    pub retention: Period,
    /// Merges the small files of days that are over. They are prepared in a folder beside `dir`, which
    /// must be on the same file system: give `dir` a parent that is, or the small files stay.
    pub merge: bool,
    /// Days go to an S3-compatible object store and stay there when they leave the disk after `retention`.
    pub object_store: Option<Box<bucket::Config>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dir: None,
            close_after: Period::secs(60),
            max_size: Size::mib(16),
            max_samples: 2_000_000,
            retention: Period::secs(90 * 24 * 3600),
            merge: true,
            object_store: None,
        }
    }
}

impl Config {
    /// Checks what one field alone cannot say.
    ///
    /// # Errors
    /// The first key that cannot be as it is, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        let refuse = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        if self
            .dir
            .as_ref()
            .is_some_and(|dir| dir.as_os_str().is_empty())
        {
            return refuse("dir", "is empty");
        }
        if self.close_after.0.is_zero() {
            return refuse(
                "close_after",
                "must be longer than 0s, or every record makes a file",
            );
        }
        if self.max_size.0 == 0 {
            return refuse("max_size", "must be more than 0B");
        }
        if self.max_samples == 0 || u32::try_from(self.max_samples).is_err() {
            return refuse("max_samples", "must be from 1 to 4294967295");
        }
        match &self.object_store {
            Some(object_store) => object_store
                .check(self.retention.0)
                .map_err(|(key, why)| (format!("object_store.{key}"), why)),
            None => Ok(()),
        }
    }
}
