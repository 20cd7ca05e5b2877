//! Prometheus remote write: as a store's client sends it, and, in [`receive`], as senders push it.
//!
//! However many records a series' samples came in, the request has one `TimeSeries` for them, with
//! its samples by time: receivers refuse a sample that is older than one before it.

mod known;
mod names;
mod points;
pub mod receive;
mod v1;
mod v2;

use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;
use model::{Histogram, MetricType, Point, SeriesView};

use crate::symbols::Symbols;
use known::Known;
use points::{Chain, Points};

/// The version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

/// What to do with names outside the classic alphabet, which is `[a-zA-Z_:][a-zA-Z0-9_:]*` for
/// metrics and the same without colons for labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameEscaping {
    /// Send them as they are.
    Utf8,
    /// Each character outside the alphabet becomes an underscore, as Prometheus does it. Values of
    /// labels whose names become equal are joined by `;` in the order of the original names, which
    /// is OpenTelemetry's rule. A label that would become `__name__` gets the prefix `key`.
    Underscores,
}

/// A series of the request.
#[derive(Debug, Clone)]
struct Series {
    /// Its label references: names and values in turn, sorted by name.
    refs: Range<usize>,
    kind: MetricType,
    unit: u32,
    help: u32,
    points: Chain,
}

impl Series {
    fn is_described(&self) -> bool {
        self.kind != MetricType::Unspecified || self.unit != 0 || self.help != 0
    }
}

#[derive(Debug, Clone)]
struct Exemplar {
    at_ms: i64,
    value: f64,
    refs: Range<usize>,
}

/// Collects series into one request.
#[derive(Debug)]
pub struct Encoder {
    version: Version,
    symbols: Symbols,
    /// What the symbols of the record are called here.
    known: Known,
    refs: Vec<u32>,
    series: Vec<Series>,
    /// Numbers of series by their references.
    numbers: HashTable<u32>,
    /// Random, so that nobody can choose labels that meet in the table.
    seed: u64,
    /// Of all series, each with a chain of its own.
    points: Points,
    /// With their series' number, in the order of the pushes.
    histograms: Vec<(u32, Histogram)>,
    exemplars: Vec<(u32, Exemplar)>,
}

