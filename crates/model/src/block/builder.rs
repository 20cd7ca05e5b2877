//! Blocks step by step, checked at the end.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{AnyRange, Block, BlockError, Entry, Exemplar, Histogram, Point, Range, narrow, wide};
use crate::MetricType;

/// Fills a [`Block`]: symbols first or last, then series by series; [`Self::build`] checks the
/// references, so that a reader of the block never meets a bad one.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    block: Block,
    /// The block's text, which is checked when it is complete.
    text: Vec<u8>,
    open: Entry,
}

/// What [`BlockBuilder::references`] takes beyond those of the last series, where series have few.
const PLACE_REFS: usize = 16;

impl BlockBuilder {
    /// An empty builder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for exactly so much, so that a block that waits for its store is not half empty.
    pub fn reserve(&mut self, symbols: usize, text_bytes: usize, series: usize) {
        self.block.symbols.reserve_exact(symbols);
        self.text.reserve_exact(text_bytes);
        self.block.series.reserve_exact(series);
    }

    /// Makes room for so many series like those so far, but for no more than `most` references or points.
    pub fn reserve_alike(&mut self, times: usize, most: usize) {
        let refs = self.block.refs.len().saturating_mul(times);
        self.block.refs.reserve_exact(refs.min(most) + PLACE_REFS);
        let points = self.block.points.len().saturating_mul(times);
        self.block.points.reserve_exact(points.min(most));
    }

    /// Adds a symbol and answers its number. By the convention of remote write 2.0 the first one is empty.
    ///
    /// # Panics
    /// With more than 2^32 symbols or bytes of text, which no record limit lets in.
    pub fn symbol(&mut self, text: &str) -> u32 {
        self.raw_symbol(text.as_bytes())
    }

    /// The same with bytes that [`Self::build`] finds to be text or not.
    ///
    /// # Panics
    /// Like [`Self::symbol`].
    pub fn raw_symbol(&mut self, text: &[u8]) -> u32 {
        let number =
            u32::try_from(self.block.symbols.len()).expect("a record has less than 2^32 symbols");
        let start = narrow(self.text.len());
        self.text.extend_from_slice(text);
        self.block.symbols.push(start..narrow(self.text.len()));
        number
    }

    /// Adds symbols that are parts of one text, in its order; what is between them must be ASCII.
    ///
    /// # Panics
    /// Like [`Self::symbol`].
    pub fn raw_symbols(&mut self, text: &[u8], symbols: impl IntoIterator<Item = AnyRange<usize>>) {
        let start = self.text.len();
        self.text.extend_from_slice(text);
        let places = symbols.into_iter();
        let places = places.map(|at| narrow(start + at.start)..narrow(start + at.end));
        self.block.symbols.extend(places);
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

    /// Adds references to the open series, which has none so far: of at most `N`, `read` puts some into a place and
    /// answers how many they are. When it answers nothing, none are added.
    #[inline(always)]
    pub fn references<const N: usize>(
        &mut self,
        read: impl FnOnce(&mut [u32; N]) -> Option<usize>,
    ) -> Option<usize> {
        let refs = &mut self.block.refs;
        let start = refs.len();
        refs.extend_from_slice(&[0; N]);
        let count = refs.last_chunk_mut().and_then(read);
        let count = count.map(|count| count.min(N));
        refs.truncate(start + count.unwrap_or_default());
        self.open.refs.end = narrow(refs.len());
        count
    }

    /// Adds a float sample to the open series, which has references and nothing else, and ends it.
    #[inline(always)]
    pub fn series_of_one(&mut self, point: Point) {
        self.block.points.push(point);
        let refs = narrow(self.block.refs.len());
        let points = narrow(self.block.points.len());
        let Entry {
            refs: open_refs,
            points: open_points,
            histograms,
            exemplars,
            kind,
            unit,
            help,
            ..
        } = &mut self.open;
        self.block.series.push(Entry {
            refs: open_refs.start..refs,
            points: open_points.start..points,
            histograms: histograms.clone(),
            exemplars: exemplars.clone(),
            name: 0,
            kind: *kind,
            unit: *unit,
            help: *help,
            tidy: false,
            plain: *kind == MetricType::Unspecified && *unit | *help == 0,
        });
        *open_refs = refs..refs;
        *open_points = points..points;
        (*kind, *unit, *help) = (MetricType::default(), 0, 0);
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
    /// When a symbol is not UTF-8, a reference is outside the symbol table, references do not pair up, or a series has no name.
    pub fn build(self) -> Result<Block, BlockError> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let mut block = self.block;
        block.text = checked(self.text, &block.symbols)?;
        let symbols = block.symbols.len();
        let outside = |reference: u32| reference as usize >= symbols;
        if may_be_outside(&block.refs, symbols)
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
            if entry.unit | entry.help != 0 {
                for reference in [entry.unit, entry.help] {
                    if reference != 0 && outside(reference) {
                        return Err(BlockError::Reference { reference, symbols });
                    }
                }
            }
            let labels = block.refs(&entry.refs);
            let has_zero = shape.fit(&block, labels);
            let has_empty = match empty {
                Empty::First => has_zero,
                Empty::Others => labels.iter().any(|[_, value]| empty.has(&block, *value)),
            };
            let name = shape.name_at.and_then(|at| labels.get(at));
            entry.name = match name {
                Some([_, name]) if !has_empty || !empty.has(&block, *name) => *name,
                _ => return Err(BlockError::NoName),
            };
            entry.tidy = shape.is_sorted && !has_empty;
            // The text with the number 0 is no description.
            entry.plain &= entry.tidy && matches!(empty, Empty::First);
        }
        block.series = series;
        block.id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(block)
    }
}

