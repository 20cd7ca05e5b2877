//! The log on disk: the only code that names `fjall`.
//!
//! Four keyspaces: `records` and `dead` (offset → entry, appended in order, forgotten from the
//! old end), `meta` (identity, first offsets, closed segments, cursors) and `tables`. A batch over all of
//! them is one entry of the journal: it is there whole after a crash, or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use fjall::config::{BlockSizePolicy, CompressionPolicy, FilterPolicy, PinningPolicy};
use fjall::{
    AbstractTree, CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch,
    PersistMode,
};

use super::config::Tuning;
use super::entry::{self, Buried, RecordDecoder};
use super::failure::Failure;
use super::journal;
use super::tables::Put;
use crate::Consumed;

/// Which of the two sequences of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Records,
    Dead,
}

impl Lane {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Dead => "dead",
        }
    }

    /// Where `meta` keeps the first offset that exists.
    pub(super) fn start_key(self) -> Vec<u8> {
        format!("{}/start", self.name()).into_bytes()
    }

    pub(super) fn segments_prefix(self) -> Vec<u8> {
        format!("{}/segment/", self.name()).into_bytes()
    }

    pub(super) fn segment_key(self, first: u64) -> Vec<u8> {
        let mut key = self.segments_prefix();
        key.extend(first.to_be_bytes());
        key
    }
}

pub(super) const CURSORS_PREFIX: &[u8] = b"cursor/";
const ID: &str = "id";
const FORMAT: &str = "format";
/// Grows when older versions could misread the directory.
const FORMAT_VERSION: u64 = 1;

pub(super) fn cursor_key(reader: &str) -> Vec<u8> {
    [CURSORS_PREFIX, reader.as_bytes()].concat()
}

/// Where `tables` keeps an entry: the length of the table's name, the name, the key.
fn entry_key(table: &str, key: &[u8]) -> Vec<u8> {
    let name_len = u8::try_from(table.len()).unwrap_or(u8::MAX);
    [&[name_len], table.as_bytes(), key].concat()
}

pub(super) fn split_entry_key(mut stored: Bytes) -> Option<(Arc<str>, Bytes)> {
    let name_len = usize::from(*stored.first()?);
    if stored.len() < 1 + name_len {
        return None;
    }
    let key = stored.split_off(1 + name_len);
    let name = std::str::from_utf8(stored.get(1..)?).ok()?;
    Some((Arc::from(name), key))
}

/// Handles of an open log. Clones are the same log; it closes with the last one.
#[derive(Clone)]
pub(super) struct Store {
    database: Database,
    records: Keyspace,
    dead: Keyspace,
    meta: Keyspace,
    tables: Keyspace,
}

/// A write that is not done yet.
pub(super) struct Batch {
    write: OwnedWriteBatch,
    /// Of `meta`; none removes. The last word on a key counts, because the engine may see it only once per batch.
    meta: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The same of `tables`.
    tables: BTreeMap<Vec<u8>, Option<Bytes>>,
}

/// An attempt to read.
#[derive(Debug)]
pub(super) enum Read {
    Records(Vec<Consumed>),
    /// There is nothing at the first offset asked for; the next record is here.
    Missing {
        next: u64,
    },
}

fn database(dir: &Path) -> fjall::DatabaseBuilder<Database> {
    Database::builder(dir)
        // Readers follow the writer and find what they need in the memtable or the page cache.
        .cache_size(2 << 20)
        .max_cached_files(Some(64))
        .worker_threads(1)
        // The least; `meta` is flushed when sealed journals reach it.
        .max_journaling_size(64 << 20)
        .manual_journal_persist(true)
}

fn entries(memtable_bytes: u64) -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(memtable_bytes)
        .manual_journal_persist(true)
        // Tables move from level to level unchanged, because offsets only grow: compress at once.
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        .data_block_size_policy(BlockSizePolicy::all(32 << 10))
        .index_block_pinning_policy(PinningPolicy::all(false))
        // Only ranges are read.
        .filter_policy(FilterPolicy::disabled())
}

/// Values of up to a record's size, written again and again under the same keys.
fn tables(memtable_bytes: u64) -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(memtable_bytes)
        .manual_journal_persist(true)
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        // Read as a whole when the log is opened, and never again.
        .filter_policy(FilterPolicy::disabled())
}

fn small() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(1 << 20)
        .manual_journal_persist(true)
}

