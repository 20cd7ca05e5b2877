//! Which samples of a body no quota lets through, object by object.
//!
//! A series that was let in for this tenant and source, in this half of the window, under these rules, has a note of
//! that in the catalogue (or, where no catalogue knows it, a place among the recent ones) and is not looked at again.

use std::hash::BuildHasher as _;
use std::sync::MutexGuard;

use codec::TOLD;
use codec::catalogue::Catalogue;
use model::{Batch, Code, Refusal, Refused, Sample, Value};
use tokio::time::Instant;

use super::rules::{Quota, Rules, Whose};
use super::series::{ActiveSeries, Full, Limited, MOST_SCOPES, NewIn};
use super::{Quotas, scope_of, series_hash};
use crate::cardinality::Found;
use crate::ingest::Origin;
use crate::metrics;

/// After so many samples a body lets go of the active series, so that a large one holds up no small one.
const AT_A_TIME: usize = 256;

/// What quotas refuse of a body.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub refused: Vec<Refused>,
    /// Series of the batch that were refused, sorted.
    pub bad_series: Vec<u32>,
}

impl Quotas {
    /// Why a metric of this name is never taken from a sender, whatever else it sends.
    pub(crate) fn refuses(&self, origin: &Origin, name: &str) -> Option<String> {
        let rules = self.rules.read();
        let mut scopes = rules
            .source(origin)
            .into_iter()
            .chain([rules.tenant(origin)]);
        let (who, _) = scopes.find(|(_, quota)| !quota.allows(name))?;
        Some(not_allowed(who, name))
    }

    /// Checks the samples of a batch that nothing else is wrong with. Its labels are sorted.
    pub(crate) fn check(
        &self,
        origin: &Origin,
        batch: &Batch<'_>,
        catalogue: &Catalogue,
        is_bad: impl Fn(&Sample) -> bool,
    ) -> Checked {
        let rules = self.rules.read();
        let look_at_series = rules.limit_series || self.cardinality.is_some();
        if !look_at_series && !rules.limit_metric_samples {
            return Checked::default();
        }
        let half = rules.half();
        let mark = self
            .hasher
            .hash_one((&origin.tenant, &origin.source, half, rules.generation));
        // Never 0, which is no note.
        let note = (mark >> 32) as u32 | 1;
        let is_noted = |sample: &Sample| {
            let series = sample.known();
            series.is_some_and(|series| catalogue.note(series) == note)
        };
        // As nearly all bodies are.
        if !rules.limit_metric_samples && batch.samples().iter().all(is_noted) {
            return Checked::default();
        }
        let tenant = rules.tenant(origin);
        let source = rules.source(origin);
        let takes_all = |(_, quota): &(Whose<'_>, &Quota)| {
            quota.active_series.is_none() && quota.names.is_none()
        };
        let takes_all =
            rules.metrics.is_empty() && takes_all(&tenant) && source.as_ref().is_none_or(takes_all);
        let mut look = Look {
            quotas: self,
            rules: &rules,
            origin,
            batch,
            catalogue,
            tenant,
            source,
            takes_all,
            half,
            mark,
            note,
            own: vec![Own::default(); batch.all_series().len()],
            active: None,
            new: Vec::new(),
            checked: Checked::default(),
            now: None,
        };
        let mut looked_at = 0;
        let same_object = |a: &Sample, b: &Sample| a.index == b.index;
        for object in batch.samples().chunk_by(same_object) {
            let is_seen = !look_at_series || object.iter().all(|sample| look.is_seen(sample));
            if is_seen && !rules.limit_metric_samples {
                continue;
            }
            if object.first().is_none_or(&is_bad) {
                continue;
            }
            looked_at += object.len();
            if looked_at >= AT_A_TIME {
                looked_at = 0;
                look.let_others_pass();
            }
            let allowed = if is_seen { Ok(()) } else { look.admit(object) };
            let allowed = allowed.and_then(|()| look.take_samples(object));
            if let Err(refused) = allowed {
                look.refuse(object, refused);
            }
        }
        look.finish()
    }
}

/// What is known of a series of the batch.
#[derive(Debug, Clone, Copy, Default)]
struct Own {
    hash: u64,
    is_seen: bool,
}

/// Why an object is refused. The sentence is only made for those that are told.
#[derive(Debug, Clone)]
enum Why<'w> {
    NotAllowed(Whose<'w>, String),
    Series(Whose<'w>, usize, Full),
    Samples(String, f64),
}

struct Look<'c> {
    quotas: &'c Quotas,
    rules: &'c Rules,
    origin: &'c Origin,
    batch: &'c Batch<'c>,
    catalogue: &'c Catalogue,
    tenant: (Whose<'c>, &'c Quota),
    source: Option<(Whose<'c>, &'c Quota)>,
    /// Whether any series is let in, and only counted.
    takes_all: bool,
    half: u64,
    mark: u64,
    note: u32,
    own: Vec<Own>,
    active: Option<MutexGuard<'c, ActiveSeries>>,
    /// Series that were let in, to be counted at the end.
    new: Vec<(u32, u64)>,
    checked: Checked,
    now: Option<Instant>,
}

