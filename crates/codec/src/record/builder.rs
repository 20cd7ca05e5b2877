//! Records written step by step, so that a sample costs no message struct.
//!
//! The record is one `io.prometheus.write.v2.Request`: symbols first, then the series in the order
//! of their first sample.

mod frame;
mod known;
mod point;

use bytes::Bytes;
use model::{Label, MetricType, NAME_LABEL, Point};

use super::memo::Memo;
use crate::protobuf::{
    Value, delimited_len, put_bytes, put_double, put_head, put_refs, put_sample, put_short,
    put_uint, refs_len, varint_len,
};
use crate::symbols::Symbols;
use frame::{Place, Said};

const TIMESERIES: u8 = 5;
const LABELS_REFS: u8 = 1;
const HISTOGRAMS: u8 = 3;
const EXEMPLARS: u8 = 4;
const METADATA: u8 = 5;

/// What a record holds of a series.
#[derive(Debug, Clone, Copy)]
pub enum Item<'x> {
    /// A float sample.
    Point(Point),
    /// A native histogram: its `Histogram` message, which is taken as it is.
    Histogram(&'x [u8]),
    /// An example observation, which is no sample.
    Exemplar {
        /// Milliseconds since the Unix epoch.
        at_ms: i64,
        /// The observed value.
        value: f64,
        /// Its labels, in any order.
        labels: &'x [Label<'x>],
    },
}

impl From<Point> for Item<'_> {
    fn from(point: Point) -> Self {
        Self::Point(point)
    }
}

/// Which samples a `TimeSeries` has; the protocol does not mix them in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Samples {
    Floats,
    Histograms,
}

/// What a sender said about a series; texts by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Description {
    kind: MetricType,
    unit: u32,
    help: u32,
}

impl Description {
    /// What is said of a series behind the one with this description, which mostly is the same. Empty texts say nothing.
    #[inline]
    fn like(self, symbols: &mut Symbols, (kind, unit, help): (MetricType, &str, &str)) -> Self {
        let mut number = |text: &str, guess| match text {
            "" => 0,
            text => symbols.intern_like(text, Some(guess)),
        };
        Self {
            kind,
            unit: number(unit, self.unit),
            help: number(help, self.help),
        }
    }
}

/// A series that may still get items.
#[derive(Debug, Default)]
struct Open {
    /// The numbers of its texts; none if they are only where it was written.
    refs: Vec<u32>,
    /// Samples and exemplars, encoded.
    items: Vec<u8>,
    /// `None` as long as there are only exemplars.
    samples: Option<Samples>,
    description: Description,
    /// The size of everything but the items, encoded.
    frame_len: usize,
    /// Where it was written already, in the hope that nothing more comes: then `items` are empty.
    written: Option<Written>,
}

/// The place of a series that is the last one written.
#[derive(Debug, Clone, Copy)]
struct Written {
    start: usize,
    /// Where the numbers of its texts are, as they are packed.
    refs: Place,
    items: Place,
}

impl Open {
    /// Takes a description, when the references are complete.
    #[inline]
    fn describe(&mut self, description: Description) {
        self.description = description;
        self.written = None;
        self.measure();
    }

    fn measure(&mut self) {
        self.frame_len = delimited_len(refs_len(&self.refs))
            + match description_len(self.description) {
                0 => 0,
                content => delimited_len(content),
            };
    }

    /// Reads what it is of from where it was written, if it does not know.
    fn recall(&mut self, series: &[u8]) {
        if let (Some(written), true) = (self.written, self.refs.is_empty()) {
            let (from, to) = written.refs;
            let packed = Value::Bytes(series.get(from..to).unwrap_or_default());
            let read = packed.each_uint32(|number| self.refs.push(number));
            debug_assert!(read.is_ok(), "it was written here");
            self.measure();
        }
    }

    /// Whether there is something of the series that `other` is of.
    fn is_series_of(&self, other: &Self) -> bool {
        (self.written.is_some() || !self.items.is_empty())
            && self.refs == other.refs
            && self.description == other.description
    }

    /// Whether what is in `other` may be added here.
    fn takes(&self, other: &Self) -> bool {
        self.is_series_of(other)
            && (self.samples == other.samples || self.samples.is_none() || other.samples.is_none())
    }
}

/// Encodes `io.prometheus.write.v2.Request` step by step, for the series of one metric name.
///
/// Items of the same series that are pushed one after the other share a `TimeSeries`.
#[derive(Debug)]
pub struct RecordBuilder {
    name: String,
    symbols: Symbols,
    /// The numbers of `__name__` and of the metric name.
    name_refs: [u32; 2],
    /// Finished series, encoded.
    series: Vec<u8>,
    open: Open,
    /// What is being pushed, until it is known to fit.
    pending: Open,
    /// The label references of an exemplar, while it is written.
    scratch: (Vec<u32>, Vec<u8>),
    samples: u32,
    memo: Memo,
    said: Said,
}

