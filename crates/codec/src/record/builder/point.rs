//! Series that no catalogue knows, with one sample: written at once, as those are that one knows.

use model::{MetricType, Point};

use super::{RecordBuilder, is_after_name};

impl RecordBuilder {
    /// Like [`Self::push_within`] for one float sample, as nearly all series have: it is written at once, for its series
    /// mostly has no second one behind it.
    #[must_use]
    pub fn push_point<'l>(
        &mut self,
        limit_bytes: usize,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        said: (MetricType, &str, &str),
        point: Point,
    ) -> bool {
        let known = self.symbols.len();
        let (are_others, before_name) = self.read_labels(labels);
        let description = self.open.description.like(&mut self.symbols, said);
        // Otherwise it is probably another one of the open series.
        if are_others && self.put_frame(limit_bytes, before_name, description, &point) {
            // The next one may be the same series, and known by numbers that nobody has noted of this one.
            self.memo.set_open(false);
            return true;
        }
        self.fill_known(before_name, description);
        self.add_pending(limit_bytes, known, [point])
    }

    /// Finds the symbols of a series' texts, which the memo then has: whether they are others than those that it read
    /// last, and how many are before those of `__name__`.
    #[inline]
    fn read_labels<'l>(
        &mut self,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
    ) -> (bool, usize) {
        let Self { symbols, memo, .. } = self;
        let (mut are_others, mut texts, mut before_name) = (false, 0, 0);
        for (name, value) in labels {
            for text in [name, value] {
                let symbol = symbols.intern_like(text, memo.symbol_at(texts));
                are_others |= memo.set_symbol(texts, symbol);
                texts += 1;
            }
            if !is_after_name(name) {
                before_name = texts;
            }
        }
        are_others |= memo.end_symbols(texts);
        (are_others, before_name)
    }
}
