//! The request compressed while it is written: a series is said as what differs from the series before it.
//!
//! Where a request is one series after the other, the encoder knows what a compressor would have to search for: the
//! labels that stay, and where they were. So it says which bytes may differ, and only these are compared.

use std::mem::replace;
use std::ops::Range;

use super::labels::Place;
use crate::protobuf::Usual;
use crate::snappy::{Compressor, Elements, REACH};

/// Labels that are remembered by their hash: a power of two.
const SEEN: usize = 1 << 10;

/// Equal bytes between others that are not worth a copy, which has three bytes and makes a second literal.
const GAP: usize = 4;

/// Where a series is in the request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) start: usize,
    /// Where its labels start, up to its sample.
    pub(super) labels: usize,
    pub(super) sample: usize,
    pub(super) end: usize,
    /// What its sample is, if it is a usual one.
    pub(super) usual: Option<Usual>,
}

impl Written {
    pub(super) fn labels(self) -> Range<usize> {
        self.labels..self.sample
    }
}

/// The elements of a request.
#[derive(Debug)]
pub(super) struct Repeats {
    elements: Elements,
    /// The series that was added last. Nowhere, if there is none.
    last: Written,
    /// Its labels.
    places: Vec<Range<usize>>,
    /// Where labels were last written whole, by their hash. Others may be there, of other requests too.
    seen: Vec<u32>,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self {
            elements: Elements::default(),
            last: Written::default(),
            places: Vec::new(),
            seen: vec![0; SEEN],
        }
    }

    /// Adds a series, which is written: best with some bytes of anything behind it, so that it can be read in whole words.
    /// `changed` says within which of its labels' bytes it differs from the series before, if each of the others is
    /// the one in its place there.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        request: &[u8],
        new: Written,
        changed: Option<Range<usize>>,
        places: &[Place],
    ) {
        // Part by part: as a whole it would go over the stack, and in larger pieces than it comes there, for which a
        // processor waits.
        let last = &mut self.last;
        let old = Written {
            start: replace(&mut last.start, new.start),
            labels: replace(&mut last.labels, new.labels),
            sample: replace(&mut last.sample, new.sample),
            end: replace(&mut last.end, new.end),
            usual: replace(&mut last.usual, new.usual),
        };
        let distance = new.start - old.start;
        // As long as the series before, with labels that are as long. What the samples differ in is known without a look
        // at bytes that were written a moment ago: a processor waits for these.
        if let Some(labels) = &changed
            && new.end - new.start == distance
            && new.sample - new.labels == old.sample - old.labels
            && distance <= REACH
            && let Some((old, usual)) = old.usual.zip(new.usual)
        {
            let sample = difference(old, usual, new.end);
            // Nearly always: each byte is where it was in the series before.
            let mut done = new.start;
            if !labels.is_empty() {
                let labels = new.labels + labels.start..new.labels + labels.end;
                let repeated = labels.start - done;
                done = labels.end;
                self.elements
                    .repeat_and_add(repeated, distance, request, labels);
            }
            if !sample.is_empty() {
                let repeated = sample.start - done;
                done = sample.end;
                self.elements
                    .repeat_and_add(repeated, distance, request, sample);
            }
            self.elements.repeat(new.end - done, distance);
            return;
        }
        let is_moved = changed.is_none() || old.end == 0;
        // A copy, so that only this path has the parts put together in memory.
        let new = Written { ..new };
        self.add_parts(request, old, new, if is_moved { places } else { &[] });
    }

    #[inline(never)]
    fn add_parts(&mut self, request: &[u8], old: Written, new: Written, places: &[Place]) {
        self.add_part(request, old.start..old.labels, new.start..new.labels);
        if places.is_empty() {
            self.add_part(request, old.labels(), new.labels());
        } else {
            self.add_labels(request, old, new, places);
        }
        self.add_part(request, old.sample..old.end, new.sample..new.end);
    }

    fn add_labels(&mut self, request: &[u8], old: Written, new: Written, labels: &[Place]) {
        if old.end == 0 {
            self.places.clear();
        }
        for (at, label) in labels.iter().enumerate() {
            let place = new.labels + label.start..new.labels + label.end;
            let before = self.places.get(at).cloned().unwrap_or_default();
            let before = old.labels + before.start..old.labels + before.end;
            if !is_same(request, &before, &place) {
                self.add_label(request, before, place, label.hash);
            } else {
                self.add_copy(request, before.start, place);
            }
        }
        self.places.clear();
        let places = labels.iter().map(|label| label.start..label.end);
        self.places.extend(places);
    }

    /// Adds a label that is not the one in its place before.
    fn add_label(&mut self, request: &[u8], before: Range<usize>, label: Range<usize>, hash: u64) {
        let slot = usize::try_from(hash >> 32).unwrap_or_default() % SEEN;
        let Some(slot) = self.seen.get_mut(slot) else {
            return;
        };
        let seen = replace(slot, u32::try_from(label.start).unwrap_or_default()) as usize;
        if seen < label.start && is_same(request, &(seen..seen + label.len()), &label) {
            self.add_copy(request, seen, label);
        } else {
            self.add_part(request, before, label);
        }
    }

    /// Adds bytes that are the same as those from `before` on, if these can be reached.
    fn add_copy(&mut self, request: &[u8], before: usize, bytes: Range<usize>) {
        let distance = bytes.start - before;
        if distance <= REACH {
            self.elements.repeat(bytes.len(), distance);
        } else {
            self.add_literal(request, bytes);
        }
    }

    fn add_literal(&mut self, request: &[u8], bytes: Range<usize>) {
        self.elements
            .literal(request.get(bytes).unwrap_or_default());
    }

    /// Adds bytes that may have much in common with some that came before.
    fn add_part(&mut self, request: &[u8], before: Range<usize>, bytes: Range<usize>) {
        let distance = bytes.end - before.end;
        if !(1..=REACH).contains(&distance) {
            self.add_literal(request, bytes);
        } else if before.len() == bytes.len() {
            self.add_compared(request, bytes, distance);
        } else {
            // A number that grows is in front of what stays: a time, or the labels behind it.
            let same = same_at_end(request, &before, &bytes);
            self.add_literal(request, bytes.start..bytes.end - same);
            self.elements.repeat(same, distance);
        }
    }

    /// Adds bytes of which some are those `distance` before.
    fn add_compared(&mut self, request: &[u8], bytes: Range<usize>, distance: usize) {
        let mut done = bytes.start;
        // Those that are new, and not added yet.
        let mut new = done..done;
        for at in bytes.clone().step_by(8) {
            let mut differing = word(request, at) ^ word(request, at - distance);
            if bytes.end - at < 8 {
                differing &= (1 << (8 * (bytes.end - at))) - 1;
            }
            if differing != 0 {
                let first = at + differing.trailing_zeros() as usize / 8;
                if first > new.end + GAP {
                    done = self.add_new(request, done, new, distance);
                    new = first..first;
                } else if new.is_empty() {
                    new.start = first;
                }
                new.end = at + 8 - differing.leading_zeros() as usize / 8;
            }
        }
        done = self.add_new(request, done, new, distance);
        self.elements.repeat(bytes.end - done, distance);
    }

    /// Adds what comes again since `done`, and what is new then, and answers where that ends.
    fn add_new(
        &mut self,
        request: &[u8],
        done: usize,
        new: Range<usize>,
        distance: usize,
    ) -> usize {
        if new.is_empty() {
            return done;
        }
        self.elements.repeat(new.start - done, distance);
        self.add_literal(request, new.clone());
        new.end
    }

    /// The block that holds `before` and the series that were added, which are `bytes` bytes.
    pub(super) fn block(
        &mut self,
        compressor: &mut Compressor,
        before: &[u8],
        bytes: usize,
    ) -> Vec<u8> {
        self.elements.block(compressor, before, bytes)
    }

    /// Forgets all series.
    pub(super) fn clear(&mut self) {
        self.elements.clear();
        self.last = Written::default();
    }
}