impl Encoder {
    /// An empty request.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let mut encoder = Self {
            version,
            symbols: Symbols::default(),
            known: Known::default(),
            refs: Vec::new(),
            series: Vec::new(),
            numbers: HashTable::new(),
            seed: foldhash::fast::RandomState::default().hash_one(0),
            points: Points::default(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
        };
        encoder.clear();
        encoder
    }

    fn clear(&mut self) {
        self.symbols.clear();
        // Number 0 is the empty text by the rule of version 2.0.
        self.symbols.intern("");
        self.known.clear();
        self.refs.clear();
        self.series.clear();
        self.numbers.clear();
        self.points.clear();
        self.histograms.clear();
        self.exemplars.clear();
    }

    /// Adds samples of a series, which need not be all that the series has; its exemplars only
    /// if `exemplars`.
    pub fn push(
        &mut self,
        view: SeriesView<'_>,
        points: &[Point],
        histograms: &[Histogram],
        exemplars: bool,
        names: NameEscaping,
    ) {
        let number = self.series_number(view, names);
        if let Some(series) = self.series.get_mut(number as usize) {
            self.points.append(&mut series.points, points);
        }
        if !histograms.is_empty() {
            let histograms = histograms.iter().cloned();
            self.histograms
                .extend(histograms.map(|histogram| (number, histogram)));
        }
        if exemplars {
            self.put_exemplars(number, view, names);
        }
    }

    fn put_exemplars(&mut self, number: u32, view: SeriesView<'_>, names: NameEscaping) {
        for exemplar in view.exemplars() {
            let start = self.refs.len();
            let labels = view.exemplar_labels(exemplar);
            let refs = self.put_tidied(start, labels, names);
            let exemplar = Exemplar {
                at_ms: exemplar.at_ms,
                value: exemplar.value,
                refs,
            };
            self.exemplars.push((number, exemplar));
        }
    }

    fn series_number(&mut self, view: SeriesView<'_>, names: NameEscaping) -> u32 {
        self.known.look_at(view.block());
        let (pushed, hash) = self.put_refs(view, names);
        let [unit, help] = [view.unit_ref(), view.help_ref()];
        let mut number_of = |reference| {
            self.known
                .number(reference, &mut self.symbols, view.block())
        };
        let number_of_unit = number_of(unit);
        // Mostly there is neither.
        let (unit, help) = match unit == help {
            true => (number_of_unit, number_of_unit),
            false => (number_of_unit, number_of(help)),
        };
        let (refs, series) = (&self.refs, &mut self.series);
        let of = |range: &Range<usize>| refs.get(range.clone()).unwrap_or_default();
        let of_number = |series: &[Series], number: u32| {
            let series = series.get(number as usize);
            series.map_or(&[][..], |series| of(&series.refs))
        };
        let slot = self.numbers.entry(
            hash,
            |number| of_number(series, *number) == of(&pushed),
            |number| hashed(self.seed, of_number(series, *number)),
        );
        let number = match slot {
            Slot::Occupied(slot) => {
                let number = *slot.get();
                self.refs.truncate(pushed.start);
                number
            }
            Slot::Vacant(slot) => {
                let number = u32::try_from(series.len()).unwrap_or(u32::MAX);
                slot.insert(number);
                series.push(Series {
                    refs: pushed,
                    kind: MetricType::Unspecified,
                    unit: 0,
                    help: 0,
                    points: Chain::default(),
                });
                number
            }
        };
        let is_described = view.kind() != MetricType::Unspecified || (unit | help) != 0;
        if is_described && let Some(series) = self.series.get_mut(number as usize) {
            // The latest word of the sender counts; silence takes nothing back.
            if view.kind() != MetricType::Unspecified {
                series.kind = view.kind();
            }
            series.unit = if unit == 0 { series.unit } else { unit };
            series.help = if help == 0 { series.help } else { help };
        }
        number
    }

    /// Appends label references, sorted and escaped as the receiver wants them, and answers their hash, too.
    fn put_refs(&mut self, view: SeriesView<'_>, names: NameEscaping) -> (Range<usize>, u64) {
        let start = self.refs.len();
        let fits = view.is_tidy()
            && (names == NameEscaping::Utf8
                || !view
                    .labels()
                    .any(|(name, value)| names::needs_escaping(name, value, names)));
        if !fits {
            let pushed = self.put_tidied(start, view.labels(), names);
            let hash = hashed(self.seed, self.refs_of(&pushed));
            return (pushed, hash);
        }
        let (known, symbols, block) = (&mut self.known, &mut self.symbols, view.block());
        let mut hash = self.seed;
        for pair in view.label_refs() {
            let pair = pair.map(|reference| known.number(reference, symbols, block));
            hash = with_pair(self.seed, hash, pair);
            self.refs.extend_from_slice(&pair);
        }
        (start..self.refs.len(), hash)
    }

    fn put_tidied<'a>(
        &mut self,
        start: usize,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        names: NameEscaping,
    ) -> Range<usize> {
        for (name, value) in names::tidy(labels, names) {
            self.refs.push(self.symbols.intern(&name));
            self.refs.push(self.symbols.intern(&value));
        }
        start..self.refs.len()
    }

    /// Drops the exemplars of series that have no sample in this request, and answers how many: version 2.0 allows no
    /// series without one, and receivers refuse it.
    pub fn drop_lone_exemplars(&mut self) -> usize {
        let before = self.exemplars.len();
        if before == 0 {
            return 0;
        }
        let floats = self.series.iter().map(|series| !series.points.is_empty());
        let mut sampled: Vec<bool> = floats.collect();
        for (number, _) in &self.histograms {
            if let Some(sampled) = sampled.get_mut(*number as usize) {
                *sampled = true;
            }
        }
        let has_sample = |number: u32| sampled.get(number as usize).copied().unwrap_or_default();
        self.exemplars.retain(|(number, _)| has_sample(*number));
        before - self.exemplars.len()
    }

    /// How many float samples and native histograms have been pushed since the last [`Self::finish`].
    #[must_use]
    pub fn samples(&self) -> usize {
        self.points.len() + self.histograms.len()
    }

    /// Whether nothing has been.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The request, uncompressed. The encoder is empty afterwards.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let mut request = Vec::new();
        self.finish_into(&mut request);
        request
    }

    /// Appends the request, uncompressed. The encoder is empty afterwards.
    pub fn finish_into(&mut self, request: &mut Vec<u8>) {
        for series in &mut self.series {
            self.points.sort(&mut series.points);
        }
        self.histograms
            .sort_by_key(|(number, histogram)| (*number, histogram.at_ms));
        self.exemplars
            .sort_by_key(|(number, exemplar)| (*number, exemplar.at_ms));
        match self.version {
            Version::V1 => v1::put_request(request, self),
            Version::V2 => v2::put_request(request, self),
        }
        self.clear();
    }

    fn refs_of(&self, range: &Range<usize>) -> &[u32] {
        self.refs.get(range.clone()).unwrap_or_default()
    }

    /// Names and values behind references.
    fn pairs(&self, range: &Range<usize>) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (pairs, _) = self.refs_of(range).as_chunks::<2>();
        pairs
            .iter()
            .map(|&[name, value]| (self.symbols.text(name), self.symbols.text(value)))
    }

    /// Calls `each` with what each `TimeSeries` of the request holds. A series with floats and native
    /// histograms is two: the protocol does not mix them in one.
    fn each_part(&self, mut each: impl FnMut(&Part<'_>)) {
        if self.histograms.is_empty() && self.exemplars.is_empty() {
            for series in self.series.iter().filter(|it| !it.points.is_empty()) {
                each(&Part {
                    series,
                    points: series.points,
                    histograms: &[],
                    exemplars: &[],
                });
            }
            return;
        }
        let (mut histograms, mut exemplars) =
            (self.histograms.as_slice(), self.exemplars.as_slice());
        for (number, series) in (0_u32..).zip(&self.series) {
            let mut floats = Part {
                series,
                points: series.points,
                histograms: &[],
                exemplars: take_of(&mut exemplars, number),
            };
            let mut natives = Part {
                series,
                points: Chain::default(),
                histograms: take_of(&mut histograms, number),
                exemplars: &[],
            };
            if floats.points.is_empty() {
                std::mem::swap(&mut floats.exemplars, &mut natives.exemplars);
            }
            for part in [&floats, &natives] {
                if !part.is_empty() {
                    each(part);
                }
            }
        }
    }
}

