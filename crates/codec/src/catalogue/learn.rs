//! What a catalogue takes note of, and when it starts anew.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, AtomicU64};

use model::{Batch, Label, MetricType, NAME_LABEL, Series};

use super::{Catalogue, Entry, Form, MOST_SERIES_BYTES, NOBODY, Name, REST, Unknown, hash_of};

impl Catalogue {
    /// Whether there is something to learn of a series, which was found good and has its labels sorted. What is
    /// known already, but was sent in a way that is not looked for, would be learned with each body anew.
    #[must_use]
    pub fn is_news(&self, batch: &Batch<'_>, unknown: &Unknown<'_>) -> bool {
        let Some(series) = batch.series(unknown.series) else {
            return false;
        };
        let parts: usize = unknown.parts.iter().map(|part| part.len()).sum();
        let labels = batch.labels(series).iter();
        let texts: usize = labels
            .map(|label| label.name.len() + label.value.len())
            .sum();
        let is_short = parts.max(texts) <= MOST_SERIES_BYTES;
        is_short && (unknown.form != Form::RemoteWrite2 || !self.has_texts(batch, series))
    }

    /// Whether a series of remote write 2.0 is known by its texts.
    fn has_texts(&self, batch: &Batch<'_>, series: &Series<'_>) -> bool {
        let labels = batch.labels(series);
        let (before, after) = labels.split_at(before_name(labels));
        let texts = |labels: &'_ [Label<'_>]| -> Option<Vec<u32>> {
            let texts = labels
                .iter()
                .flat_map(|label| [&*label.name, &*label.value]);
            texts.map(|text| self.text_number(text)).collect()
        };
        let number = |text: &str| self.text_number(text);
        let key = || {
            let name = [number(NAME_LABEL)?, number(&series.name)?];
            let described = [number(&series.unit)?, number(&series.help)?];
            let parts = [&texts(before)?[..], &name, &texts(after)?, &described];
            Some(key_of(parts, series.kind))
        };
        key().is_some_and(|key| {
            self.find(Form::RemoteWrite2, [&key, &[], &[], &[]])
                .is_some()
        })
    }

    /// Learns series of a batch, which were found good and have their labels sorted.
    pub fn learn<'a>(
        &mut self,
        batch: &Batch<'_>,
        unknown: impl IntoIterator<Item = &'a Unknown<'a>>,
    ) {
        if self.limit_bytes == 0 || !self.may_learn() {
            return;
        }
        let mut last = None;
        for unknown in unknown {
            if self.bytes() >= self.limit_bytes {
                self.start_anew();
                return;
            }
            let number = self.learn_one(batch, unknown);
            if let (Some(last), Some(number)) = (last, number) {
                self.follow(last, number);
            }
            last = number;
        }
    }

    fn learn_one(&mut self, batch: &Batch<'_>, unknown: &Unknown<'_>) -> Option<u32> {
        let series = batch.series(unknown.series)?;
        let labels = batch.labels(series);
        let before_name = before_name(labels);
        let unit = self.texts.intern(series.unit.as_bytes());
        let help = self.texts.intern(series.help.as_bytes());
        let refs = u32::try_from(self.refs.len()).ok()?;
        for label in labels {
            for text in [&label.name, &label.value] {
                self.refs.push(self.texts.intern(text.as_bytes()));
            }
        }
        let parts = if unknown.form == Form::RemoteWrite2 {
            let key = self.key_of_texts(refs as usize, 2 * before_name, series, [unit, help]);
            [key.as_slice(), &[], &[], &[]].map(|part| self.parts.intern(part))
        } else {
            unknown.parts.map(|part| self.parts.intern(part))
        };
        if let Some(number) = self.find_parts(unknown.form, parts) {
            self.refs.truncate(refs as usize);
            return Some(number);
        }
        let entry = Entry {
            form: unknown.form,
            parts,
            name: self.learn_name(&series.name),
            refs,
            labels: u16::try_from(labels.len()).ok()?,
            before_name: u16::try_from(before_name).ok()?,
            kind: series.kind,
            unit,
            help,
            next: AtomicU32::new(NOBODY),
            note: AtomicU32::new(0),
        };
        // The numbers from 2^31 on are a batch's: see `model::Sample::known`.
        let number = u32::try_from(self.entries.len())
            .ok()
            .filter(|number| *number < model::FIRST_KNOWN)?;
        self.entries.push(entry);
        let Self {
            entries,
            numbers,
            hasher,
            ..
        } = self;
        numbers.insert_unique(hash_of(hasher, unknown.form, parts), number, |number| {
            let entry = entries.get(*number as usize);
            entry.map_or(0, |entry| hash_of(hasher, entry.form, entry.parts))
        });
        Some(number)
    }

    /// What a series of remote write 2.0 is found by: the numbers of its texts as a sender lists them, those of what
    /// describes it, and its type.
    fn key_of_texts(
        &mut self,
        refs: usize,
        before_name: usize,
        series: &Series<'_>,
        described: [u32; 2],
    ) -> Vec<u8> {
        let name = [NAME_LABEL, &*series.name].map(|text| self.texts.intern(text.as_bytes()));
        let labels = self.refs.get(refs..).unwrap_or_default();
        let (before, after) = labels.split_at_checked(before_name).unwrap_or_default();
        key_of([before, &name, after, &described], series.kind)
    }

    fn learn_name(&mut self, name: &str) -> u32 {
        let text = self.texts.intern(name.as_bytes());
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let known = *self.name_of_text.entry(text).or_insert(number);
        if known == number {
            let hash = self.hasher.hash_one(name);
            self.key_bytes += name.len();
            self.names.push(Name::new(name, hash));
        }
        known
    }

    /// Forgets everything. What was hardly of use is not filled again at once: more series come than there is
    /// room for, and learning them would cost more than it saves.
    pub fn start_anew(&mut self) {
        let learned = self.entries.len() as u64;
        let was_useful = *self.found.get_mut() >= learned.saturating_mul(REST / 4);
        let mut fresh = Self::new(self.limit_bytes, self.hasher.clone());
        fresh.generation = self.generation.wrapping_add(1);
        if !was_useful {
            fresh.rest = AtomicU64::new(learned.saturating_mul(REST));
        }
        *self = fresh;
    }
}

/// How many labels are before `__name__` when all are sorted.
fn before_name(labels: &[Label<'_>]) -> usize {
    labels.partition_point(|label| *label.name < *NAME_LABEL)
}

fn key_of(numbers: [&[u32]; 4], kind: MetricType) -> Vec<u8> {
    let numbers = numbers.into_iter().flatten();
    let mut key: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
    key.extend(u8::try_from(kind.wire()));
    key
}
