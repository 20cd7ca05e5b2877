//! What this gateway knows of all groups: what the table told it, and what it did itself in the meantime.
//!
//! An own change counts from when it is durable, although the table tells of it later. Until it does, what it
//! tells about that group is older, and is held back; for a while, because it need not tell of a change that
//! somebody else has replaced at once.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use model::{Code, MetricType, Refusal, Refused};
use prost::Message as _;
use tokio::time::Instant;

use super::Mode;
use super::content::{Content, shown};
use super::group::{Group, Series};

/// After this, the table has told of an own change or never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// A tenant and a family's name.
type FamilyName = (Option<String>, String);

#[derive(Debug, Default)]
pub(crate) struct State {
    groups: BTreeMap<Bytes, Arc<Group>>,
    awaited: HashMap<Bytes, Awaited>,
    /// How many groups have a family of this name and type.
    kinds: HashMap<FamilyName, Vec<(u32, usize)>>,
    /// How many groups have this series.
    series: HashMap<u64, u32>,
    hasher: RandomState,
    bytes: usize,
}

/// An own change that the table has not told of.
#[derive(Debug)]
struct Awaited {
    /// None is a deletion.
    id: Option<Vec<u8>>,
    since: Instant,
    /// What the table told meanwhile.
    held: Option<Option<Group>>,
}

impl State {
    pub(crate) fn get(&self, key: &[u8]) -> Option<Arc<Group>> {
        self.groups.get(key).cloned()
    }