impl<'c> Look<'c> {
    /// Whether its series was let in already.
    #[inline]
    fn is_seen(&mut self, sample: &Sample) -> bool {
        match sample.known() {
            Some(series) => {
                self.catalogue.note(series) == self.note || self.is_recent_known(series)
            }
            None => self.is_own_seen(sample.series),
        }
    }

    /// The note is another's: two senders that push the same series take turns.
    #[cold]
    fn is_recent_known(&self, series: u32) -> bool {
        let hash = self.hash_of_known(series);
        let is_recent = self.quotas.recent.has(hash ^ self.mark);
        if is_recent {
            self.catalogue.set_note(series, self.note);
        }
        is_recent
    }

    fn is_own_seen(&mut self, number: u32) -> bool {
        let (Some(series), Some(own)) =
            (self.batch.series(number), self.own.get_mut(number as usize))
        else {
            return true;
        };
        if own.hash == 0 {
            own.hash = series_hash::of_batch(&self.quotas.hasher, self.batch, series);
            own.is_seen = self.quotas.recent.has(own.hash ^ self.mark);
        }
        own.is_seen
    }

    fn hash_of_known(&self, series: u32) -> u64 {
        let name = self.name_of_known(series);
        series_hash::of_catalogue(&self.quotas.hasher, self.catalogue, series, name)
    }

