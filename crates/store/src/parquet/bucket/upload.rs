//! Files of days that are over become objects, and then a part of the table.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Object;
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use ring::digest::{Context, SHA256};

use super::actions::Add;
use super::moving::{Going, Moving};
use super::table::{Change, Table};
use super::{Pass, blocking, milliseconds};
use crate::metrics;
use crate::parquet::error::Error;
use crate::parquet::layout::{Day, Layout};
use crate::parquet::manifest::Manifest;
use crate::parquet::merge::{self, Input};

/// What is sent at once. S3 takes parts from 5 MiB on, and 10,000 of them.
pub(super) const PART_BYTES: usize = 8 << 20;

/// Files that are sent at the same time.
const AT_ONCE: usize = 4;

/// Files of one commit.
const PER_COMMIT: usize = 64;

/// A file that a partition may still have to replace stays, but not for ever: no buffer keeps records for so long
/// that they come again after this.
const FINAL: Duration = Duration::from_secs(31 * 24 * 3600);

/// Notes all files that are to go and are not noted yet.
pub(super) async fn note(pass: &Pass, mut moving: Moving, after_ms: i64) -> Result<Moving, Error> {
    let pass = pass.clone();
    blocking(move || {
        let layout = &pass.layout;
        let before = moving.clone();
        // Left the disk before a crash, or by a person's hand.
        moving
            .files
            .retain(|name, _| layout.root().join(name).exists());
        let wait_ms = after_ms.max(merge::SETTLED_MS);
        for name in days_before(layout, pass.now_ms.saturating_sub(wait_ms))? {
            note_day(&pass, &mut moving, &name)?;
        }
        if moving != before {
            moving.save(layout)?;
        }
        Ok(moving)
    })
    .await
}

/// The folders of days that were over at `at_ms`.
pub(super) fn days_before(layout: &Layout, at_ms: i64) -> Result<Vec<String>, Error> {
    let mut days: Vec<String> = merge::list(layout.root())?
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| Day::parse(name).is_some_and(|day| day.end_ms() <= at_ms))
        .collect();
    days.sort();
    Ok(days)
}

fn note_day(pass: &Pass, moving: &mut Moving, day: &str) -> Result<(), Error> {
    let folder = pass.layout.root().join(day);
    let files = merge::list(&folder)?;
    // After the list, as in merging: a file is in its manifest before it is visible.
    let live = Manifest::live_files(&pass.layout)?;
    for file in files.into_iter().filter_map(|file| file.into_string().ok()) {
        let name = format!("{day}/{file}");
        if !Layout::is_ours(&file) || moving.has(&name) {
            continue;
        }
        let path = folder.join(&file);
        if live.contains(&name) && !is_final(&path, pass.now_ms)? {
            continue;
        }
        // A file that cannot be read would make every query over the table fail.
        match Input::inspect(&path) {
            Ok(Some(input)) => {
                let hash = hash(&path)?;
                let stem = file.trim_end_matches(".parquet");
                let object = format!("{day}/{}-{stem}-{hash}.parquet", pass.archive);
                let going = Going {
                    object,
                    bytes: input.bytes,
                    rows: input.rows,
                    arrived: false,
                };
                moving.files.insert(name, going);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "archive: a file stays on the disk, it does not go to the object store");
            }
        }
    }
    Ok(())
}

fn is_final(path: &Path, now_ms: i64) -> Result<bool, Error> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let modified = modified.map_err(Error::io("measure", path))?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH);
    let final_ms = milliseconds(since.unwrap_or_default().saturating_add(FINAL));
    Ok(final_ms <= now_ms)
}

/// The first half of a file's SHA-256.
pub(super) fn hash(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut context = Context::new(&SHA256);
    let mut bytes = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut bytes).map_err(Error::io("read", path))?;
        match bytes.get(..read) {
            Some(read) if !read.is_empty() => context.update(read),
            _ => break,
        }
    }
    let digest = context.finish();
    let hex = digest.as_ref().iter().take(16);
    Ok(hex.map(|byte| format!("{byte:02x}")).collect())
}

