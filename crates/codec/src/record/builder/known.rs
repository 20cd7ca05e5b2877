//! Series that a catalogue knows: their texts have numbers, so that nothing is hashed or compared.

use model::{MetricType, NAME_LABEL, Point};

use super::frame::{self, Place};
use super::{Description, Item, RecordBuilder, Samples, Written};
use crate::catalogue::{Catalogue, Texts};
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
        let (_, description) = self.know(catalogue, texts, described);
        self.fill_known(texts.before_name, description);
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
        let (are_others, description) = self.know(catalogue, texts, described);
        // Otherwise it is probably another one of the open series.
        if are_others && self.put_frame(limit_bytes, texts.before_name, description, &point) {
            return true;
        }
        self.fill_known(texts.before_name, description);
        self.add_pending(limit_bytes, known, [point])
    }

    /// Writes a sample of the series that the memo has read last, which is not the one that it had read before, if it
    /// is neither another one of what is open nor too large, nor unusual in any way.
    #[inline]
    pub(super) fn put_frame(
        &mut self,
        limit_bytes: usize,
        before_name: usize,
        description: Description,
        point: &Point,
    ) -> bool {
        self.write_open();
        let Self {
            name_refs,
            symbols,
            memo,
            open,
            series,
            samples,
            said,
            ..
        } = self;
        if !said.turn_to(description) {
            return false;
        }
        let (before, behind) = memo.last(before_name);
        let start = series.len();
        let texts = frame::Texts {
            before,
            name: *name_refs,
            behind,
            are_few: symbols.len() <= frame::FEW,
        };
        let Some((refs, items)) = frame::put(series, texts, said, point) else {
            return false;
        };
        let refs_at = |(from, to): Place| series.get(from..to);
        let is_open = !memo.was_open()
            && open.written.is_some_and(|written| {
                open.description == description && refs_at(written.refs) == refs_at(refs)
            });
        if is_open || symbols.encoded().len() + series.len() > limit_bytes {
            series.truncate(start);
            return false;
        }
        open.refs.clear();
        // Mostly the same one. Written anyway, it would be read from where its parts have just been put one by one, and the
        // processor waits until what was put before them, the frame, has arrived in memory.
        if open.description != description {
            open.description = description;
        }
        open.samples = Some(Samples::Floats);
        open.written = Some(Written { start, refs, items });
        memo.set_open(true);
        *samples = samples.saturating_add(1);
        true
    }

    /// Learns the symbols of a series' texts, which the memo then has, and whether it had others before.
    #[inline]
    fn know(
        &mut self,
        catalogue: &Catalogue,
        texts: Texts<'_>,
        described: Option<(MetricType, &str, &str)>,
    ) -> (bool, Description) {
        let Self {
            name,
            name_refs,
            symbols,
            memo,
            open,
            ..
        } = self;
        if !memo.follow(catalogue.generation()) {
            // Texts that it knew have other numbers from now on.
            symbols.index();
        }
        let mut add = |text| add_text(symbols, name, *name_refs, catalogue.text(text));
        let are_others = memo.read(texts.refs, &mut add);
        let description = match described {
            Some(said) => open.description.like(symbols, said),
            None => {
                let [unit, help] = memo.described([texts.unit, texts.help], &mut add);
                Description {
                    kind: texts.kind,
                    unit,
                    help,
                }
            }
        };
        (are_others, description)
    }

    /// What is pending is of the series that the memo has read last, as far as its frame goes.
    pub(super) fn fill_known(&mut self, before_name: usize, description: Description) {
        let Self {
            name_refs,
            memo,
            pending,
            ..
        } = self;
        let (before, behind) = memo.last(before_name);
        pending.refs.clear();
        pending.refs.extend(before.iter().map(|(_, symbol)| symbol));
        pending.refs.extend_from_slice(name_refs);
        pending.refs.extend(behind.iter().map(|(_, symbol)| symbol));
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