/// A `TimeSeries` of the request.
struct Part<'a> {
    series: &'a Series,
    points: Chain,
    histograms: &'a [(u32, Histogram)],
    exemplars: &'a [(u32, Exemplar)],
}

impl Part<'_> {
    /// Whether there is anything but float samples.
    fn has_others(&self) -> bool {
        !self.histograms.is_empty() || !self.exemplars.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.points.is_empty() && self.histograms.is_empty() && self.exemplars.is_empty()
    }
}

/// The hash of label references.
fn hashed(seed: u64, refs: &[u32]) -> u64 {
    let (pairs, _) = refs.as_chunks::<2>();
    let pairs = pairs.iter();
    pairs.fold(seed, |hash, pair| with_pair(seed, hash, *pair))
}

/// The hash of label references so far, and of one more pair.
#[inline(always)]
fn with_pair(seed: u64, hash: u64, [name, value]: [u32; 2]) -> u64 {
    /// The fraction of the golden ratio, and as random as any.
    const PATTERNLESS: u64 = 0x9e37_79b9_7f4a_7c15;
    let pair = u64::from(name) << 32 | u64::from(value);
    let product = u128::from(hash ^ pair) * u128::from((seed ^ PATTERNLESS) | 1);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both halves are taken, one after the other"
    )]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// The first items as long as they belong to this series.
fn take_of<'a, T>(items: &mut &'a [(u32, T)], number: u32) -> &'a [(u32, T)] {
    let count = items
        .iter()
        .take_while(|(series, _)| *series == number)
        .count();
    items.split_off(..count).unwrap_or_default()
}

#[cfg(test)]
mod tests;