/// Sends what is noted and has not arrived, and puts it into the table.
pub(super) async fn upload(
    pass: &Pass,
    table: &mut Table,
    moving: &mut Moving,
) -> Result<(), Error> {
    forget_lost(pass, table, moving)?;
    let root = pass.layout.root().to_owned();
    let waiting: Vec<(String, Going)> = moving
        .files
        .iter()
        .filter(|(_, going)| !going.arrived)
        .map(|(name, going)| (name.clone(), going.clone()))
        .collect();
    for some in waiting.chunks(PER_COMMIT) {
        let to_send: Vec<(PathBuf, Going)> = some
            .iter()
            .filter(|(_, going)| !table.files.knows(&going.object))
            .map(|(name, going)| (root.join(name), going.clone()))
            .collect();
        let sent = futures::stream::iter(to_send.clone())
            .map(|(path, going)| async move { send(pass, &path, &going.object, going.bytes).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>();
        sent.await?;
        let add: Vec<Add> = to_send
            .iter()
            .map(|(_, going)| Add::new(&going.object, going.bytes, going.rows, pass.now_ms))
            .collect();
        if !add.is_empty() {
            let (files, bytes) = (add.len(), add.iter().map(|add| add.size).sum());
            let change = Change {
                operation: "WRITE",
                add,
                remove: Vec::new(),
            };
            table.commit(change, pass.now_ms).await?;
            metrics::bucket_files(&pass.store, "moved", files, bytes);
            tracing::info!(
                store = pass.store,
                files,
                bytes,
                "archive: files are in the object store"
            );
        }
        for (name, _) in some {
            if let Some(going) = moving.files.get_mut(name) {
                going.arrived = true;
            }
        }
        moving.save(&pass.layout)?;
    }
    Ok(())
}

/// What the table has never heard of has not arrived, whatever was noted: somebody emptied the bucket, or put an older
/// copy in its place.
fn forget_lost(pass: &Pass, table: &Table, moving: &mut Moving) -> Result<(), Error> {
    let mut files = 0_usize;
    for going in moving.files.values_mut() {
        if going.arrived && !table.files.knows(&going.object) {
            going.arrived = false;
            files += 1;
        }
    }
    if files > 0 {
        tracing::error!(
            store = pass.store,
            files,
            "archive: the table was emptied or is an older copy of itself; files that it does not know are still on the disk and are sent again"
        );
        moving.save(&pass.layout)?;
    }
    Ok(())
}

/// Sends a file. What an attempt leaves is overwritten by the next.
pub(super) async fn send(pass: &Pass, path: &Path, object: &str, bytes: u64) -> Result<(), Error> {
    let to = Object::from(object);
    let sent = if bytes <= PART_BYTES as u64 {
        let (part, rest) = part_of(path, 0).await?;
        if rest || part.len() as u64 != bytes {
            return Err(changed(path));
        }
        let sent = pass.objects.put(&to, PutPayload::from(part)).await;
        sent.map(drop)
    } else {
        let upload = pass.objects.put_multipart(&to).await;
        let mut upload = upload.map_err(Error::bucket("write", object))?;
        match send_parts(&mut upload, path, bytes).await {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => {
                // Best effort: what stays is what a lifecycle rule of the bucket is for.
                if let Err(error) = upload.abort().await {
                    tracing::debug!(%error, "archive: parts of an upload stay for now");
                }
                return Err(error);
            }
        }
    };
    sent.map_err(Error::bucket("write", object))
}

async fn send_parts(
    upload: &mut Box<dyn MultipartUpload>,
    path: &Path,
    bytes: u64,
) -> Result<(), Error> {
    let mut at = 0;
    loop {
        let (part, rest) = part_of(path, at).await?;
        at += part.len() as u64;
        let sent = upload.put_part(PutPayload::from(part)).await;
        sent.map_err(Error::bucket("write a part of", path.display()))?;
        if !rest {
            break;
        }
    }
    if at == bytes {
        Ok(())
    } else {
        Err(changed(path))
    }
}

fn changed(path: &Path) -> Error {
    Error::Unusable(format!("{} changed while it was sent", path.display()))
}

/// The bytes from `at` on that are sent at once, and whether there are more.
async fn part_of(path: &Path, at: u64) -> Result<(Vec<u8>, bool), Error> {
    use std::io::{Seek as _, SeekFrom};
    let path = path.to_owned();
    blocking(move || {
        let read = || {
            let mut file = File::open(&path)?;
            let bytes = file.metadata()?.len();
            file.seek(SeekFrom::Start(at))?;
            let mut part = Vec::new();
            file.take(PART_BYTES as u64).read_to_end(&mut part)?;
            let rest = at + (part.len() as u64) < bytes;
            Ok((part, rest))
        };
        read().map_err(Error::io("read", &path))
    })
    .await
}
