//! The samples of one request by metric name, in arrival order within one.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::{Batch, Sample};

/// The samples of one metric name in one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub hash: u64,
    /// A series of that name.
    pub series: u32,
    start: usize,
    len: usize,
}

#[derive(Debug)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// Positions of samples in the batch, group by group.
    order: Vec<u32>,
}

/// The groups of one shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardGroups<'a> {
    groups: &'a [Group],
    order: &'a [u32],
}

impl Groups {
    pub(super) fn of(batch: &Batch<'_>, hash: impl Fn(&str) -> u64) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let group_of_series = group_series(batch, hash, &mut groups);
        let samples = batch.samples();
        let group_of = |sample: &Sample| {
            group_of_series
                .get(sample.series as usize)
                .copied()
                .unwrap_or_default() as usize
        };
        for sample in samples {
            if let Some(group) = groups.get_mut(group_of(sample)) {
                group.len += 1;
            }
        }
        let mut start = 0;
        for group in &mut groups {
            group.start = start;
            start += group.len;
            group.len = 0;
        }
        let mut order = vec![0_u32; samples.len()];
        for (position, sample) in (0_u32..).zip(samples) {
            if let Some(group) = groups.get_mut(group_of(sample)) {
                if let Some(slot) = order.get_mut(group.start + group.len) {
                    *slot = position;
                }
                group.len += 1;
            }
        }
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

/// The table inside a shard uses the low and the highest bits of a hash, the shards those between.
fn shard_of(hash: u64, shards: usize) -> usize {
    (hash >> 32) as usize & (shards - 1)
}

/// Makes a group per name and answers the group of each series.
fn group_series(
    batch: &Batch<'_>,
    hash: impl Fn(&str) -> u64,
    groups: &mut Vec<Group>,
) -> Vec<u32> {
    let mut table: HashTable<u32> = HashTable::new();
    let mut group_of_series: Vec<u32> = Vec::with_capacity(batch.all_series().len());
    let name_of = |series: u32| {
        batch
            .series(series)
            .map_or("", |series| series.name.as_ref())
    };
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
            |group| {
                let group = groups.get(*group as usize);
                group.is_some_and(|group| group.hash == hash && name_of(group.series) == name)
            },
            |group| groups.get(*group as usize).map_or(0, |group| group.hash),
        );
        let group = match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(slot) => {
                let group = u32::try_from(groups.len()).unwrap_or(u32::MAX);
                groups.push(Group {
                    hash,
                    series: number,
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
    group_of_series
}