    fn name_of_known(&self, series: u32) -> &'c str {
        let name = self.catalogue.name_of(series);
        name.and_then(|name| self.catalogue.name(name))
            .unwrap_or_default()
    }

    fn name(&self, sample: &Sample) -> &'c str {
        match sample.known() {
            Some(series) => self.name_of_known(series),
            None => {
                let series = self.batch.series(sample.series);
                series.map_or("", |series| &series.name)
            }
        }
    }

    fn hash(&self, sample: &Sample) -> u64 {
        match sample.known() {
            Some(series) => self.hash_of_known(series),
            None => {
                let own = self.own.get(sample.series as usize);
                own.map_or(0, |own| own.hash)
            }
        }
    }

    fn let_others_pass(&mut self) {
        if self.active.take().is_some() {
            self.quotas.let_others_pass();
        }
    }

    /// Lets all series of an object in, or none.
    fn admit(&mut self, object: &[Sample]) -> Result<(), Why<'c>> {
        let mut admitted: Vec<(u64, [Limited; MOST_SCOPES], usize, NewIn)> = Vec::new();
        let first_new = self.new.len();
        for sample in object {
            if self.is_seen(sample) {
                continue;
            }
            let hash = self.hash(sample);
            if self.takes_all {
                self.new.push((sample.series, hash));
                continue;
            }
            match self.admit_one(sample, hash) {
                Ok((scopes, count, new_in)) => {
                    self.new.push((sample.series, hash));
                    admitted.push((hash, scopes, count, new_in));
                }
                Err(why) => {
                    self.new.truncate(first_new);
                    for (hash, scopes, count, new_in) in admitted {
                        let scopes = scopes.get(..count).unwrap_or_default();
                        if let Some(active) = &mut self.active {
                            active.take_back(hash, scopes, new_in);
                        }
                    }
                    return Err(why);
                }
            }
        }
        for (series, hash) in self.new.get(first_new..).unwrap_or_default() {
            if let Some(own) = self.own.get_mut(*series as usize) {
                own.is_seen = true;
            }
            self.quotas.recent.add(hash ^ self.mark);
            if let Some(known) = series.checked_sub(model::FIRST_KNOWN) {
                self.catalogue.set_note(known, self.note);
            }
        }
        Ok(())
    }

    fn admit_one(
        &mut self,
        sample: &Sample,
        hash: u64,
    ) -> Result<([Limited; MOST_SCOPES], usize, NewIn), Why<'c>> {
        let name = self.name(sample);
        let mut scopes = [Limited::default(); MOST_SCOPES];
        let mut whose = [self.tenant.0; MOST_SCOPES];
        let mut count = 0;
        let mut add = |who: Whose<'c>, limit: Option<usize>, is_named| {
            if let Some(limit) = limit
                && let (Some(slot), Some(place)) = (scopes.get_mut(count), whose.get_mut(count))
            {
                *slot = Limited {
                    scope: scope_of(&self.quotas.hasher, who),
                    limit,
                    is_named,
                };
                *place = who;
                count += 1;
            }
        };
        for (who, quota) in self.source.into_iter().chain([self.tenant]) {
            if !quota.allows(name) {
                return Err(Why::NotAllowed(who, name.to_owned()));
            }
            add(who, quota.active_series, quota.is_named);
        }
        if !self.rules.metrics.is_empty()
            && let Some(quota) = self.rules.metrics.find(name)
        {
            let who = Whose::Metric(self.origin.tenant.as_deref(), name);
            add(who, quota.active_series, false);
        }
        if count == 0 {
            return Ok((scopes, 0, NewIn::default()));
        }
        let quotas = self.quotas;
        let active = self.active.get_or_insert_with(|| quotas.active());
        let limited = scopes.get(..count).unwrap_or_default();
        let admitted = active.admit(hash, limited, self.half, self.rules.max_bytes);
        match admitted {
            Ok(new_in) => Ok((scopes, count, new_in)),
            Err((number, full)) => {
                let who = whose.get(number).copied().unwrap_or(self.tenant.0);
                let limit = limited.get(number).map_or(0, |limited| limited.limit);
                Err(Why::Series(who, limit, full))
            }
        }
    }

    /// Takes an object's samples out of what their metric may have.
    fn take_samples(&mut self, object: &[Sample]) -> Result<(), Why<'c>> {
        if !self.rules.limit_metric_samples {
            return Ok(());
        }
        for samples in object.chunk_by(|a, b| a.series == b.series) {
            let Some(first) = samples.first() else {
                continue;
            };
            let name = self.name(first);
            let quota = self.rules.metrics.find(name);
            let Some(rate) = quota.and_then(|quota| quota.samples) else {
                continue;
            };
            let is_sample = |sample: &&Sample| !matches!(sample.value, Value::Exemplar(_));
            let count = samples.iter().filter(is_sample).count() as u64;
            let whose = Whose::Metric(self.origin.tenant.as_deref(), name);
            let key = scope_of(&self.quotas.hasher, whose);
            let now = *self.now.get_or_insert_with(Instant::now);
            if self.quotas.buckets.take(key, rate, count, now).is_err() {
                return Err(Why::Samples(name.to_owned(), rate.per_second));
            }
        }
        Ok(())
    }

    fn refuse(&mut self, object: &[Sample], why: Why<'c>) {
        let Some(first) = object.first() else {
            return;
        };
        let is_told = self.checked.refused.len() < TOLD;
        let code = why.code();
        let message = if is_told {
            self.sentence(why)
        } else {
            String::new()
        };
        let name = if is_told { self.name(first) } else { "" };
        self.checked.refused.push(Refused {
            index: first.index,
            metric_name: name.to_owned(),
            refusal: Refusal { code, message },
        });
        let own = object.iter().filter(|sample| sample.known().is_none());
        self.checked
            .bad_series
            .extend(own.map(|sample| sample.series));
    }

    fn sentence(&self, why: Why<'c>) -> String {
        match why {
            Why::NotAllowed(who, name) => not_allowed(who, &name),
            Why::Series(who, limit, Full::Scope) => {
                let scope = scope_of(&self.quotas.hasher, who);
                let found = self
                    .active
                    .as_ref()
                    .map_or(0, |active| active.active(scope));
                format!(
                    "the series is new, and {who} has {found} active series already, the limit is {limit}"
                )
            }
            Why::Series(who, _, Full::Memory) => format!(
                "the series is new, and there is no room to count another one of {who}: quotas.max_memory is {} bytes",
                self.rules.max_bytes
            ),
            Why::Samples(name, per_second) => {
                format!("metric {name:?} may have {per_second} samples per second, and more came")
            }
        }
    }

    fn finish(mut self) -> Checked {
        self.active = None;
        let found: Vec<Found<'_>> = self
            .new
            .iter()
            .map(|(series, hash)| Found {
                hash: *hash,
                name: match series.checked_sub(model::FIRST_KNOWN) {
                    Some(known) => self.name_of_known(known),
                    None => self.batch.series(*series).map_or("", |series| &series.name),
                },
                series: *series,
            })
            .collect();
        if let Some(cardinality) = &self.quotas.cardinality
            && !found.is_empty()
        {
            cardinality.add(self.origin, &found, self.half, self.batch, self.catalogue);
        }
        let refused = &mut self.checked.refused;
        if let [first, ..] = refused.as_slice() {
            let label = self.rules.tenant_label(self.origin.tenant.as_deref());
            let what = match first.refusal.code {
                Code::MetricNotAllowed => "metric_names",
                Code::QuotaExceeded => "metric_samples",
                _ => "active_series",
            };
            metrics::quota_refused(label, what, refused.len() as u64);
        }
        self.checked.bad_series.sort_unstable();
        self.checked.bad_series.dedup();
        self.checked
    }
}

fn not_allowed(who: Whose<'_>, name: &str) -> String {
    format!("{who} may not send metric {name:?}; quotas have a list of metric_names")
}

impl Why<'_> {
    fn code(&self) -> Code {
        match self {
            Self::NotAllowed(..) => Code::MetricNotAllowed,
            Self::Series(..) => Code::SeriesLimit,
            Self::Samples(..) => Code::QuotaExceeded,
        }
    }
}
