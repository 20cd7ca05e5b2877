//! Prometheus remote write: as a store's client sends it, and, in [`receive`], as senders push it.
//!
//! However many records a series' samples came in, the request has one `TimeSeries` for them, with
//! its samples by time: receivers refuse a sample that is older than one before it.

mod known;
mod labels;
mod names;
mod numbers;
mod part;
mod points;
pub mod receive;
mod v1;
mod v2;

use std::hash::BuildHasher as _;
use std::ops::Range;

use model::{Histogram, MetricType, Point, SeriesView};

use crate::symbols::Symbols;
use known::Known;
use labels::Labels;
use numbers::{Numbers, Vacant};
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

/// What each buffer of a request keeps for the next one, in bytes. Usual requests have a tenth of it; labels that are
/// written out in 1.0 may make one of tens of megabytes.
const KEPT_BYTES: usize = 4 << 20;

/// A series of the request.
#[derive(Debug, Clone)]
struct Series {
    /// Its labels, sorted by name: in 2.0 as references, names and values in turn; in 1.0 as bytes of the request.
    labels: Range<usize>,
    /// Of the labels.
    hash: u64,
    kind: MetricType,
    unit: u32,
    help: u32,
    points: Chain,
}

impl Series {
    #[inline]
    fn new(labels: Range<usize>, hash: u64, points: Chain) -> Self {
        Self {
            labels,
            hash,
            kind: MetricType::Unspecified,
            unit: 0,
            help: 0,
            points,
        }
    }

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
    /// Those of version 1.0.
    labels: Labels,
    /// In 1.0 each new series is written at once, as if nothing more came of it.
    request: Vec<u8>,
    /// Whether that came true: one float sample each.
    is_written: bool,
    /// Where the request is written that did not come true.
    rewritten: Vec<u8>,
    series: Vec<Series>,
    /// Numbers of series by their labels.
    numbers: Numbers,
    /// Random, so that nobody can choose labels that meet in the table.
    seed: u64,
    /// Of all series, each with a chain of its own.
    points: Points,
    /// With their series' number, in the order of the pushes.
    histograms: Vec<(u32, Histogram)>,
    exemplars: Vec<(u32, Exemplar)>,
    /// Whether a series may have a type, a unit or a help text.
    are_described: bool,
}

