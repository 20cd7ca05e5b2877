//! The samples of one request by metric name, in arrival order within one.

use bytes::Bytes;
use codec::catalogue::Catalogue;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::Batch;
use smallvec::SmallVec;

/// The samples of one metric name in one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub hash: u64,
    pub name: NameOf,
    start: usize,
    len: usize,
}

/// Where a group has its name from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameOf {
    /// A series of the batch.
    Series(u32),
    /// A name of the catalogue.
    Known(u32),
}

impl NameOf {
    /// The name.
    pub(super) fn find<'n>(
        self,
        batch: &'n Batch<'_>,
        catalogue: &'n Catalogue,
    ) -> Option<Name<'n>> {
        let text = match self {
            Self::Series(series) => &batch.series(series)?.name,
            Self::Known(name) => catalogue.name(name)?,
        };
        Some(Name { text, of: self })
    }
}

/// The name of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'n> {
    pub text: &'n str,
    of: NameOf,
}

impl Name<'_> {
    /// The key of its records, which those of a name that a catalogue knows share.
    pub(super) fn key(self, catalogue: &Catalogue) -> Bytes {
        let shared = match self.of {
            NameOf::Series(_) => None,
            NameOf::Known(name) => catalogue.key(name),
        };
        shared.unwrap_or_else(|| Bytes::copy_from_slice(self.text.as_bytes()))
    }
}

/// Most requests have few samples: theirs need no memory of their own.
type List = SmallVec<[Group; 8]>;
type Numbers = SmallVec<[u32; 16]>;

#[derive(Debug)]
pub(super) struct Groups {
    groups: List,
    /// Positions of samples in the batch, group by group.
    order: Numbers,
}

/// The groups of one shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardGroups<'a> {
    groups: &'a [Group],
    order: &'a [u32],
}

impl Groups {
    pub(super) fn of(
        batch: &Batch<'_>,
        catalogue: &Catalogue,
        hash: impl Fn(&str) -> u64,
        seed: u64,
    ) -> Self {
        let mut groups = List::new();
        let (of_series, by_text) = group_series(batch, |name| hash(name) ^ seed, &mut groups);
        let mut known = KnownNames::new(batch, catalogue, seed, by_text);
        let samples = batch.samples();
        let mut group_of = Numbers::from_elem(0, samples.len());
        for (sample, slot) in samples.iter().zip(&mut group_of) {
            let group = match sample.known() {
                Some(series) => known.group(series, &mut groups),
                None => of_series.get(sample.series as usize).copied(),
            };
            *slot = group.unwrap_or_default();
        }
        let mut order = Numbers::from_elem(0, samples.len());
        put_in_order(&mut groups, &group_of, &mut order);
        // Series whose samples were all refused have left a group behind.
        groups.retain(|group| group.len > 0);
        Self { groups, order }
    }

    /// The groups of each shard that has any, of so many shards (a power of two).
    pub(super) fn by_shard(
        &mut self,
        shards: usize,
    ) -> impl Iterator<Item = (usize, ShardGroups<'_>)> {
        let shard_of = move |group: &Group| shard_of(group.hash, shards);
        self.groups.sort_unstable_by_key(shard_of);
        let order = self.order.as_slice();
        self.groups
            .chunk_by(move |a, b| shard_of(a) == shard_of(b))
            .filter_map(move |groups| {
                let first = groups.first()?;
                Some((shard_of(first), ShardGroups { groups, order }))
            })
    }
}

impl<'a> ShardGroups<'a> {
    /// Each group with the positions of its samples.
    pub(super) fn iter(self) -> impl Iterator<Item = (Group, &'a [u32])> {
        self.groups.iter().map(move |group| {
            let positions = self.order.get(group.start..group.start + group.len);
            (*group, positions.unwrap_or_default())
        })
    }
}

/// Counts the samples of each group, and puts their positions where the group's are.
fn put_in_order(groups: &mut [Group], group_of: &[u32], order: &mut [u32]) {
    for group in group_of {
        if let Some(group) = groups.get_mut(*group as usize) {
            group.len += 1;
        }
    }
    let mut start = 0;
    for group in &mut *groups {
        group.start = start;
        start += group.len;
        group.len = 0;
    }
    for (position, group) in (0_u32..).zip(group_of) {
        if let Some(group) = groups.get_mut(*group as usize) {
            if let Some(slot) = order.get_mut(group.start + group.len) {
                *slot = position;
            }
            group.len += 1;
        }
    }
}

/// The table inside a shard uses the low and the highest bits of a hash, the shards those between.
fn shard_of(hash: u64, shards: usize) -> usize {
    (hash >> 32) as usize & (shards - 1)
}

/// The groups of names that a catalogue knows.
struct KnownNames<'c> {
    batch: &'c Batch<'c>,
    catalogue: &'c Catalogue,
    seed: u64,
    /// Those that series of the batch have made: a name that some series have by number and others by its text
    /// is in one group, so that samples of the same series keep their order.
    by_text: HashTable<u32>,
    /// The group of each name by its number, where there are not many names for a body of this size.
    by_number: Vec<u32>,
    /// The number of each other name and its group.
    table: HashTable<(u32, u32)>,
    last: Option<(u32, u32)>,
}