/// All symbols as text: checked at once, which is several times cheaper than one by one.
fn checked(text: Vec<u8>, symbols: &[Range]) -> Result<String, BlockError> {
    let text = String::from_utf8(text).map_err(std::string::FromUtf8Error::into_bytes);
    let bytes = match text {
        // Two halves of a character are none.
        Ok(text) if text.is_ascii() || symbols.iter().all(|at| text.get(wide(at)).is_some()) => {
            return Ok(text);
        }
        Ok(text) => text.into_bytes(),
        Err(bytes) => bytes,
    };
    let is_text = |at: &Range| {
        bytes
            .get(wide(at))
            .is_some_and(|b| str::from_utf8(b).is_ok())
    };
    let symbol = symbols.iter().position(|at| !is_text(at));
    Err(BlockError::Utf8 {
        symbol: symbol.unwrap_or(0),
    })
}

/// Whether a reference may be outside a table of so many symbols. Without a comparison of each, which is several times
/// as much: the highest bit of a difference says which number is larger, as long as neither has it.
fn may_be_outside(refs: &[u32], symbols: usize) -> bool {
    let Some(last) = u32::try_from(symbols)
        .ok()
        .and_then(|symbols| symbols.checked_sub(1))
    else {
        return true;
    };
    let all = refs.iter().fold(last, |all, reference| {
        all | *reference | last.wrapping_sub(*reference)
    });
    all >> 31 != 0
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
    /// Answers whether the reference 0 is among the values.
    #[inline]
    fn fit(&mut self, block: &'a Block, labels: &'a [[u32; 2]]) -> bool {
        let mut is_same = labels.len() == self.labels.len();
        let mut has_zero = false;
        // Without a way out: they are few, and nearly always the same.
        for ([name, value], [known, _]) in labels.iter().zip(self.labels) {
            is_same &= name == known;
            has_zero |= *value == 0;
        }
        if is_same {
            return has_zero;
        }
        self.change_to(block, labels);
        labels.iter().any(|[_, value]| *value == 0)
    }

    #[cold]
    fn change_to(&mut self, block: &'a Block, labels: &'a [[u32; 2]]) {
        let texts = || labels.iter().map(|[name, _]| block.symbol(*name));
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

#[cfg(test)]
mod tests;
