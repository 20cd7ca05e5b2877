//! How many series there are, of whom, and which metrics and labels make most of them.
//!
//! Sketches, a few percent off, in bounded memory. Only series that are new to a sender in half of a window come
//! here; the same series from several senders is one.

mod report;
mod sketch;
mod table;

use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use codec::catalogue::Catalogue;
use foldhash::quality::RandomState;
use model::{Batch, FIRST_KNOWN};
use smallvec::SmallVec;

use crate::config::CardinalityConfig;
use crate::ingest::Origin;
use crate::metrics;
use sketch::Sketch;
use table::{Near, Table};

pub(crate) use report::CountedName;

/// 16 KiB, and off by less than one percent.
const TOTAL_PRECISION: u8 = 14;

/// 4 KiB, 1.6 %.
const SENDER_PRECISION: u8 = 12;

/// 1 KiB, 3.3 %.
const NAME_PRECISION: u8 = 10;

/// Tenants, and sources, that are counted at a time.
const SENDERS: usize = 1000;

/// How many metrics and labels ever get a series of the gateway's own metrics. More are only in the report.
const MOST_SHOWN: usize = 200;

/// So many series are counted before others have their turn.
const AT_A_TIME: usize = 128;

/// A series that was let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'f> {
    pub hash: u64,
    pub name: &'f str,
    /// Its number, in the batch or in the catalogue.
    pub series: u32,
}

/// A metric of a tenant.
#[derive(Debug)]
struct Metric {
    tenant: Option<Arc<str>>,
    name: Box<str>,
}

/// A label of a tenant's series, and a metric that has it.
#[derive(Debug)]
struct Label {
    tenant: Option<Arc<str>>,
    name: Box<str>,
    metric: Box<str>,
}

#[derive(Debug)]
struct Counted {
    total: Sketch,
    tenants: Table<Origin>,
    sources: Table<Origin>,
    metrics: Table<Metric>,
    labels: Table<Label>,
    shown: [Vec<String>; 2],
}

#[derive(Debug)]
pub(crate) struct Cardinality {
    top: usize,
    hasher: RandomState,
    counted: Mutex<Counted>,
}

