//! What is known of the files that go to the object store, in a file beside them.
//!
//! A file is noted before its first byte is sent, and merged with nothing from then on. When it is in the
//! table, that is noted; only a file of which that is known ever leaves the disk. What a crash left unsaid is
//! asked of the table, which knows each file by a name that holds its content's hash.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use crate::parquet::disk;
use crate::parquet::error::Error;
use crate::parquet::layout::Layout;
use crate::parquet::random_name;

const VERSION: u32 = 1;

/// A file on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Going {
    /// Its name in the object store.
    pub(super) object: String,
    /// Its size.
    pub(super) bytes: u64,
    /// Its rows.
    pub(super) rows: u64,
    /// It is in the table, or was.
    pub(super) arrived: bool,
}

/// The note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::parquet) struct Moving {
    version: u32,
    /// Where the files go. Of another place nothing is known.
    url: String,
    /// By their names below the archive's folder.
    pub(super) files: BTreeMap<String, Going>,
}

impl Moving {
    fn new() -> Self {
        Self {
            version: VERSION,
            url: String::new(),
            files: BTreeMap::new(),
        }
    }

    /// Reads the note. One that cannot be understood is no reason to send everything a second time.
    pub(in crate::parquet) fn load(layout: &Layout) -> Result<Self, Error> {
        let path = layout.moving();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::new()),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(found) if found.version == VERSION => Ok(found),
            Ok(found) => Err(Error::Unusable(format!(
                "{} has version {}, this program knows {VERSION}",
                path.display(),
                found.version
            ))),
            Err(error) => Err(Error::Unusable(format!("{}: {error}", path.display()))),
        }
    }

    /// Goes on with another place: what is on the disk goes there, too.
    pub(super) fn go_to(&mut self, url: &str) {
        if self.url != url {
            url.clone_into(&mut self.url);
            for going in self.files.values_mut() {
                going.arrived = false;
            }
        }
    }

    /// Whether a file is on its way.
    pub(in crate::parquet) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// A name for this folder among all that share the object store; in a file of its own, which lasts.
    pub(super) fn archive(layout: &Layout) -> Result<String, Error> {
        let path = layout.archive_name();
        match std::fs::read_to_string(&path) {
            Ok(found)
                if found.len() == 16 && found.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                Ok(found)
            }
            Ok(_) => Err(Error::Unusable(format!(
                "{} does not hold a name of 16 hexadecimal digits",
                path.display()
            ))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let name = random_name();
                disk::replace(&path, name.as_bytes())?;
                Ok(name)
            }
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// Replaces the note on the disk.
    pub(super) fn save(&self, layout: &Layout) -> Result<(), Error> {
        let path = layout.moving();
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::io("write", &path)(error.into()))?;
        disk::replace(&path, &text)
    }
}
