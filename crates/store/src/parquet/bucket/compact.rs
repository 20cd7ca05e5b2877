//! Small objects of a day become large ones, while readers see the small or the large ones and never both.
//!
//! A consumer's files of a day are merged on its disk before they go. What is small in the object store comes from
//! several consumers, or late. One archive does the work for a day, the one that has its first small object; when that is
//! gone for good, whichever comes first after a week: the table lets one of several through.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use object_store::ObjectStoreExt as _;
use object_store::path::Path as Object;

use super::actions::Add;
use super::table::{Change, Table};
use super::upload::{self, PART_BYTES};
use super::{Committed, Pass, blocking};
use crate::metrics;
use crate::parquet::disk;
use crate::parquet::error::Error;
use crate::parquet::layout::Day;
use crate::parquet::merge::{self, Input};

/// A day that is over so long is anybody's.
const ABANDONED_MS: i64 = 7 * 86_400_000;

/// How names of what is merged here begin.
const PREFIX: &str = "bucket-";

/// Merges what there is to merge.
pub(super) async fn compact(pass: &Pass, table: &mut Table) -> Result<(), Error> {
    tidy(pass)?;
    for group in groups(table, pass) {
        match compact_group(pass, table, &group).await {
            // A damaged object stays as it is, and the other days do not wait for it.
            Err(error @ (Error::Decode { .. } | Error::Miscounted { .. })) => {
                tracing::error!(%error, "archive: small objects stay as they are");
            }
            other => other?,
        }
        tidy(pass)?;
    }
    Ok(())
}

/// Removes what was fetched, now or before a crash.
fn tidy(pass: &Pass) -> Result<(), Error> {
    let incoming = pass.layout.incoming();
    for name in merge::list(&incoming)? {
        if name.to_string_lossy().starts_with(PREFIX) {
            disk::remove(&incoming.join(name))?;
        }
    }
    Ok(())
}

/// Small objects of one day that become one.
fn groups(table: &Table, pass: &Pass) -> Vec<Vec<Add>> {
    let small = table.files.live.values();
    let small: Vec<&Add> = small
        .filter(|add| add.size < merge::LARGE_BYTES && is_an_archives(&add.path))
        .collect();
    let mut groups = Vec::new();
    for day in small.chunk_by(|one, other| one.day() == other.day()) {
        let Some(first) = day.first() else { continue };
        let ended_ms = Day::parse(first.day()).map_or(i64::MAX, Day::end_ms);
        let is_ours = first.path.contains(&format!("/{}-", pass.archive));
        if day.len() < merge::FEWEST
            || !(is_ours || ended_ms.saturating_add(ABANDONED_MS) <= pass.now_ms)
        {
            continue;
        }
        let mut bytes = 0;
        let mut of_day: Vec<Vec<Add>> = Vec::new();
        for add in day {
            bytes += add.size;
            match of_day.last_mut() {
                Some(group) if group.len() < merge::FAN_IN && bytes <= merge::MERGED_BYTES => {
                    group.push((*add).clone());
                }
                _ => {
                    bytes = add.size;
                    of_day.push(vec![(*add).clone()]);
                }
            }
        }
        of_day.retain(|group| group.len() > 1);
        groups.extend(of_day);
    }
    groups
}

/// Whether an archive gave the object its name: what others put into the table is theirs.
fn is_an_archives(path: &str) -> bool {
    let name = path.split_once('/').map_or(path, |(_, name)| name);
    let archive = name.split_once('-').map_or("", |(archive, _)| archive);
    archive.len() == 16 && archive.bytes().all(|byte| byte.is_ascii_hexdigit())
}

async fn compact_group(pass: &Pass, table: &mut Table, group: &[Add]) -> Result<(), Error> {
    let mut inputs = Vec::new();
    for (number, add) in group.iter().enumerate() {
        let path = pass
            .layout
            .incoming()
            .join(format!("{PREFIX}{number:03}.tmp"));
        fetch(pass, add, &path).await?;
        match blocking(move || Input::inspect(&path)).await? {
            Some(input) => inputs.push(input),
            None => return Ok(()),
        }
    }
    let rows = inputs.iter().map(|input| input.rows).sum();
    let output = pass.layout.incoming().join(format!("{PREFIX}merged.tmp"));
    let merged = {
        let output = output.clone();
        move || {
            merge::merge_files(&inputs, &output)?;
            let bytes = fs::metadata(&output)
                .map_err(Error::io("measure", &output))?
                .len();
            Ok((upload::hash(&output)?, bytes))
        }
    };
    let (hash, bytes) = blocking(merged).await?;
    let Some(first) = group.first() else {
        return Ok(());
    };
    let object = format!(
        "{}/{}-merged-{:013}-{hash}.parquet",
        first.day(),
        pass.archive,
        pass.now_ms
    );
    upload::send(pass, &output, &object, bytes).await?;
    let mut add = Add::new(&object, bytes, rows, pass.now_ms);
    // The same rows in other files: who follows the table's changes need not look.
    add.data_change = false;
    let change = Change {
        operation: "OPTIMIZE",
        add: vec![add],
        remove: group
            .iter()
            .map(|add| add.removed(pass.now_ms, false))
            .collect(),
    };
    match table.commit(change, pass.now_ms).await? {
        Committed::Done => {
            let before = group.iter().map(|add| add.size).sum();
            metrics::bucket_files(&pass.store, "compacted", group.len(), before);
            tracing::info!(
                store = pass.store,
                day = first.day(),
                before = group.len(),
                bytes,
                "archive: small objects became one"
            );
        }
        // Somebody else did the same; nothing names what we sent, and it goes with the next day's.
        Committed::Outdated => tracing::debug!("archive: somebody else merged these objects"),
    }
    Ok(())
}

/// Fetches an object in parts, so that none of them takes longer than a request may.
async fn fetch(pass: &Pass, add: &Add, path: &Path) -> Result<(), Error> {
    let from = Object::from(add.path.as_str());
    let mut at = 0;
    while at < add.size {
        let end = add.size.min(at + PART_BYTES as u64);
        let part = pass.objects.get_range(&from, at..end).await;
        let part = part.map_err(Error::bucket("read", &add.path))?;
        at += part.len() as u64;
        if part.is_empty() {
            return Err(Error::Unusable(format!(
                "{} is shorter than the table says",
                add.path
            )));
        }
        let path = path.to_owned();
        blocking(move || append(&path, &part)).await?;
    }
    Ok(())
}

fn append(path: &PathBuf, part: &Bytes) -> Result<(), Error> {
    use std::io::Write as _;
    fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(part))
        .map_err(Error::io("write", path))
}