impl Encoder {
    /// An empty request.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let seed = foldhash::fast::RandomState::default().hash_one(0);
        let mut encoder = Self {
            version,
            symbols: Symbols::default(),
            known: Known::default(),
            refs: Vec::new(),
            labels: Labels::new(seed),
            request: Vec::new(),
            is_written: true,
            rewritten: Vec::new(),
            series: Vec::new(),
            numbers: Numbers::new(),
            seed,
            points: Points::default(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
            are_described: false,
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
        for buffer in [&mut self.request, &mut self.rewritten] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES);
        }
        self.labels.shrink_to(KEPT_BYTES);
        self.is_written = self.version == Version::V1;
        self.series.clear();
        self.numbers.clear();
        self.points.clear();
        self.histograms.clear();
        self.exemplars.clear();
        self.are_described = false;
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
        if let Some(only) = view.plain()
            && points.len() == 1
            && self.push_plain(view, only, names)
        {
            return;
        }
        let number = match self.version {
            Version::V1 => self.number_by_bytes(view, names),
            Version::V2 => self.number_by_refs(view, names),
        };
        if let Some(series) = self.series.get_mut(number as usize) {
            self.points.append(&mut series.points, points);
        }
        let (unit, help) = (view.unit_ref(), view.help_ref());
        // Mostly there is neither, and both are the empty text.
        let is_described =
            view.kind() != MetricType::Unspecified || unit != help || !view.unit().is_empty();
        if is_described {
            self.describe(number, view);
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

    /// Adds the sample of a series that is [plain](SeriesView::plain), if that can be done at once; answers whether it
    /// was. Otherwise it is to be pushed like others.
    #[inline(always)]
    pub fn push_plain(&mut self, view: SeriesView<'_>, point: &Point, names: NameEscaping) -> bool {
        self.is_written
            && (names == NameEscaping::Utf8 || is_fit(view, names))
            && self.write_plain(view, point)
    }

    /// Writes a series with its only sample; answers whether it could because the series is new.
    #[inline(never)]
    fn write_plain(&mut self, view: SeriesView<'_>, point: &Point) -> bool {
        self.labels.change_to(view);
        let Err(place) = self.find_bytes() else {
            return false;
        };
        let labels = v1::put_only(&mut self.request, self.labels.encoded(), point);
        let points = self.points.start(*point);
        self.add(place, labels, self.labels.hash(), points);
        true
    }

    #[inline(always)]
    fn find_bytes(&self) -> Result<u32, Vacant> {
        let (encoded, hash) = (self.labels.encoded(), self.labels.hash());
        let is_same = |known: &Series| {
            known.hash == hash && self.request.get(known.labels.clone()) == Some(encoded)
        };
        self.numbers.find(hash, |number| {
            self.series.get(number as usize).is_some_and(is_same)
        })
    }

    #[inline(always)]
    fn add(&mut self, place: Vacant, labels: Range<usize>, hash: u64, points: Chain) -> u32 {
        let series = &mut self.series;
        let number = u32::try_from(series.len()).unwrap_or(u32::MAX);
        series.push(Series::new(labels, hash, points));
        let hash_of = |number: u32| series.get(number as usize).map_or(0, |known| known.hash);
        self.numbers.insert(place, number, hash_of);
        number
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

    /// The number of a series in a request of version 1.0 that is to be written when all is known.
    fn number_by_bytes(&mut self, view: SeriesView<'_>, names: NameEscaping) -> u32 {
        self.is_written = false;
        if is_fit(view, names) {
            self.labels.change_to(view);
        } else {
            let tidied = names::tidy(view.labels(), names);
            let tidied = tidied.iter().map(|(name, value)| (&**name, &**value));
            self.labels.set(tidied);
        }
        self.find_bytes().unwrap_or_else(|place| {
            let start = self.request.len();
            self.request.extend_from_slice(self.labels.encoded());
            let labels = start..self.request.len();
            self.add(place, labels, self.labels.hash(), Chain::default())
        })
    }

    /// The number of a series in a request of version 2.0.
    fn number_by_refs(&mut self, view: SeriesView<'_>, names: NameEscaping) -> u32 {
        let (pushed, hash) = self.put_refs(view, names);
        let (refs, new) = self.refs.split_at(pushed.start);
        let is_same =
            |known: &Series| known.hash == hash && refs.get(known.labels.clone()) == Some(new);
        let found = self.numbers.find(hash, |number| {
            self.series.get(number as usize).is_some_and(is_same)
        });
        match found {
            Ok(number) => {
                self.refs.truncate(pushed.start);
                number
            }
            Err(place) => self.add(place, pushed, hash, Chain::default()),
        }
    }

    #[inline(never)]
    fn describe(&mut self, number: u32, view: SeriesView<'_>) {
        let block = view.block();
        self.known.look_at(block);
        let [unit, help] = [view.unit_ref(), view.help_ref()]
            .map(|reference| self.known.number(reference, &mut self.symbols, block));
        if let Some(series) = self.series.get_mut(number as usize) {
            // The latest word of the sender counts; silence takes nothing back.
            if view.kind() != MetricType::Unspecified {
                series.kind = view.kind();
            }
            series.unit = if unit == 0 { series.unit } else { unit };
            series.help = if help == 0 { series.help } else { help };
            self.are_described = true;
        }
    }

    /// Appends label references, sorted and escaped as the receiver wants them, and answers their hash, too.
    fn put_refs(&mut self, view: SeriesView<'_>, names: NameEscaping) -> (Range<usize>, u64) {
        let start = self.refs.len();
        if !is_fit(view, names) {
            let pushed = self.put_tidied(start, view.labels(), names);
            let (pairs, _) = self.refs_of(&pushed).as_chunks::<2>();
            let pairs = pairs.iter();
            let hash = pairs.fold(self.seed, |hash, pair| with_pair(self.seed, hash, *pair));
            return (pushed, hash);
        }
        let (known, symbols, block) = (&mut self.known, &mut self.symbols, view.block());
        known.look_at(block);
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
        self.finish_with(<[u8]>::to_vec)
    }

    /// Shows the request, uncompressed, where it was made. The encoder is empty afterwards.
    pub fn finish_with<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> T {
        let mut metadata = Vec::new();
        if self.version == Version::V1 && self.are_described {
            v1::put_metadata(&mut metadata, self);
        }
        if !self.is_written {
            for series in &mut self.series {
                self.points.sort(&mut series.points);
            }
            self.histograms
                .sort_by_key(|(number, histogram)| (*number, histogram.at_ms));
            self.exemplars
                .sort_by_key(|(number, exemplar)| (*number, exemplar.at_ms));
            match self.version {
                Version::V1 => {
                    let mut request = std::mem::take(&mut self.rewritten);
                    v1::put_all_series(&mut request, self);
                    self.rewritten = std::mem::replace(&mut self.request, request);
                }
                Version::V2 => {
                    let mut request = std::mem::take(&mut self.request);
                    v2::put_request(&mut request, self);
                    self.request = request;
                }
            }
        }
        self.request.append(&mut metadata);
        let taken = take(&self.request);
        self.clear();
        taken
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
}

/// Whether the labels can stay as they are.
fn is_fit(view: SeriesView<'_>, names: NameEscaping) -> bool {
    view.is_tidy()
        && (names == NameEscaping::Utf8
            || !view
                .labels()
                .any(|(name, value)| names::needs_escaping(name, value, names)))
}

/// The hash of label references so far, and of one more pair.
#[inline(always)]
fn with_pair(seed: u64, hash: u64, [name, value]: [u32; 2]) -> u64 {
    with_word(seed, hash, u64::from(name) << 32 | u64::from(value))
}

/// A hash so far, and of one word more.
#[inline(always)]
fn with_word(seed: u64, hash: u64, word: u64) -> u64 {
    /// The fraction of the golden ratio, and as random as any.
    const PATTERNLESS: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(hash ^ word) * u128::from((seed ^ PATTERNLESS) | 1);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both halves are taken, one after the other"
    )]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

#[cfg(test)]
mod tests;
