//! The series of one record of the buffer, as the consumer reads them.
//!
//! One arena for all text and flat vectors for everything else: a record costs a handful of
//! allocations however many series it has, and sharing one is an `Arc`.

mod builder;

use std::ops::Range as AnyRange;

use bytes::Bytes;

use crate::MetricType;
pub use builder::BlockBuilder;

/// Half the size of a range of `usize`: a record is far smaller than 4 GiB, and there are many of these.
type Range = AnyRange<u32>;

#[inline]
fn wide(range: &Range) -> AnyRange<usize> {
    range.start as usize..range.end as usize
}

#[inline]
fn narrow(position: usize) -> u32 {
    u32::try_from(position).expect("a record is smaller than 4 GiB")
}

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The value; a NaN keeps its bits.
    pub value: f64,
    /// When the counter behind it started, milliseconds since the Unix epoch; 0 when unknown.
    pub start_ms: i64,
}

/// A native histogram at a time, kept as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The `Histogram` message of remote write; 1.0 and 2.0 share its fields.
    pub message: Bytes,
}

/// An example observation behind a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The observed value.
    pub value: f64,
    refs: Range,
}

/// The record cannot be what it says it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A label names a symbol that the table does not have.
    #[error("label reference {reference} is outside the table of {symbols} symbols")]
    Reference {
        /// The reference.
        reference: u32,
        /// How many symbols there are.
        symbols: usize,
    },
    /// References come in pairs of name and value.
    #[error("{count} label references, which is not an even number")]
    OddReferences {
        /// How many.
        count: usize,
    },
    /// A symbol is no text.
    #[error("symbol {symbol} is not UTF-8")]
    Utf8 {
        /// Its number.
        symbol: usize,
    },
    /// A series without `__name__`.
    #[error("a series has no __name__ label")]
    NoName,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    refs: Range,
    points: Range,
    histograms: Range,
    exemplars: Range,
    /// The symbol of the metric name.
    name: u32,
    kind: MetricType,
    unit: u32,
    help: u32,
    /// Whether the label names are sorted and no value is empty.
    tidy: bool,
    /// Whether it is known to be tidy, not described, and to have one float sample and nothing else.
    plain: bool,
}

/// The series of one record.
#[derive(Debug, Default)]
pub struct Block {
    id: u64,
    text: String,
    symbols: Vec<Range>,
    refs: Vec<u32>,
    points: Vec<Point>,
    histograms: Vec<Histogram>,
    exemplars: Vec<Exemplar>,
    series: Vec<Entry>,
}

impl Block {
    /// A number that no other block of this process has, for who remembers something about a block's symbols.
    #[inline]
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The texts that label references number.
    pub fn symbols(&self) -> impl ExactSizeIterator<Item = &str> {
        self.symbols
            .iter()
            .map(|range| self.text.get(wide(range)).unwrap_or_default())
    }

    /// A text by its number.
    #[inline]
    #[must_use]
    pub fn symbol(&self, reference: u32) -> &str {
        self.symbols
            .get(reference as usize)
            .and_then(|range| self.text.get(wide(range)))
            .unwrap_or_default()
    }

    /// The bytes of a text by its number.
    #[inline]
    #[must_use]
    pub fn symbol_bytes(&self, reference: u32) -> &[u8] {
        self.symbols
            .get(reference as usize)
            .and_then(|range| self.text.as_bytes().get(wide(range)))
            .unwrap_or_default()
    }

    /// How many series there are. The same label set may appear more than once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Samples of all series: points and histograms.
    #[inline]
    #[must_use]
    pub fn samples(&self) -> usize {
        self.points.len() + self.histograms.len()
    }

    /// Exemplars of all series.
    #[must_use]
    pub fn exemplars(&self) -> usize {
        self.exemplars.len()
    }

    /// Roughly what this takes in memory, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + self.text.capacity()
            + self.symbols.capacity() * size_of::<Range>()
            + self.refs.capacity() * size_of::<u32>()
            + self.points.capacity() * size_of::<Point>()
            + self
                .histograms
                .iter()
                .map(|h| h.message.len() + size_of::<Histogram>())
                .sum::<usize>()
            + self.exemplars.capacity() * size_of::<Exemplar>()
            + self.series.capacity() * size_of::<Entry>()
    }

    /// The series with this number.
    #[inline]
    #[must_use]
    pub fn series(&self, number: usize) -> Option<SeriesView<'_>> {
        self.series
            .get(number)
            .map(|entry| SeriesView { block: self, entry })
    }

    /// All series in the record's order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = SeriesView<'_>> {
        self.series
            .iter()
            .map(|entry| SeriesView { block: self, entry })
    }

    #[inline]
    fn bytes_of(&self, pairs: &[[u32; 2]]) -> usize {
        let len = |reference: &u32| self.symbols.get(*reference as usize).map_or(0, Range::len);
        pairs.as_flattened().iter().map(len).sum()
    }

    #[inline]
    fn refs(&self, refs: &Range) -> &[[u32; 2]] {
        let (pairs, _) = self
            .refs
            .get(wide(refs))
            .unwrap_or_default()
            .as_chunks::<2>();
        pairs
    }

    fn pairs(&self, refs: &Range) -> impl Iterator<Item = (&str, &str)> + use<'_> {
        self.refs(refs)
            .iter()
            .map(|&[name, value]| (self.symbol(name), self.symbol(value)))
    }
}

