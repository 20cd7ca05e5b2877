//! The labels of a series as a `TimeSeries` begins with them, whichever version writes them.

use std::ops::Range;

/// The labels that were looked at last.
#[derive(Debug, Default)]
pub(super) struct Current {
    pub(super) encoded: Vec<u8>,
    /// Which bytes may not be those of the labels before, if each of the others is the one in its place there. None, if they
    /// may be anywhere.
    pub(super) changed: Option<Range<usize>>,
    /// The sum of the labels' hashes: when one changes, the others are not looked at.
    pub(super) hash: u64,
}

impl Current {
    /// None has changed so far.
    #[inline(always)]
    pub(super) fn start_changing(&mut self) {
        self.changed = Some(self.encoded.len()..0);
    }

    /// These bytes may have changed.
    #[inline(always)]
    pub(super) fn has_changed(&mut self, bytes: Range<usize>) {
        if let Some(changed) = &mut self.changed {
            changed.start = changed.start.min(bytes.start);
            changed.end = changed.end.max(bytes.end);
        }
    }

    /// A label has another hash.
    #[inline(always)]
    pub(super) fn rehash(&mut self, of: &mut u64, hash: u64) {
        self.hash = self.hash.wrapping_sub(*of).wrapping_add(hash);
        *of = hash;
    }
}