impl Cardinality {
    pub(crate) fn new(config: CardinalityConfig) -> Self {
        Self {
            top: config.top,
            hasher: RandomState::default(),
            counted: Mutex::new(Counted {
                total: Sketch::new(TOTAL_PRECISION, 0),
                tenants: Table::new(SENDERS, SENDER_PRECISION),
                sources: Table::new(SENDERS, SENDER_PRECISION),
                metrics: Table::new(config.names, NAME_PRECISION),
                labels: Table::new(config.names, NAME_PRECISION),
                shown: [Vec::new(), Vec::new()],
            }),
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_counted(&self) -> Option<MutexGuard<'_, Counted>> {
        match self.counted.try_lock() {
            Ok(counted) => Some(counted),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Takes note of series that a sender brought.
    ///
    /// Some at a time, and without waiting: a small body is read on a thread that others need too. What cannot be counted
    /// because another body is, is tried once more at the end; after that it is left out of the estimate for this half of
    /// the window, and counted as such.
    pub(crate) fn add(
        &self,
        origin: &Origin,
        found: &[Found<'_>],
        half: u64,
        batch: &Batch<'_>,
        catalogue: &Catalogue,
    ) {
        let count = |counted: &mut Counted, found: &[Found<'_>]| {
            self.count(counted, origin, found, half, batch, catalogue);
        };
        let mut left = Vec::new();
        for some in found.chunks(AT_A_TIME) {
            match self.try_counted() {
                Some(mut counted) => count(&mut counted, some),
                None => left.push(some),
            }
        }
        let mut missed = 0;
        for some in left {
            std::thread::yield_now();
            match self.try_counted() {
                Some(mut counted) => count(&mut counted, some),
                None => missed += some.len(),
            }
        }
        if missed > 0 {
            metrics::series_not_counted(missed as u64);
        }
    }

    fn count(
        &self,
        counted: &mut Counted,
        origin: &Origin,
        found: &[Found<'_>],
        half: u64,
        batch: &Batch<'_>,
        catalogue: &Catalogue,
    ) {
        let hasher = &self.hasher;
        let Origin { tenant, source } = origin;
        let tenant_hash = hasher.hash_one(tenant);
        let source_hash = hasher.hash_one((tenant, source));
        let from = source.as_ref();
        let [mut near_tenant, mut near_source, mut near_metric] = [Near::NOWHERE; 3];
        let mut columns = Columns::new();
        for series in found {
            // The same series of two tenants is two.
            let thing = series.hash ^ tenant_hash;
            counted.total.add(thing, half);
            let key = || Origin {
                tenant: tenant.clone(),
                source: None,
            };
            let thing = (thing, from);
            let tenants = &mut counted.tenants;
            tenants.add(&mut near_tenant, tenant_hash, key, thing, half);
            if source.is_some() {
                let key = || origin.clone();
                let sources = &mut counted.sources;
                sources.add(&mut near_source, source_hash, key, thing, half);
            }
            let key = || Metric {
                tenant: tenant.clone(),
                name: series.name.into(),
            };
            let hash = hasher.hash_one((tenant_hash, series.name));
            let metrics = &mut counted.metrics;
            metrics.add(&mut near_metric, hash, key, thing, half);
            let mut number = 0;
            each_label(series.series, batch, catalogue, |name, value| {
                if columns.get(number).is_none() {
                    columns.push(Column::default());
                }
                let Some(column) = columns.get_mut(number) else {
                    return;
                };
                number += 1;
                column.follow(hasher, tenant_hash, (name, value));
                let key = || Label {
                    tenant: tenant.clone(),
                    name: String::from_utf8_lossy(name).into(),
                    metric: series.name.into(),
                };
                let thing = (column.value_hash, from);
                let labels = &mut counted.labels;
                labels.add(&mut column.near, column.name_hash, key, thing, half);
            });
        }
    }

    /// Shows it as metrics: all series, those of tenants that are named, and the metrics and labels that have most.
    pub(crate) fn show(&self, half: u64, label_of: impl Fn(Option<&str>) -> String) {
        let mut counted = self.counted();
        metrics::active_series(counted.total.count(half));
        let mut by_label = std::collections::BTreeMap::<String, usize>::new();
        for (count, entry) in counted.tenants.top(SENDERS, half) {
            *by_label
                .entry(label_of(entry.key.tenant.as_deref()))
                .or_default() += count;
        }
        for (label, count) in by_label {
            metrics::tenant_active_series(label, count);
        }
        let Counted {
            metrics: by_name,
            labels,
            shown: [shown_metrics, shown_labels],
            ..
        } = &mut *counted;
        let top = by_name.top(self.top, half);
        let top = top.iter().map(|(count, entry)| (&*entry.key.name, *count));
        show_top(top, shown_metrics, metrics::metric_active_series);
        let top = labels.top(self.top, half);
        let top = top.iter().map(|(count, entry)| (&*entry.key.name, *count));
        show_top(top, shown_labels, metrics::label_values);
    }
}

/// The labels at one place of series: that place mostly has the same name in all of them, and often the same value.
#[derive(Debug)]
struct Column<'l> {
    name: &'l [u8],
    value: &'l [u8],
    name_hash: u64,
    value_hash: u64,
    near: Near,
}

/// Nearly all series have not more labels.
type Columns<'l> = SmallVec<[Column<'l>; 12]>;

impl Default for Column<'_> {
    fn default() -> Self {
        Self {
            // No label is so.
            name: &[],
            value: &[],
            name_hash: 0,
            value_hash: 0,
            near: Near::NOWHERE,
        }
    }
}

impl<'l> Column<'l> {
    /// Has the hashes of this label.
    #[inline]
    fn follow(
        &mut self,
        hasher: &RandomState,
        tenant_hash: u64,
        (name, value): (&'l [u8], &'l [u8]),
    ) {
        if !is_same(self.name, name) {
            self.name = name;
            self.name_hash = hasher.hash_one((tenant_hash, 0_u8, name));
        }
        if !is_same(self.value, value) {
            self.value = value;
            self.value_hash = hasher.hash_one(value);
        }
    }
}

/// Whether two texts are the same; mostly they are the same ones in memory, or none are.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    std::ptr::eq(a, b) || a == b
}

/// Shows the labels of a series of the batch or of the catalogue.
#[inline]
fn each_label<'l>(
    series: u32,
    batch: &'l Batch<'_>,
    catalogue: &'l Catalogue,
    mut show: impl FnMut(&'l [u8], &'l [u8]),
) {
    if let Some(known) = series.checked_sub(FIRST_KNOWN) {
        for (name, value) in catalogue.labels(known) {
            show(name, value);
        }
        return;
    }
    let labels = batch.series(series).map(|series| batch.labels(series));
    for label in labels.unwrap_or_default() {
        show(label.name.as_bytes(), label.value.as_bytes());
    }
}

/// Shows the top, and 0 of what is there no more. Only so many names are ever shown.
fn show_top<'t>(
    top: impl Iterator<Item = (&'t str, usize)>,
    shown: &mut Vec<String>,
    show: impl Fn(&str, usize),
) {
    let mut now = std::collections::BTreeMap::<&str, usize>::new();
    for (name, count) in top {
        *now.entry(name).or_default() += count;
    }
    for gone in shown.iter().filter(|name| !now.contains_key(name.as_str())) {
        show(gone, 0);
    }
    for (name, count) in now {
        if !shown.iter().any(|known| known == name) {
            if shown.len() >= MOST_SHOWN {
                continue;
            }
            shown.push(name.to_owned());
        }
        show(name, count);
    }
}