/// Where a sample that ends at `end` differs from the one before.
#[inline(always)]
fn difference(old: Usual, new: Usual, end: usize) -> Range<usize> {
    let differing = old.0 ^ new.0;
    if differing == 0 {
        return end..end;
    }
    let first = end - size_of::<Usual>() + differing.trailing_zeros() as usize / 8;
    first..end - differing.leading_zeros() as usize / 8
}

/// How many bytes are the same at the end of both, if they are worth a copy.
fn same_at_end(request: &[u8], before: &Range<usize>, bytes: &Range<usize>) -> usize {
    let most = before.len().min(bytes.len());
    let mut same = 0;
    while same + 8 <= most {
        let [old, new] = [before.end, bytes.end].map(|end| word(request, end - same - 8));
        let equal = (old ^ new).leading_zeros() as usize / 8;
        same += equal;
        if equal < 8 {
            break;
        }
    }
    if same > GAP { same } else { 0 }
}

fn word(request: &[u8], at: usize) -> u64 {
    let bytes = request.get(at..).unwrap_or_default();
    match bytes.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => bytes
            .iter()
            .rfold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Whether the request has the same bytes at both places.
fn is_same(request: &[u8], before: &Range<usize>, bytes: &Range<usize>) -> bool {
    before.start < bytes.start
        && before.len() == bytes.len()
        && request.get(before.clone()) == request.get(bytes.clone())
}

#[cfg(test)]
mod tests;
