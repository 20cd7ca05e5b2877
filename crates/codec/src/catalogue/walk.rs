//! The way along the known series of one body, the same for every format.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Catalogue, Form, PARTS, Unknown};

/// Series that one body may teach: a catalogue is locked while it learns.
const MOST_LESSONS: usize = 2048;

/// A catalogue, and where in it a sender's bodies end: what it sends next mostly comes behind what it sent last, so that
/// not even the first series of a body has to be looked for.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'c> {
    catalogue: &'c Catalogue,
    end: Option<&'c AtomicU32>,
}

impl<'c> Trail<'c> {
    /// The trail of a sender of which this is remembered: 0 before its first body. A guess and nothing else, so that it
    /// may be of several senders, or of a catalogue that has started anew.
    #[must_use]
    pub fn of_sender(catalogue: &'c Catalogue, end: Option<&'c AtomicU32>) -> Self {
        Self { catalogue, end }
    }

    /// The catalogue.
    #[must_use]
    pub fn catalogue(self) -> &'c Catalogue {
        self.catalogue
    }
}

/// The trail of nobody in particular.
impl<'c> From<&'c Catalogue> for Trail<'c> {
    fn from(catalogue: &'c Catalogue) -> Self {
        Self::of_sender(catalogue, None)
    }
}

/// Where a decoder is among the series of a catalogue, and what it has come across.
#[derive(Debug)]
pub(crate) struct Walk<'a, 'c> {
    pub(crate) catalogue: &'c Catalogue,
    /// Where to remember the last series; one more than its number.
    end: Option<&'c AtomicU32>,
    /// The series before, if it is known.
    last: Option<u32>,
    found: u64,
    unknown: Vec<Unknown<'a>>,
}

impl<'a, 'c> Walk<'a, 'c> {
    /// A walk along a catalogue, if it is worth it.
    pub(crate) fn along(trail: Trail<'c>) -> Option<Self> {
        let Trail { catalogue, end } = trail;
        catalogue.is_useful().then(|| Self {
            catalogue,
            end,
            last: end.and_then(|end| end.load(Ordering::Relaxed).checked_sub(1)),
            found: 0,
            unknown: Vec::new(),
        })
    }

    /// The series before, if it is known.
    pub(crate) fn last(&self) -> Option<u32> {
        self.last
    }

    /// The series that is expected here, with the numbers of its parts.
    #[inline]
    pub(crate) fn expected(&self) -> Option<(u32, Form, [u32; PARTS])> {
        self.catalogue.after(self.last?)
    }

    /// The same with the bytes of as many parts as its form has.
    #[inline(always)]
    pub(crate) fn expected_parts<const N: usize>(&self) -> Option<(u32, Form, [&'c [u8]; N])> {
        let (series, form, parts) = self.expected()?;
        let parts = parts.first_chunk::<N>()?;
        Some((
            series,
            form,
            parts.map(|part| self.catalogue.part_bytes(part)),
        ))
    }

    /// Notes that a series is here which was not expected.
    #[inline]
    pub(crate) fn turn_to(&mut self, series: u32) {
        if let Some(last) = self.last {
            self.catalogue.follow(last, series);
        }
        self.last = Some(series);
    }

    /// Counts a sample of the series that is here.
    #[inline]
    pub(crate) fn found(&mut self, series: u32) {
        self.last = Some(series);
        self.found += 1;
    }

    /// Notes that the series here is not known, and what may be learned of it.
    pub(crate) fn miss(&mut self, unknown: Option<Unknown<'a>>) {
        self.last = None;
        if self.unknown.len() < MOST_LESSONS {
            self.unknown.extend(unknown);
        }
    }

    /// Counts what was found of so many objects, and hands on what may be learned.
    pub(crate) fn end(self, objects: u32) -> Vec<Unknown<'a>> {
        let others = u64::from(objects).saturating_sub(self.found);
        self.catalogue.count(self.found, others);
        if let Some(end) = self.end {
            // No series has the highest number.
            end.store(self.last.map_or(0, |last| last + 1), Ordering::Relaxed);
        }
        self.unknown
    }
}