    pub(crate) fn all(&self) -> Vec<(Bytes, Arc<Group>)> {
        let groups = self.groups.iter();
        groups
            .map(|(key, group)| (key.clone(), Arc::clone(group)))
            .collect()
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    /// How large they are together, as they are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The own change to this id (none: deletion) is about to be put into the table.
    pub(crate) fn begin(&mut self, key: &Bytes, id: Option<Vec<u8>>) {
        let awaited = Awaited {
            id,
            since: Instant::now(),
            held: None,
        };
        self.awaited.insert(key.clone(), awaited);
    }

    /// The own change is durable.
    pub(crate) fn confirm(&mut self, key: &Bytes, group: Option<Group>) {
        let id = group.as_ref().map(|group| group.id.clone());
        if self
            .awaited
            .get(key)
            .is_some_and(|awaited| awaited.id == id)
        {
            self.set(key, group);
        }
        // Otherwise the table has told of it, and perhaps of a later one.
    }

    /// The own change may not be durable. If it is after all, the table will tell.
    pub(crate) fn give_up(&mut self, key: &Bytes) {
        if let Some(Awaited {
            held: Some(held), ..
        }) = self.awaited.remove(key)
        {
            self.set(key, held);
        }
    }

    /// The table tells what a group is now.
    pub(crate) fn told(&mut self, key: &Bytes, group: Option<Group>) {
        if let Some(awaited) = self.awaited.get_mut(key) {
            let is_own = awaited.id.as_ref() == group.as_ref().map(|group| &group.id);
            if !is_own && awaited.since.elapsed() < PATIENCE {
                awaited.held = Some(group);
                return;
            }
            self.awaited.remove(key);
        }
        self.set(key, group);
    }

    /// Stops waiting for what does not come.
    pub(crate) fn tidy(&mut self) {
        let late: Vec<Bytes> = self
            .awaited
            .iter()
            .filter(|(_, awaited)| awaited.since.elapsed() >= PATIENCE)
            .map(|(key, _)| key.clone())
            .collect();
        for key in late {
            self.give_up(&key);
        }
    }

    fn set(&mut self, key: &Bytes, group: Option<Group>) {
        let group = group.map(Arc::new);
        if let Some(group) = &group {
            self.count(group, true);
        }
        let before = match group {
            Some(group) => self.groups.insert(key.clone(), group),
            None => self.groups.remove(key),
        };
        if let Some(before) = before {
            self.count(&before, false);
        }
    }

    fn count(&mut self, group: &Group, is_new: bool) {
        let bytes = group.encoded_len();
        if is_new {
            self.bytes += bytes;
        } else {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        for family in &group.families {
            let name = (group.tenant.clone(), family.name.clone());
            let kinds = self.kinds.entry(name.clone()).or_default();
            if is_new {
                match kinds.iter_mut().find(|(kind, _)| *kind == family.kind) {
                    Some((_, count)) => *count += 1,
                    None => kinds.push((family.kind, 1)),
                }
            } else {
                for (kind, count) in kinds.iter_mut() {
                    if *kind == family.kind {
                        *count = count.saturating_sub(1);
                    }
                }
                kinds.retain(|(_, count)| *count > 0);
                if kinds.is_empty() {
                    self.kinds.remove(&name);
                }
            }
        }
        for series in group.series() {
            let hash = self.hash(group.tenant.as_deref(), series);
            match (self.series.entry(hash), is_new) {
                (entry, true) => *entry.or_insert(0) += 1,
                (Entry::Occupied(mut entry), false) => {
                    *entry.get_mut() -= 1;
                    if *entry.get() == 0 {
                        entry.remove();
                    }
                }
                (Entry::Vacant(_), false) => {}
            }
        }
    }

    fn hash(&self, tenant: Option<&str>, series: &Series) -> u64 {
        self.hasher.hash_one((tenant, &series.name, &series.labels))
    }

    /// What of a body contradicts other groups, or what stays of its own: another type of a family, or a series that is
    /// theirs.
    pub(crate) fn conflicts(
        &self,
        tenant: Option<&str>,
        old: Option<&Group>,
        mode: Mode,
        content: &Content,
    ) -> Vec<Refused> {
        let (mut own, mut kept) = (HashSet::new(), HashSet::new());
        for family in old.into_iter().flat_map(|old| &old.families) {
            let replaced = &content.families;
            let is_kept = mode == Mode::ReplaceSameNames
                && replaced
                    .binary_search_by(|it| it.name.cmp(&family.name))
                    .is_err();
            for series in &family.series {
                let hash = self.hash(tenant, series);
                own.insert(hash);
                if is_kept {
                    kept.insert(hash);
                }
            }
        }
        let whys: Vec<Vec<Option<(Code, String)>>> = content
            .families
            .iter()
            .map(|family| {
                let clash = self.other_kind(tenant, old, &family.name, family.kind);
                let series = family.series.iter();
                series
                    .map(|series| match clash {
                        Some(other) => Some((
                            Code::MetadataInvalid,
                            format!(
                                "metric family {:?} is a {} here, but a {} in another group",
                                family.name,
                                MetricType::from_wire(family.kind).as_str(),
                                other.as_str()
                            ),
                        )),
                        None => {
                            let hash = self.hash(tenant, series);
                            let others = self.series.get(&hash).copied().unwrap_or(0);
                            let whose = if others > u32::from(own.contains(&hash)) {
                                "another group"
                            } else if kept.contains(&hash) {
                                "another family of the group"
                            } else {
                                return None;
                            };
                            let why = format!("{whose} has the series {}", shown(series));
                            Some((Code::SampleInvalid, why))
                        }
                    })
                    .collect()
            })
            .collect();
        let refused = |sample: &super::content::Pushed| {
            let (family, number) = sample.series;
            let (code, why) = whys.get(family)?.get(number)?.clone()?;
            let (_, series) = content.series(sample.series)?;
            Some(Refused {
                index: sample.index,
                metric_name: series.name.clone(),
                refusal: Refusal::new(code, why),
            })
        };
        content.samples.iter().filter_map(refused).collect()
    }

    fn other_kind(
        &self,
        tenant: Option<&str>,
        old: Option<&Group>,
        name: &str,
        kind: u32,
    ) -> Option<MetricType> {
        let kinds = self
            .kinds
            .get(&(tenant.map(str::to_owned), name.to_owned()))?;
        let own = old
            .and_then(|old| old.family(name))
            .map(|family| family.kind);
        let other = kinds
            .iter()
            .find(|(other, count)| *other != kind && *count > usize::from(own == Some(*other)))?;
        Some(MetricType::from_wire(other.0))
    }
}

#[cfg(test)]
mod tests;
