//! The series of one record of the buffer, as the consumer reads them.
//!
//! One arena for all text and flat vectors for everything else: a record costs a handful of
//! allocations however many series it has, and sharing one is an `Arc`.

use std::ops::Range as AnyRange;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::MetricType;

/// Half the size of a range of `usize`: a record is far smaller than 4 GiB, and there are many of these.
type Range = AnyRange<u32>;

fn wide(range: &Range) -> AnyRange<usize> {
    range.start as usize..range.end as usize
}

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
    #[must_use]
    pub fn symbol(&self, reference: u32) -> &str {
        self.symbols
            .get(reference as usize)
            .and_then(|range| self.text.get(wide(range)))
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
    #[must_use]
    pub fn series(&self, number: usize) -> Option<SeriesView<'_>> {
        self.series
            .get(number)
            .map(|entry| SeriesView { block: self, entry })
    }

    /// All series in the record's order.
    pub fn iter(&self) -> impl Iterator<Item = SeriesView<'_>> {
        self.series
            .iter()
            .map(|entry| SeriesView { block: self, entry })
    }

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
    #[must_use]
    pub fn block(&self) -> &'a Block {
        self.block
    }

    /// The same labels as the numbers of their names and values among the block's symbols.
    #[must_use]
    pub fn label_refs(&self) -> &'a [[u32; 2]] {
        self.block.refs(&self.entry.refs)
    }

    /// Whether the labels are sorted by name and none has an empty value.
    #[must_use]
    pub fn is_tidy(&self) -> bool {
        self.entry.tidy
    }

    /// The metric name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.block.symbol(self.entry.name)
    }

    /// Float samples.
    #[must_use]
    pub fn points(&self) -> &'a [Point] {
        self.block
            .points
            .get(wide(&self.entry.points))
            .unwrap_or_default()
    }

    /// Native histograms.
    #[must_use]
    pub fn histograms(&self) -> &'a [Histogram] {
        self.block
            .histograms
            .get(wide(&self.entry.histograms))
            .unwrap_or_default()
    }

    /// Exemplars.
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
    #[must_use]
    pub fn kind(&self) -> MetricType {
        self.entry.kind
    }

    /// The number of the unit among the block's symbols.
    #[must_use]
    pub fn unit_ref(&self) -> u32 {
        self.entry.unit
    }

    /// The number of the help text among the block's symbols.
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

/// Fills a [`Block`]: symbols first or last, then series by series; [`Self::build`] checks the
/// references, so that a reader of the block never meets a bad one.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    block: Block,
    open: Entry,
}

impl BlockBuilder {
    /// An empty builder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for exactly so much, so that a block that waits for its store is not half empty.
    pub fn reserve(&mut self, symbols: usize, text_bytes: usize, series: usize) {
        self.block.symbols.reserve_exact(symbols);
        self.block.text.reserve_exact(text_bytes);
        self.block.series.reserve_exact(series);
    }

    /// Makes room for so many series like those so far, but for no more than `most` references or points.
    pub fn reserve_alike(&mut self, times: usize, most: usize) {
        let refs = self.block.refs.len().saturating_mul(times);
        self.block.refs.reserve_exact(refs.min(most));
        let points = self.block.points.len().saturating_mul(times);
        self.block.points.reserve_exact(points.min(most));
    }

    /// Adds a symbol and answers its number. By the convention of remote write 2.0 the first one is empty.
    ///
    /// # Panics
    /// With more than 2^32 symbols or bytes of text, which no record limit lets in.
    pub fn symbol(&mut self, text: &str) -> u32 {
        let number =
            u32::try_from(self.block.symbols.len()).expect("a record has less than 2^32 symbols");
        let start = narrow(self.block.text.len());
        self.block.text.push_str(text);
        self.block
            .symbols
            .push(start..narrow(self.block.text.len()));
        number
    }

    /// Adds a label reference (names and values in turn) to the open series.
    pub fn label_ref(&mut self, reference: u32) {
        self.block.refs.push(reference);
        self.open.refs.end = narrow(self.block.refs.len());
    }

    /// Adds label references (names and values in turn) to the open series.
    pub fn label_refs(&mut self, references: impl IntoIterator<Item = u32>) {
        self.block.refs.extend(references);
        self.open.refs.end = narrow(self.block.refs.len());
    }

    /// Adds a float sample to the open series.
    pub fn point(&mut self, point: Point) {
        self.block.points.push(point);
    }

    /// Adds a native histogram to the open series.
    pub fn histogram(&mut self, histogram: Histogram) {
        self.block.histograms.push(histogram);
    }

