//! Names in the archive's folder.
//!
//! Readers see `date=YYYY-MM-DD/*.parquet` and nothing else: files that are being written, and those
//! of samples without such a date, have another ending and lie in folders that start with an underscore.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Span;
use jiff::civil::Date;

const DAY_MS: i64 = 86_400_000;

/// Where samples go that have no date of four digits: one such time in a file that readers see can
/// make every query over the archive fail.
const UNDATED: &str = "_undated";

const EPOCH: Date = Date::constant(1970, 1, 1);

/// Days from 0001-01-01 to 9999-12-31, counted from the Unix epoch.
const CALENDAR: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// A day since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i64);

impl Day {
    /// All days that have no date of four digits.
    const NEVER: Self = Self(i64::MAX);

    /// The day of a sample.
    pub(super) fn of(at_ms: i64) -> Self {
        let day = at_ms.div_euclid(DAY_MS);
        if CALENDAR.contains(&day) {
            Self(day)
        } else {
            Self::NEVER
        }
    }

    /// Its first millisecond.
    pub(super) fn start_ms(self) -> i64 {
        self.0.saturating_mul(DAY_MS)
    }

    /// The first millisecond after it.
    pub(super) fn end_ms(self) -> i64 {
        self.0.saturating_add(1).saturating_mul(DAY_MS)
    }

    /// The day's folder.
    pub(super) fn folder(self) -> String {
        let date = CALENDAR
            .contains(&self.0)
            .then(|| EPOCH.checked_add(Span::new().days(self.0)));
        match date {
            Some(Ok(date)) => format!("date={date}"),
            _ => UNDATED.to_owned(),
        }
    }

    /// Whether readers see it.
    pub(super) fn is_dated(self) -> bool {
        self != Self::NEVER
    }

    /// What its files' names end in.
    fn ending(self) -> &'static str {
        if self.is_dated() {
            "parquet"
        } else {
            "parquet.undated"
        }
    }

    /// The day of a folder, if it is one of ours and has a date.
    pub(super) fn parse(folder: &str) -> Option<Self> {
        let text = folder.strip_prefix("date=")?;
        let date: Date = text.parse().ok()?;
        // Only the exact spelling: nothing that merely looks like a day is ever deleted.
        if date.to_string() != text {
            return None;
        }
        Some(Self(date.duration_since(EPOCH).as_hours() / 24))
    }
}

/// Where things are below the archive's root.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below `root`.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The archive's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Files that are being written; on the same file system, so that a rename moves them.
    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join("_incoming")
    }

    /// Manifests.
    pub(super) fn manifests(&self) -> PathBuf {
        self.root.join("_manifest")
    }

    /// Held shared while files become visible or go, exclusively while a day's folder is exchanged.
    pub(super) fn install_lock(&self) -> PathBuf {
        self.manifests().join("install.lock")
    }

    /// Held by the one process that merges.
    pub(super) fn merge_lock(&self) -> PathBuf {
        self.manifests().join("merge.lock")
    }

    /// Held by everybody who has the archive open.
    pub(super) fn writers_lock(&self) -> PathBuf {
        self.manifests().join("writers.lock")
    }

    /// Held while a partition changes hands, or its files become visible.
    pub(super) fn partition_lock(&self, partition: i32) -> PathBuf {
        self.manifests().join(format!("p{partition:05}.lock"))
    }

    /// Who resumed a partition last.
    pub(super) fn owner(&self, partition: i32) -> PathBuf {
        self.manifests().join(format!("p{partition:05}.owner"))
    }

    /// What is known of files that go to the object store.
    pub(super) fn moving(&self) -> PathBuf {
        self.manifests().join("moving.note")
    }

    /// The archive's own name.
    pub(super) fn archive_name(&self) -> PathBuf {
        self.manifests().join("archive.name")
    }

    /// Where merged days are prepared: beside the archive, because a file that ends in `.parquet`
    /// anywhere below it is seen by readers. `None` when there is no place beside it.
    pub(super) fn merging(&self) -> Option<PathBuf> {
        let root = self.root.canonicalize().ok()?;
        let name = root.file_name()?.to_str()?;
        Some(root.parent()?.join(format!(".{name}-merging")))
    }

    /// Whether a file of a day's folder is named by us.
    pub(super) fn is_ours(name: &str) -> bool {
        let rest = name
            .strip_prefix("merged-")
            .or_else(|| name.strip_prefix('p'));
        name.ends_with(".parquet")
            && rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    }

    /// A partition's manifest.
    pub(super) fn manifest(&self, partition: i32) -> PathBuf {
        self.manifests().join(format!("p{partition:05}.json"))
    }

    /// How the names of a partition's files start.
    pub(super) fn prefix(partition: i32) -> String {
        format!("p{partition:05}-")
    }

    /// A name for the file of `day` that nobody has yet but those in `replaced`, below the root. Only a
    /// buffer that counts its offsets anew makes a second name necessary: the samples there are other
    /// ones, and stay.
    pub(super) fn free_name(
        &self,
        partition: i32,
        first: i64,
        day: Day,
        replaced: &BTreeSet<String>,
    ) -> String {
        let stem = format!("{}/{}{first:020}", day.folder(), Self::prefix(partition));
        let ending = day.ending();
        let is_free = |name: &String| replaced.contains(name) || !self.root.join(name).exists();
        let plain = format!("{stem}.{ending}");
        if is_free(&plain) {
            return plain;
        }
        (2_u64..)
            .map(|number| format!("{stem}-{number}.{ending}"))
            .find(is_free)
            .unwrap_or(plain)
    }

    /// The temporary name of a file, which no other owner of the partition uses.
    pub(super) fn temporary(&self, partition: i32, first: i64, day: Day, token: &str) -> PathBuf {
        let prefix = Self::prefix(partition);
        self.incoming()
            .join(format!("{prefix}{first:020}-{}-{token}.tmp", day.folder()))
    }
}