impl Store {
    /// Makes a new log in `dir`, which must not be there or be empty: first beside it, so that a crash
    /// leaves either nothing or all of it.
    pub(super) fn create(dir: &Path, id: &str, tuning: &Tuning) -> Result<(), Failure> {
        let parent = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(".creating");
        let unfinished = parent.join(name);
        std::fs::create_dir_all(parent)?;
        if unfinished.try_exists()? {
            std::fs::remove_dir_all(&unfinished)?;
        }
        let store = Self::keyspaces(database(&unfinished).open()?, tuning)?;
        let mut batch = store.batch();
        batch.put(ID.as_bytes().to_vec(), id.as_bytes());
        batch.put(FORMAT.as_bytes().to_vec(), &FORMAT_VERSION.to_be_bytes());
        store.write(batch)?;
        store.sync()?;
        drop(store);
        std::fs::rename(&unfinished, dir)?;
        std::fs::File::open(parent)?.sync_all()?;
        Ok(())
    }

    /// Opens what [`Self::create`] made, and answers its id too.
    pub(super) fn open(dir: &Path, tuning: &Tuning) -> Result<(Self, String), Failure> {
        journal::check(dir)?;
        let store = Self::keyspaces(database(dir).open()?, tuning)?;
        let format = store.number(FORMAT)?;
        if format != Some(FORMAT_VERSION) {
            return Err(Failure::corrupt(format!(
                "format {format:?}, this version reads {FORMAT_VERSION}"
            )));
        }
        let id = store.meta.get(ID)?.unwrap_or_default();
        let id = String::from_utf8_lossy(&id).into_owned();
        Ok((store, id))
    }

    fn keyspaces(database: Database, tuning: &Tuning) -> Result<Self, Failure> {
        let memtable_bytes = tuning.memtable_bytes;
        Ok(Self {
            records: database.keyspace(Lane::Records.name(), || entries(memtable_bytes))?,
            dead: database.keyspace(Lane::Dead.name(), || entries(memtable_bytes.min(4 << 20)))?,
            meta: database.keyspace("meta", small)?,
            // Logs of older versions do not have it: it is made then.
            tables: database.keyspace("tables", || tables(memtable_bytes.min(4 << 20)))?,
            database,
        })
    }

    const fn lane(&self, lane: Lane) -> &Keyspace {
        match lane {
            Lane::Records => &self.records,
            Lane::Dead => &self.dead,
        }
    }

    fn number(&self, key: impl AsRef<[u8]>) -> Result<Option<u64>, Failure> {
        let Some(stored) = self.meta.get(key)? else {
            return Ok(None);
        };
        let number = stored
            .as_ref()
            .try_into()
            .map_err(|_| Failure::corrupt("a number of its own is not a number".to_owned()))?;
        Ok(Some(u64::from_be_bytes(number)))
    }

    /// The first offset that exists, as stored.
    pub(super) fn start(&self, lane: Lane) -> Result<u64, Failure> {
        Ok(self.number(lane.start_key())?.unwrap_or(0))
    }

    /// Everything in `meta` below a prefix, in order, without the prefix.
    pub(super) fn meta(&self, prefix: &[u8]) -> Result<Vec<(Bytes, Bytes)>, Failure> {
        let mut found = Vec::new();
        for pair in self.meta.prefix(prefix) {
            let (key, value) = pair.into_inner()?;
            found.push((Bytes::from(key).split_off(prefix.len()), value.into()));
        }
        Ok(found)
    }

    /// Every entry of every table: table, key, value.
    pub(super) fn table_entries(
        &self,
    ) -> impl Iterator<Item = Result<(Arc<str>, Bytes, Bytes), Failure>> {
        self.tables.iter().map(|pair| {
            let (key, value) = pair.into_inner()?;
            let (table, key) = split_entry_key(key.into())
                .ok_or_else(|| Failure::corrupt("an entry of a table has no table".to_owned()))?;
            Ok((table, key, value.into()))
        })
    }

    /// Entries from an offset on, with their offsets, oldest first.
    pub(super) fn scan(
        &self,
        lane: Lane,
        from: u64,
        to: u64,
    ) -> impl Iterator<Item = Result<(u64, Bytes), Failure>> {
        self.lane(lane)
            .range(from.to_be_bytes()..to.to_be_bytes())
            .map(|pair| {
                let (key, value) = pair.into_inner()?;
                let offset = key
                    .as_ref()
                    .try_into()
                    .map_err(|_| Failure::corrupt("an offset is not a number".to_owned()))?;
                Ok((u64::from_be_bytes(offset), value.into()))
            })
    }