impl RecordBuilder {
    /// An empty record for this metric name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let symbols = Symbols::default();
        let mut builder = Self {
            name: name.to_owned(),
            memo: Memo::new(symbols.seed()),
            symbols,
            name_refs: [0; 2],
            series: Vec::new(),
            open: Open::default(),
            pending: Open::default(),
            scratch: (Vec::new(), Vec::new()),
            samples: 0,
            said: Said::default(),
        };
        builder.start();
        builder
    }

    /// The metric name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self) {
        self.memo.clear();
        self.symbols.clear();
        self.open.items.clear();
        self.open.written = None;
        // Number 0 is the empty text by the protocol's rule.
        self.symbols.append(b"");
        let label = self.symbols.append(NAME_LABEL.as_bytes());
        let name = if self.name == NAME_LABEL {
            label
        } else {
            self.symbols.append(self.name.as_bytes())
        };
        self.name_refs = [label, name];
    }

    /// Adds items of a series: floats or native histograms, not both, and exemplars with either.
    /// `labels` are sorted by name, without `__name__`.
    pub fn push<'l, 'x>(
        &mut self,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        kind: MetricType,
        unit: &str,
        help: &str,
        items: impl IntoIterator<Item = impl Into<Item<'x>>>,
    ) {
        let fits = self.push_within(usize::MAX, labels, kind, unit, help, items);
        debug_assert!(fits, "nothing is larger than memory");
    }

    /// Like [`Self::push`], unless the record would grow beyond `limit_bytes`: then nothing
    /// changes and the answer is `false`. A `false` from an empty builder means that these items
    /// alone are larger than a record may be.
    #[must_use]
    pub fn push_within<'l, 'x>(
        &mut self,
        limit_bytes: usize,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        kind: MetricType,
        unit: &str,
        help: &str,
        items: impl IntoIterator<Item = impl Into<Item<'x>>>,
    ) -> bool {
        let known = self.symbols.len();
        self.fill_pending(labels, kind, unit, help);
        self.add_pending(limit_bytes, known, items)
    }

    /// Forgets everything, keeps the memory, and goes on with another metric name.
    pub fn restart(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(name);
        self.series.clear();
        self.samples = 0;
        self.start();
    }

    /// Adds what is pending with these items, unless that is too much: then `symbols` is how many texts stay.
    fn add_pending<'x>(
        &mut self,
        limit_bytes: usize,
        known: usize,
        items: impl IntoIterator<Item = impl Into<Item<'x>>>,
    ) -> bool {
        self.memo.set_open(false);
        let samples = self.fill_items(items);
        if self.pending.items.is_empty() {
            self.forget_symbols(known);
            return true;
        }
        self.open.recall(&self.series);
        let same = self.open.takes(&self.pending);
        if same {
            self.reopen();
        }
        let tail = if same {
            series_len(&self.open, self.pending.items.len())
        } else {
            self.open_len() + series_len(&self.pending, 0)
        };
        if self.symbols.encoded().len() + self.series.len() + tail > limit_bytes {
            self.forget_symbols(known);
            return false;
        }
        if same {
            self.open.items.extend_from_slice(&self.pending.items);
            self.open.samples = self.open.samples.or(self.pending.samples);
        } else {
            self.write_open();
            std::mem::swap(&mut self.open, &mut self.pending);
        }
        self.samples = self.samples.saturating_add(samples);
        true
    }

    /// Forgets the symbols from this number on.
    fn forget_symbols(&mut self, len: usize) {
        self.symbols.truncate(len);
        // It may remember some of them; the others must be found by their bytes from now on.
        self.memo.clear();
        self.symbols.index();
    }

    /// Takes back the series that was written last, because more of it comes.
    fn reopen(&mut self) {
        if let Some(written) = self.open.written.take() {
            let (from, to) = written.items;
            let items = self.series.get(from..to).unwrap_or_default();
            self.open.items.extend_from_slice(items);
            self.series.truncate(written.start);
        }
    }

    fn fill_pending<'x>(
        &mut self,
        labels: impl IntoIterator<Item = (&'x str, &'x str)>,
        kind: MetricType,
        unit: &str,
        help: &str,
    ) {
        let pending = &mut self.pending;
        pending.refs.clear();
        let mut named = false;
        for (name, value) in labels {
            // Upper-case names sort before `__name__`.
            if !named && is_after_name(name) {
                pending.refs.extend(self.name_refs);
                named = true;
            }
            for text in [name, value] {
                let guess = self.open.refs.get(pending.refs.len()).copied();
                pending.refs.push(self.symbols.intern_like(text, guess));
            }
        }
        if !named {
            pending.refs.extend(self.name_refs);
        }
        let said = (kind, unit, help);
        let description = self.open.description.like(&mut self.symbols, said);
        pending.describe(description);
    }

    /// Encodes what is pushed and answers how many samples that is.
    fn fill_items<'x>(&mut self, items: impl IntoIterator<Item = impl Into<Item<'x>>>) -> u32 {
        let pending = &mut self.pending;
        pending.items.clear();
        pending.samples = None;
        let mut samples = 0_u32;
        for item in items {
            let kind = match item.into() {
                Item::Point(point) => {
                    put_sample(&mut pending.items, &point, true);
                    Samples::Floats
                }
                Item::Histogram(message) => {
                    put_bytes(&mut pending.items, HISTOGRAMS, message);
                    Samples::Histograms
                }
                Item::Exemplar {
                    at_ms,
                    value,
                    labels,
                } => {
                    let (refs, message) = &mut self.scratch;
                    refs.clear();
                    message.clear();
                    for label in labels {
                        refs.push(self.symbols.intern(&label.name));
                        refs.push(self.symbols.intern(&label.value));
                    }
                    put_refs(message, LABELS_REFS, refs);
                    put_double(message, 2, value);
                    put_uint(message, 3, at_ms.cast_unsigned());
                    put_bytes(&mut pending.items, EXEMPLARS, message);
                    continue;
                }
            };
            debug_assert!(
                pending.samples.is_none_or(|before| before == kind),
                "one push holds floats or histograms"
            );
            pending.samples = Some(kind);
            samples = samples.saturating_add(1);
        }
        samples
    }

    /// The exact size that [`Self::finish`] would give now, in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.symbols.encoded().len() + self.series.len() + self.open_len()
    }

    fn open_len(&self) -> usize {
        if self.open.items.is_empty() {
            0
        } else {
            series_len(&self.open, 0)
        }
    }

    /// The memory that it keeps for later records, in bytes, about.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let (refs, message) = &self.scratch;
        let refs = self.open.refs.capacity() + self.pending.refs.capacity() + refs.capacity();
        let items = self.open.items.capacity() + self.pending.items.capacity();
        self.symbols.capacity()
            + self.series.capacity()
            + self.memo.capacity()
            + refs * size_of::<u32>()
            + items
            + message.capacity()
    }

    /// Samples pushed since the last [`Self::finish`]; exemplars are none.
    #[must_use]
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// Whether nothing was pushed since then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.open.items.is_empty()
    }

    /// The record. The builder is empty afterwards, for the same metric name.
    pub fn finish(&mut self) -> Bytes {
        let mut record = Vec::with_capacity(self.encoded_len());
        record.extend_from_slice(self.symbols.encoded());
        self.write_open();
        record.extend_from_slice(&self.series);
        self.series.clear();
        self.samples = 0;
        self.start();
        record.into()
    }

    /// Writes what is open, unless it is written.
    #[inline]
    fn write_open(&mut self) {
        if !self.open.items.is_empty() {
            self.open.written = Some(put_series(&mut self.series, &self.open));
            self.open.items.clear();
        }
    }
}

