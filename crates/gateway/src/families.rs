//! What senders said about metric families, for the series of theirs that come without it.
//!
//! Remote write 1.0 sends types and help texts in requests of their own. They are kept here, per tenant, and given to
//! each later series of that name, whatever it came by, that says nothing itself. The memory is bounded: what nobody
//! repeats is forgotten when its half is full.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use model::{Family, Limits, MetricType};

/// How many bytes each half may have. A family of Prometheus' own has about 200, so that is 80,000 of them.
const HALF_BYTES: usize = 16 << 20;

/// What an entry costs beside its texts.
const ENTRY_BYTES: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    tenant: Option<Arc<str>>,
    name: Box<str>,
    kind: MetricType,
    unit: Box<str>,
    help: Box<str>,
}

/// The families of all tenants.
#[derive(Debug, Default)]
pub(crate) struct Families {
    known: RwLock<Arc<Known>>,
    /// How many there are; most gateways never have one.
    len: AtomicUsize,
}

/// The families as of one moment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    young: Half,
    old: Half,
    hasher: RandomState,
}

#[derive(Debug, Default, Clone)]
struct Half {
    table: HashTable<Arc<Entry>>,
    bytes: usize,
}

impl Families {
    /// What is known now; `None` when nothing is.
    pub(crate) fn known(&self) -> Option<Arc<Known>> {
        if self.len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&known))
    }

    /// Takes note of what a request says. A text beyond its limit is not kept, as no series could have it.
    pub(crate) fn learn(
        &self,
        tenant: Option<&Arc<str>>,
        families: &[Family<'_>],
        limits: &Limits,
    ) {
        // Senders repeat all of it every minute, and mostly nothing is new.
        let is_news = |known: &Known| {
            let is_fit = |family: &&Family<'_>| family.name.len() <= limits.max_metric_name_bytes;
            let is_new = |family: &Family<'_>| !known.has_young(tenant, family, limits);
            families.iter().filter(is_fit).any(is_new)
        };
        if families.is_empty() || self.known().is_some_and(|known| !is_news(&known)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let changed = Arc::make_mut(&mut known);
        for family in families {
            if family.name.len() <= limits.max_metric_name_bytes
                && !changed.has_young(tenant, family, limits)
            {
                changed.put(entry(tenant, family, limits));
            }
        }
        let len = changed.young.table.len() + changed.old.table.len();
        self.len.store(len, Ordering::Release);
    }
}

fn entry(tenant: Option<&Arc<str>>, family: &Family<'_>, limits: &Limits) -> Entry {
    Entry {
        tenant: tenant.cloned(),
        name: family.name.as_ref().into(),
        kind: family.kind,
        unit: within(&family.unit, limits).into(),
        help: within(&family.help, limits).into(),
    }
}

fn within<'t>(text: &'t str, limits: &Limits) -> &'t str {
    if text.len() <= limits.max_metadata_bytes {
        text
    } else {
        ""
    }
}

impl Known {
    /// Type, unit and help of the series of this name that say nothing themselves.
    pub(crate) fn describe(
        &self,
        tenant: Option<&str>,
        name: &str,
    ) -> Option<(MetricType, &str, &str)> {
        let entry = self.describing(tenant, name)?;
        Some((entry.kind, &entry.unit, &entry.help))
    }

    /// The family of a series: the one of its name, or the one whose type has series with this suffix.
    fn describing(&self, tenant: Option<&str>, name: &str) -> Option<&Entry> {
        self.find(tenant, name).or_else(|| {
            let (base, kinds) = SUFFIXES
                .iter()
                .find_map(|(suffix, kinds)| Some((name.strip_suffix(suffix)?, kinds)))?;
            self.find(tenant, base)
                .filter(|entry| kinds.contains(&entry.kind))
        })
    }

    fn find(&self, tenant: Option<&str>, name: &str) -> Option<&Entry> {
        let hash = self.hash(tenant, name);
        let is_it = |entry: &Arc<Entry>| entry.is(tenant, name);
        let young = self.young.table.find(hash, is_it);
        young
            .or_else(|| self.old.table.find(hash, is_it))
            .map(AsRef::as_ref)
    }

    fn hash(&self, tenant: Option<&str>, name: &str) -> u64 {
        self.hasher.hash_one((tenant, name))
    }

    /// Whether the young half says the same already.
    fn has_young(&self, tenant: Option<&Arc<str>>, family: &Family<'_>, limits: &Limits) -> bool {
        let tenant = tenant.map(AsRef::as_ref);
        let hash = self.hash(tenant, &family.name);
        self.young
            .table
            .find(hash, |entry| entry.is(tenant, &family.name))
            .is_some_and(|entry| {
                entry.kind == family.kind
                    && *entry.unit == *within(&family.unit, limits)
                    && *entry.help == *within(&family.help, limits)
            })
    }

    fn put(&mut self, entry: Entry) {
        let bytes = entry.bytes();
        if self.young.bytes + bytes > HALF_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        let hasher = &self.hasher;
        let hash_of = |entry: &Entry| hasher.hash_one((entry.tenant.as_deref(), &*entry.name));
        let hash = hash_of(&entry);
        let slot = self.young.table.entry(
            hash,
            |other| other.is(entry.tenant.as_deref(), &entry.name),
            |other| hash_of(other),
        );
        self.young.bytes += bytes;
        match slot {
            hashbrown::hash_table::Entry::Occupied(mut slot) => {
                self.young.bytes = self.young.bytes.saturating_sub(slot.get().bytes());
                *slot.get_mut() = Arc::new(entry);
            }
            hashbrown::hash_table::Entry::Vacant(slot) => {
                slot.insert(Arc::new(entry));
            }
        }
    }
}

/// What the series of a family have behind its name, by its type.
const SUFFIXES: [(&str, &[MetricType]); 6] = [
    (
        "_bucket",
        &[MetricType::Histogram, MetricType::GaugeHistogram],
    ),
    ("_sum", &[MetricType::Histogram, MetricType::Summary]),
    ("_count", &[MetricType::Histogram, MetricType::Summary]),
    ("_gsum", &[MetricType::GaugeHistogram]),
    ("_gcount", &[MetricType::GaugeHistogram]),
    // OpenMetrics names a counter's family without it.
    ("_total", &[MetricType::Counter]),
];

impl Entry {
    fn is(&self, tenant: Option<&str>, name: &str) -> bool {
        &*self.name == name && self.tenant.as_deref() == tenant
    }

    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.name.len() + self.unit.len() + self.help.len()
    }
}

#[cfg(test)]
mod tests;