    /// Consecutive records of `from..to`, until they have `max_bytes`.
    pub(super) fn read(&self, from: u64, to: u64, max_bytes: usize) -> Result<Read, Failure> {
        let mut records = Vec::new();
        let mut decoder = RecordDecoder::default();
        let mut bytes = 0;
        for (expected, found) in (from..to).zip(self.scan(Lane::Records, from, to)) {
            let (offset, stored) = found?;
            if offset != expected && records.is_empty() {
                return Ok(Read::Missing { next: offset });
            }
            if offset != expected || bytes >= max_bytes {
                break;
            }
            bytes += stored.len();
            let record = decoder
                .decode(i64::try_from(offset).unwrap_or(i64::MAX), stored)
                .map_err(|error| Failure::corrupt(format!("record {offset}: {error}")))?;
            records.push(record);
        }
        if records.is_empty() {
            return Ok(Read::Missing { next: to });
        }
        Ok(Read::Records(records))
    }

    /// The newest dead letters, oldest of them first.
    pub(super) fn dead_letters(&self, from: u64, to: u64) -> Result<Vec<Buried>, Failure> {
        self.scan(Lane::Dead, from, to)
            .map(|found| {
                let (number, stored) = found?;
                entry::decode_dead_letter(number, stored)
                    .map_err(|error| Failure::corrupt(format!("dead letter {number}: {error}")))
            })
            .collect()
    }

    pub(super) fn batch(&self) -> Batch {
        Batch {
            // Into the page cache at the commit; the fsync is `sync`.
            write: self.database.batch().durability(Some(PersistMode::Buffer)),
            meta: BTreeMap::new(),
            tables: BTreeMap::new(),
        }
    }

    pub(super) fn append(&self, batch: &mut Batch, lane: Lane, offset: u64, stored: Bytes) {
        let keyspace = self.lane(lane);
        batch.write.insert(keyspace, offset.to_be_bytes(), stored);
    }

    /// Hands a batch to the operating system. On failure the log must be opened again, because
    /// how much of it is in the file is unknown until then.
    pub(super) fn write(&self, batch: Batch) -> Result<(), Failure> {
        let Batch {
            mut write,
            meta,
            tables,
        } = batch;
        for (key, value) in meta {
            match value {
                Some(value) => write.insert(&self.meta, key, value),
                None => write.remove(&self.meta, key),
            }
        }
        for (key, value) in tables {
            match value {
                Some(value) => write.insert(&self.tables, key, value),
                None => write.remove(&self.tables, key),
            }
        }
        Ok(write.commit()?)
    }

    /// Makes everything written durable. On failure nobody can know what is: the kernel may have
    /// dropped the pages, so that a second attempt would succeed without having written them.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        self.database
            .persist(PersistMode::SyncData)
            .map_err(Failure::of_sync)
    }

    /// Whether the memtables are flushed as fast as they fill. A write that is committed when they are
    /// not waits in the engine, for ever if its flushing thread has failed.
    pub(super) fn is_keeping_up(&self) -> Result<bool, Failure> {
        self.database.persist(PersistMode::Buffer)?;
        let sealed = [&self.records, &self.dead, &self.tables]
            .map(Keyspace::sealed_memtable_count)
            .iter()
            .sum::<usize>();
        Ok(sealed < 2)
    }

    /// Whether all that was turned over from memory has reached table files.
    pub(super) fn is_flushed(&self, lane: Lane) -> bool {
        self.lane(lane).sealed_memtable_count() == 0
    }

    /// Deletes the table files that hold entries below `start` alone. The newest entry's table
    /// stays: the engine takes from it what it need not replay.
    pub(super) fn drop_tables_below(
        &self,
        lane: Lane,
        start: u64,
        end: u64,
    ) -> Result<(), Failure> {
        let below = start.min(end.saturating_sub(1));
        self.lane(lane)
            .tree
            .drop_range(..below.to_be_bytes())
            .map_err(|error| fjall::Error::from(error).into())
    }

    /// Bytes on disk, journals included.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.database.disk_space().unwrap_or(0)
    }
}

impl Batch {
    /// Sets a key of `meta`.
    pub(super) fn put(&mut self, key: Vec<u8>, value: &[u8]) {
        self.meta.insert(key, Some(value.to_vec()));
    }

    /// Removes a key of `meta`.
    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.meta.insert(key, None);
    }

    /// Sets or removes an entry of a table.
    pub(super) fn put_entry(&mut self, put: &Put) {
        self.tables
            .insert(entry_key(&put.table, &put.key), put.value.clone());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.write.is_empty() && self.meta.is_empty() && self.tables.is_empty()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// Shared so that a reader that works on a blocking thread sees a log that was opened again.
pub(super) type SharedStore = Arc<RwLock<Option<Store>>>;