/// One series of a [`Block`].
#[derive(Debug, Clone, Copy)]
pub struct SeriesView<'a> {
    block: &'a Block,
    entry: &'a Entry,
}

impl<'a> SeriesView<'a> {
    /// All labels, `__name__` among them, in the record's order (sorted, where Sluice wrote it).
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.block.pairs(&self.entry.refs)
    }

    /// The block that it is of.
    #[inline]
    #[must_use]
    pub fn block(&self) -> &'a Block {
        self.block
    }

    /// The same labels as the numbers of their names and values among the block's symbols.
    #[inline]
    #[must_use]
    pub fn label_refs(&self) -> &'a [[u32; 2]] {
        self.block.refs(&self.entry.refs)
    }

    /// What its labels are in bytes when each is written out. Many labels can be one long text of the block, again and
    /// again.
    #[inline]
    #[must_use]
    pub fn label_bytes(&self) -> usize {
        self.block.bytes_of(self.label_refs())
    }

    /// No less than that, known without looking at them.
    #[inline]
    #[must_use]
    pub fn most_label_bytes(&self) -> usize {
        self.entry.refs.len() * self.block.text.len()
    }

    /// What an exemplar's labels are when each is written out.
    #[must_use]
    pub fn exemplar_label_bytes(&self, exemplar: &Exemplar) -> usize {
        self.block.bytes_of(self.block.refs(&exemplar.refs))
    }

    /// Whether the labels are sorted by name and none has an empty value.
    #[inline]
    #[must_use]
    pub fn is_tidy(&self) -> bool {
        self.entry.tidy
    }

    /// The sample of a series that is as nearly all are: one float, labels that are tidy, and neither a type nor a unit
    /// nor a help text. Not of each that is so: of those that were added at once.
    #[inline]
    #[must_use]
    pub fn plain(&self) -> Option<&'a Point> {
        let at = self.entry.points.start as usize;
        self.block.points.get(at).filter(|_| self.entry.plain)
    }

    /// The metric name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.block.symbol(self.entry.name)
    }

    /// The metric name's number among the block's symbols. Another producer's block may have one text twice there.
    #[inline]
    #[must_use]
    pub fn name_ref(&self) -> u32 {
        self.entry.name
    }

    /// Float samples.
    #[inline]
    #[must_use]
    pub fn points(&self) -> &'a [Point] {
        self.block
            .points
            .get(wide(&self.entry.points))
            .unwrap_or_default()
    }

    /// Native histograms.
    #[inline]
    #[must_use]
    pub fn histograms(&self) -> &'a [Histogram] {
        self.block
            .histograms
            .get(wide(&self.entry.histograms))
            .unwrap_or_default()
    }

    /// How many float samples and native histograms there are.
    #[inline]
    #[must_use]
    pub fn samples(&self) -> usize {
        self.entry.points.len() + self.entry.histograms.len()
    }

    /// Exemplars.
    #[inline]
    #[must_use]
    pub fn exemplars(&self) -> &'a [Exemplar] {
        self.block
            .exemplars
            .get(wide(&self.entry.exemplars))
            .unwrap_or_default()
    }

    /// An exemplar's labels.
    pub fn exemplar_labels(
        &self,
        exemplar: &Exemplar,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.block.pairs(&exemplar.refs)
    }

    /// The stated type.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> MetricType {
        self.entry.kind
    }

    /// The number of the unit among the block's symbols.
    #[inline]
    #[must_use]
    pub fn unit_ref(&self) -> u32 {
        self.entry.unit
    }

    /// The number of the help text among the block's symbols.
    #[inline]
    #[must_use]
    pub fn help_ref(&self) -> u32 {
        self.entry.help
    }

    /// The stated unit, or empty.
    #[must_use]
    pub fn unit(&self) -> &'a str {
        self.block.symbol(self.entry.unit)
    }

    /// The stated help text, or empty.
    #[must_use]
    pub fn help(&self) -> &'a str {
        self.block.symbol(self.entry.help)
    }
}