    /// Adds an exemplar to the open series. Call it after the series' own label references.
    pub fn exemplar(&mut self, at_ms: i64, value: f64, refs: impl IntoIterator<Item = u32>) {
        let start = narrow(self.block.refs.len());
        self.block.refs.extend(refs);
        self.block.exemplars.push(Exemplar {
            at_ms,
            value,
            refs: start..narrow(self.block.refs.len()),
        });
    }

    /// States type, unit and help (as symbol numbers) of the open series.
    pub fn metadata(&mut self, kind: MetricType, unit: u32, help: u32) {
        self.open.kind = kind;
        self.open.unit = unit;
        self.open.help = help;
    }

    /// Sets a start time for the points of the open series that have none.
    pub fn default_start(&mut self, start_ms: i64) {
        for point in self
            .block
            .points
            .iter_mut()
            .skip(self.open.points.start as usize)
        {
            if point.start_ms == 0 {
                point.start_ms = start_ms;
            }
        }
    }

    /// Closes the open series and opens the next.
    pub fn end_series(&mut self) {
        let mut entry = std::mem::take(&mut self.open);
        entry.points.end = narrow(self.block.points.len());
        entry.histograms.end = narrow(self.block.histograms.len());
        entry.exemplars.end = narrow(self.block.exemplars.len());
        let refs = narrow(self.block.refs.len());
        self.open = Entry {
            refs: refs..refs,
            points: entry.points.end..entry.points.end,
            histograms: entry.histograms.end..entry.histograms.end,
            exemplars: entry.exemplars.end..entry.exemplars.end,
            ..Entry::default()
        };
        self.block.series.push(entry);
    }

    /// The finished block.
    ///
    /// # Errors
    /// When a reference is outside the symbol table, references do not pair up, or a series has no name.
    pub fn build(self) -> Result<Block, BlockError> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let mut block = self.block;
        let symbols = block.symbols.len();
        let outside = |reference: u32| reference as usize >= symbols;
        if block.refs.iter().copied().max().is_some_and(outside)
            && let Some(&reference) = block.refs.iter().find(|reference| outside(**reference))
        {
            return Err(BlockError::Reference { reference, symbols });
        }
        for exemplar in &block.exemplars {
            is_paired(&exemplar.refs)?;
        }
        let mut series = std::mem::take(&mut block.series);
        let mut shape = Shape::default();
        let empty = Empty::of(&block);
        for entry in &mut series {
            is_paired(&entry.refs)?;
            for reference in [entry.unit, entry.help] {
                if reference != 0 && outside(reference) {
                    return Err(BlockError::Reference { reference, symbols });
                }
            }
            let labels = block.refs(&entry.refs);
            shape.fit(&block, labels);
            let name = shape.name_at.and_then(|at| labels.get(at));
            entry.name = match name {
                Some([_, name]) if !empty.has(&block, *name) => *name,
                _ => return Err(BlockError::NoName),
            };
            entry.tidy =
                shape.is_sorted && !labels.iter().any(|[_, value]| empty.has(&block, *value));
        }
        block.series = series;
        block.id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(block)
    }
}

fn is_paired(refs: &Range) -> Result<(), BlockError> {
    match refs.len() {
        count if count % 2 != 0 => Err(BlockError::OddReferences { count }),
        _ => Ok(()),
    }
}

/// What the label names of a series say. Mostly they are those of the series before it.
#[derive(Default)]
struct Shape<'a> {
    labels: &'a [[u32; 2]],
    /// Which label is the metric name.
    name_at: Option<usize>,
    is_sorted: bool,
}

impl<'a> Shape<'a> {
    fn fit(&mut self, block: &'a Block, labels: &'a [[u32; 2]]) {
        let names = |labels: &'a [[u32; 2]]| labels.iter().map(|[name, _]| *name);
        if labels.len() == self.labels.len() && names(labels).eq(names(self.labels)) {
            return;
        }
        let texts = || names(labels).map(|name| block.symbol(name));
        *self = Self {
            labels,
            name_at: texts().position(|name| name == crate::NAME_LABEL),
            is_sorted: texts().is_sorted(),
        };
    }
}

/// Which symbols are empty: by the convention the first, and hardly ever another.
#[derive(Clone, Copy)]
enum Empty {
    First,
    Others,
}

impl Empty {
    fn of(block: &Block) -> Self {
        let first = block.symbols.first().is_some_and(AnyRange::is_empty);
        match first && !block.symbols.iter().skip(1).any(AnyRange::is_empty) {
            true => Self::First,
            false => Self::Others,
        }
    }

    fn has(self, block: &Block, reference: u32) -> bool {
        match self {
            Self::First => reference == 0,
            Self::Others => block.symbol(reference).is_empty(),
        }
    }
}
