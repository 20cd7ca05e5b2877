//! Series that a catalogue knows: their texts have numbers, so that nothing is hashed or compared.

use model::{MetricType, NAME_LABEL, Point};

use super::{
    Description, Item, LABELS_REFS, RecordBuilder, Samples, TIMESERIES, Written, put_description,
};
use crate::catalogue::{Catalogue, EMPTY_TEXT, Texts};
use crate::protobuf::{delimited_len, put_head, put_refs, put_sample, sample_len};
use crate::symbols::Symbols;

impl RecordBuilder {
    /// Like [`Self::push_within`] for a series that a catalogue knows. `described` is what others said about
    /// the metric, for a series that came without.
    #[must_use]
    pub fn push_known<'x>(
        &mut self,
        limit_bytes: usize,
        catalogue: &Catalogue,
        series: u32,
        described: Option<(MetricType, &str, &str)>,
        items: impl IntoIterator<Item = impl Into<Item<'x>>>,
    ) -> bool {
        let Some(texts) = catalogue.texts(series) else {
            return false;
        };
        let known = self.symbols.len();
        self.fill_known(catalogue, texts, described);
        self.add_pending(limit_bytes, known, items)
    }

    /// The same for one float sample, as nearly all are: it is written at once, for its series mostly has no second one
    /// behind it.
    #[must_use]
    pub fn push_known_point(
        &mut self,
        limit_bytes: usize,
        catalogue: &Catalogue,
        series: u32,
        described: Option<(MetricType, &str, &str)>,
        point: Point,
    ) -> bool {
        let Some(texts) = catalogue.texts(series) else {
            return false;
        };
        let known = self.symbols.len();
        self.fill_known(catalogue, texts, described);
        if self.open.is_series_of(&self.pending) {
            return self.add_pending(limit_bytes, known, [point]);
        }
        let sample_len = sample_len(&point);
        let content = self.pending.frame_len + sample_len;
        if self.encoded_len() + delimited_len(content) > limit_bytes {
            self.forget_symbols(known);
            return false;
        }
        self.close();
        let Self {
            series,
            pending,
            open,
            samples,
            ..
        } = self;
        let start = series.len();
        put_head(series, TIMESERIES, content);
        put_refs(series, LABELS_REFS, &pending.refs);
        let items = series.len();
        put_sample(series, &point, true);
        put_description(series, pending.description);
        pending.written = Some(Written {
            start,
            items: (items, items + sample_len),
        });
        pending.items.clear();
        pending.samples = Some(Samples::Floats);
        std::mem::swap(open, pending);
        *samples = samples.saturating_add(1);
        true
    }

    /// What is pending is of this series, as far as its frame goes.
    #[inline]
    fn fill_known(
        &mut self,
        catalogue: &Catalogue,
        texts: Texts<'_>,
        described: Option<(MetricType, &str, &str)>,
    ) {
        let Self {
            name,
            name_refs,
            symbols,
            memo,
            open,
            pending,
            ..
        } = self;
        if !memo.follow(catalogue.generation()) {
            // Texts that it knew have other numbers from now on.
            symbols.index();
        }
        let mut add = |text| add_text(symbols, name, *name_refs, catalogue.text(text));
        let refs = memo.symbols_of(texts.refs, &mut add);
        let (before, behind) = refs
            .split_at_checked(texts.before_name)
            .unwrap_or((refs, &[]));
        pending.refs.clear();
        pending
            .refs
            .extend(before.iter().map(|(_, symbol)| *symbol));
        pending.refs.extend_from_slice(name_refs);
        pending
            .refs
            .extend(behind.iter().map(|(_, symbol)| *symbol));
        let description = match described {
            Some((kind, unit, help)) => Description {
                kind,
                unit: symbols.intern_like(unit, Some(open.description.unit)),
                help: symbols.intern_like(help, Some(open.description.help)),
            },
            None => {
                let mut number = |text| match text {
                    EMPTY_TEXT => 0,
                    text => memo.symbol_of(text, &mut add),
                };
                Description {
                    kind: texts.kind,
                    unit: number(texts.unit),
                    help: number(texts.help),
                }
            }
        };
        pending.describe(description);
    }
}

/// The symbol of a text that the memo does not know.
#[inline]
fn add_text(symbols: &mut Symbols, name: &str, name_refs: [u32; 2], text: &[u8]) -> u32 {
    if symbols.is_indexed() {
        // Others have added texts by their bytes.
        return symbols.intern_bytes(text);
    }
    // What every record begins with.
    match text {
        b"" => 0,
        text if text == NAME_LABEL.as_bytes() => name_refs[0],
        text if text == name.as_bytes() => name_refs[1],
        text => symbols.append(text),
    }
}

#[cfg(test)]
mod tests;
