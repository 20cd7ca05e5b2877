//! Days past the retention are deleted.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use super::disk;
use super::error::Error;
use super::layout::{Day, Layout};

/// Deletes the folders of days that ended more than `retention` ago and answers their names.
///
/// "Ago" is counted from `now_ms` or from the end of the newest day in the archive, whichever is
/// earlier: a clock that jumped ahead by years deletes nothing that a sender's clock did not also call old.
pub(super) fn expire(
    layout: &Layout,
    retention: Duration,
    now_ms: i64,
) -> Result<Vec<String>, Error> {
    let root = layout.root();
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", root)(error)),
    };
    let mut days = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", root))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(day) = Day::parse(&name) {
            days.push((day, name));
        }
    }
    days.sort();
    let Some((newest, _)) = days.last() else {
        return Ok(Vec::new());
    };
    let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    let cutoff_ms = now_ms.min(newest.end_ms()).saturating_sub(retention_ms);
    let mut deleted = Vec::new();
    for (_, name) in days
        .into_iter()
        .filter(|(day, _)| day.end_ms() <= cutoff_ms)
    {
        let folder = root.join(&name);
        match fs::remove_dir_all(&folder) {
            // Another process that has the archive was faster.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io("remove", &folder)(error));
            }
            _ => {}
        }
        deleted.push(name);
    }
    if !deleted.is_empty() {
        disk::sync_dir(root)?;
    }
    Ok(deleted)
}