/// So many groups are looked through.
const FEW: usize = 16;

/// A name that has no group yet.
const NO_GROUP: u32 = u32::MAX;

impl<'c> KnownNames<'c> {
    fn new(
        batch: &'c Batch<'c>,
        catalogue: &'c Catalogue,
        seed: u64,
        by_text: HashTable<u32>,
    ) -> Self {
        let names = catalogue.names();
        let is_worth_it = names <= 2 * batch.samples().len();
        Self {
            batch,
            catalogue,
            seed,
            by_text,
            by_number: vec![NO_GROUP; if is_worth_it { names } else { 0 }],
            table: HashTable::new(),
            last: None,
        }
    }

    /// The group of a series' name, made if there is none.
    #[inline]
    fn group(&mut self, series: u32, groups: &mut List) -> Option<u32> {
        let name = self.catalogue.name_of(series)?;
        // Senders mostly list a metric's series one after the other.
        if let Some((last, group)) = self.last
            && last == name
        {
            return Some(group);
        }
        let group = match self.by_number.get(name as usize) {
            Some(&NO_GROUP) => {
                let group = self.new_group(name, self.hash(name)?, groups)?;
                if let Some(slot) = self.by_number.get_mut(name as usize) {
                    *slot = group;
                }
                group
            }
            Some(group) => *group,
            None => self.find(name, groups)?,
        };
        self.last = Some((name, group));
        Some(group)
    }

    fn hash(&self, name: u32) -> Option<u64> {
        Some(self.catalogue.name_hash(name)? ^ self.seed)
    }

    /// The group of a name: of few it is looked for one by one, of many by its hash.
    fn find(&mut self, name: u32, groups: &mut List) -> Option<u32> {
        let hash = self.hash(name)?;
        if groups.len() <= FEW {
            let is_it = |group: &Group| group.name == NameOf::Known(name);
            if let Some(group) = groups.iter().position(is_it) {
                return u32::try_from(group).ok();
            }
            return self.new_group(name, hash, groups);
        }
        if self.table.is_empty() {
            for (number, group) in (0_u32..).zip(&*groups) {
                if let NameOf::Known(name) = group.name {
                    self.insert(group.hash, (name, number), groups);
                }
            }
        }
        let is_it = |(known, _): &(u32, u32)| *known == name;
        if let Some((_, group)) = self.table.find(hash, is_it) {
            return Some(*group);
        }
        let group = self.new_group(name, hash, groups)?;
        self.insert(hash, (name, group), groups);
        Some(group)
    }

    fn insert(&mut self, hash: u64, entry: (u32, u32), groups: &[Group]) {
        let hash_of =
            |(_, group): &(u32, u32)| groups.get(*group as usize).map_or(0, |group| group.hash);
        self.table.insert_unique(hash, entry, hash_of);
    }

    /// The group that series of the batch have made for this name, or one of its own.
    fn new_group(&self, name: u32, hash: u64, groups: &mut List) -> Option<u32> {
        // Mostly there is none.
        if !self.by_text.is_empty() {
            let text = self.catalogue.name(name)?;
            let is_it = |group: &u32| is_of(groups, *group, hash, text, self.batch);
            if let Some(group) = self.by_text.find(hash, is_it) {
                return Some(*group);
            }
        }
        let group = u32::try_from(groups.len()).ok()?;
        groups.push(Group {
            hash,
            name: NameOf::Known(name),
            start: 0,
            len: 0,
        });
        Some(group)
    }
}

/// Whether a group is that of a name which a series of the batch has.
fn is_of(groups: &[Group], group: u32, hash: u64, name: &str, batch: &Batch<'_>) -> bool {
    groups.get(group as usize).is_some_and(|group| {
        let NameOf::Series(series) = group.name else {
            return false;
        };
        group.hash == hash
            && batch
                .series(series)
                .is_some_and(|series| series.name == name)
    })
}

/// Makes a group per name, and answers the group of each series and all groups by their hash.
fn group_series(
    batch: &Batch<'_>,
    hash: impl Fn(&str) -> u64,
    groups: &mut List,
) -> (Vec<u32>, HashTable<u32>) {
    let mut table: HashTable<u32> = HashTable::new();
    let mut group_of_series: Vec<u32> = Vec::with_capacity(batch.all_series().len());
    let mut last: Option<(&str, u32)> = None;
    for (number, series) in (0_u32..).zip(batch.all_series()) {
        let name = series.name.as_ref();
        // Senders mostly list a metric's series one after the other.
        if let Some((last_name, group)) = last
            && last_name == name
        {
            group_of_series.push(group);
            continue;
        }
        let hash = hash(name);
        let entry = table.entry(
            hash,
            |group| is_of(groups, *group, hash, name, batch),
            |group| groups.get(*group as usize).map_or(0, |group| group.hash),
        );
        let group = match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(slot) => {
                let group = u32::try_from(groups.len()).unwrap_or(u32::MAX);
                groups.push(Group {
                    hash,
                    name: NameOf::Series(number),
                    start: 0,
                    len: 0,
                });
                slot.insert(group);
                group
            }
        };
        last = Some((name, group));
        group_of_series.push(group);
    }
    (group_of_series, table)
}

#[cfg(test)]
mod tests;