/// Whether a label comes behind the metric name's; the first byte mostly tells.
fn is_after_name(name: &str) -> bool {
    match name.as_bytes() {
        [b'`'..=u8::MAX, ..] => true,
        _ => name > NAME_LABEL,
    }
}

fn description_len(description: Description) -> usize {
    [description.kind.wire(), description.unit, description.help]
        .into_iter()
        .filter(|number| *number != 0)
        .map(|number| 1 + varint_len(u64::from(number)))
        .sum()
}

/// The size of a series with so many bytes of items more.
fn series_len(series: &Open, more: usize) -> usize {
    delimited_len(series.frame_len + series.items.len() + more)
}

fn put_series(output: &mut Vec<u8>, series: &Open) -> Written {
    let start = output.len();
    put_head(output, TIMESERIES, series.frame_len + series.items.len());
    put_refs(output, LABELS_REFS, &series.refs);
    let items = output.len();
    let refs = (items - refs_len(&series.refs), items);
    output.extend_from_slice(&series.items);
    let items = (items, output.len());
    put_description(output, series.description);
    Written { start, refs, items }
}

#[inline]
fn put_description(output: &mut Vec<u8>, description: Description) {
    if description != Description::default() {
        put_short(output, METADATA, |output| {
            put_uint(output, 1, u64::from(description.kind.wire()));
            put_uint(output, 3, u64::from(description.help));
            put_uint(output, 4, u64::from(description.unit));
        });
    }
}

#[cfg(test)]
mod tests;
