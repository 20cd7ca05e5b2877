//! Prometheus remote write: as a store's client sends it, and, in [`receive`], as senders push it.
//!
//! However many records a series' samples came in, the request has one `TimeSeries` for them, with
//! its samples by time: receivers refuse a sample that is older than one before it.

mod current;
mod known;
mod labels;
mod names;
mod numbers;
mod part;
mod plain;
mod points;
pub mod receive;
mod refs;
mod repeats;
mod v1;
mod v2;

use std::hash::BuildHasher as _;
use std::ops::Range;

use model::{Histogram, MetricType, Point, SeriesView};

use crate::snappy::Compressor;
use crate::symbols::Symbols;
use current::Current;
use labels::Labels;
use numbers::{Numbers, Vacant};
use points::{Chain, Points};
use refs::Refs;
use repeats::Repeats;

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
    /// Its labels, sorted by name, as bytes of the request.
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
    /// Labels of version 1.0.
    labels: Labels,
    /// Labels of version 2.0.
    refs: Refs,
    /// Each new series is written at once, as if nothing more came of it.
    request: Vec<u8>,
    /// The same compressed, if that is wanted.
    repeats: Option<Repeats>,
    /// Whether that came true: one float sample each.
    is_written: bool,
    /// Where the request is put together that did not come true.
    rewritten: Vec<u8>,
    series: Vec<Series>,
    /// Numbers of series by their labels.
    numbers: Numbers,
    /// Of all series, each with a chain of its own.
    points: Points,
    /// With their series' number, in the order of the pushes.
    histograms: Vec<(u32, Histogram)>,
    exemplars: Vec<(u32, Exemplar)>,
    /// Names and values of the exemplars' labels in turn.
    exemplar_refs: Vec<u32>,
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
            labels: Labels::new(seed),
            refs: Refs::new(seed),
            request: Vec::new(),
            repeats: None,
            is_written: true,
            rewritten: Vec::new(),
            series: Vec::new(),
            numbers: Numbers::new(),
            points: Points::default(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
            exemplar_refs: Vec::new(),
            are_described: false,
        };
        encoder.clear();
        encoder
    }

    /// An empty request that is to be compressed.
    #[must_use]
    pub fn for_compression(version: Version) -> Self {
        Self {
            repeats: Some(Repeats::new()),
            ..Self::new(version)
        }
    }

    fn clear(&mut self) {
        self.symbols.clear();
        // Number 0 is the empty text by the rule of version 2.0.
        self.symbols.intern("");
        self.refs.clear();
        if let Some(repeats) = &mut self.repeats {
            repeats.clear();
        }
        for buffer in [&mut self.request, &mut self.rewritten] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES);
        }
        self.labels.shrink_to(KEPT_BYTES);
        self.is_written = true;
        self.series.clear();
        self.numbers.clear();
        self.points.clear();
        self.histograms.clear();
        self.exemplars.clear();
        self.exemplar_refs.clear();
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
        let number = self.number(view, names);
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
            let start = self.exemplar_refs.len();
            for (name, value) in names::tidy(view.exemplar_labels(exemplar), names) {
                let pair = [&name, &value].map(|text| self.symbols.intern(text));
                self.exemplar_refs.extend(pair);
            }
            let exemplar = Exemplar {
                at_ms: exemplar.at_ms,
                value: exemplar.value,
                refs: start..self.exemplar_refs.len(),
            };
            self.exemplars.push((number, exemplar));
        }
    }

    /// The number of a series in a request that is to be written when all is known.
    fn number(&mut self, view: SeriesView<'_>, names: NameEscaping) -> u32 {
        self.is_written = false;
        if is_fit(view, names) {
            match self.version {
                Version::V1 => self.labels.change_to(view),
                Version::V2 => self.refs.change_to(view, &mut self.symbols),
            }
        } else {
            let tidied = names::tidy(view.labels(), names);
            let tidied = tidied.iter().map(|(name, value)| [&**name, &**value]);
            match self.version {
                Version::V1 => self.labels.set(tidied),
                Version::V2 => {
                    let symbols = &mut self.symbols;
                    let number = |pair: [&str; 2]| pair.map(|text| symbols.intern(text));
                    self.refs.set(tidied.map(number));
                }
            }
        }
        let labels = taken(self.version, &self.labels, &self.refs);
        match find(&self.numbers, &self.series, &self.request, labels) {
            Ok(number) => number,
            Err(place) => {
                let (start, hash) = (self.request.len(), labels.hash);
                self.request.extend_from_slice(&labels.encoded);
                let labels = start..self.request.len();
                self.add(place, labels, hash, Chain::default())
            }
        }
    }

    #[inline(never)]
    fn describe(&mut self, number: u32, view: SeriesView<'_>) {
        let block = view.block();
        let known = &mut self.refs.known;
        known.look_at(block);
        let [unit, help] = [view.unit_ref(), view.help_ref()]
            .map(|reference| known.number(reference, &mut self.symbols, block));
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
        let request = match self.is_written {
            true => [before_series(self.version, &self.symbols), &self.request].concat(),
            false => self.written_anew().to_vec(),
        };
        self.clear();
        request
    }

    /// The request as a snappy block, faster by an encoder that was made [for that](Self::for_compression). The encoder is
    /// empty afterwards.
    ///
    /// # Panics
    /// With more than 2^32 bytes, which the format cannot hold and no batch has.
    #[must_use]
    pub fn finish_compressed(&mut self, compressor: &mut Compressor) -> Vec<u8> {
        let block = match &mut self.repeats {
            Some(repeats) if self.is_written => {
                let before = before_series(self.version, &self.symbols);
                repeats.block(compressor, before, self.request.len())
            }
            _ if self.is_written => return compressor.compress(&self.finish()),
            _ => compressor.compress(self.written_anew()),
        };
        self.clear();
        block
    }

    /// The request anew, because it was not true as it was written.
    fn written_anew(&mut self) -> &[u8] {
        for series in &mut self.series {
            self.points.sort(&mut series.points);
        }
        self.histograms
            .sort_by_key(|(number, histogram)| (*number, histogram.at_ms));
        self.exemplars
            .sort_by_key(|(number, exemplar)| (*number, exemplar.at_ms));
        let mut request = std::mem::take(&mut self.rewritten);
        match self.version {
            Version::V1 => {
                v1::put_all_series(&mut request, self);
                if self.are_described {
                    v1::put_metadata(&mut request, self);
                }
            }
            Version::V2 => v2::put_request(&mut request, self),
        }
        self.rewritten = std::mem::replace(&mut self.request, request);
        &self.request
    }

    fn refs_of(&self, range: &Range<usize>) -> &[u32] {
        self.exemplar_refs.get(range.clone()).unwrap_or_default()
    }

    /// Names and values behind references.
    fn pairs(&self, range: &Range<usize>) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (pairs, _) = self.refs_of(range).as_chunks::<2>();
        pairs
            .iter()
            .map(|&[name, value]| (self.symbols.text(name), self.symbols.text(value)))
    }
}

/// What is in front of a request's series.
fn before_series(version: Version, symbols: &Symbols) -> &[u8] {
    match version {
        Version::V1 => &[],
        Version::V2 => symbols.encoded(),
    }
}

/// The labels that were taken last.
#[inline(always)]
fn taken<'a>(version: Version, labels: &'a Labels, refs: &'a Refs) -> &'a Current {
    match version {
        Version::V1 => labels.current(),
        Version::V2 => refs.current(),
    }
}

/// The number of the series that has these labels.
#[inline(always)]
fn find(
    numbers: &Numbers,
    series: &[Series],
    request: &[u8],
    labels: &Current,
) -> Result<u32, Vacant> {
    let Current { encoded, hash, .. } = labels;
    let is_same = |known: &Series| {
        known.hash == *hash && request.get(known.labels.clone()) == Some(encoded.as_slice())
    };
    numbers.find(*hash, |number| {
        series.get(number as usize).is_some_and(is_same)
    })
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
