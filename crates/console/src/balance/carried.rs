//! How many samples were in the buffer when the process started: found out once, and then kept, so that no later loss
//! hides in it.

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Carried {
    samples: Option<u64>,
    is_exact: bool,
    /// What was found at the reading before.
    found: Option<i64>,
    /// So many could be on their way when it was found.
    on_their_way: u64,
}

impl Carried {
    pub(super) const fn samples(&self) -> Option<u64> {
        self.samples
    }

    pub(super) const fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// With what was read beyond what was accepted, at a reading that nothing was unread at. `came` were accepted since the
    /// reading before. One that `is_still` is exact; while samples move, what is found twice in a row stands for it.
    ///
    /// Samples on their way make what is found smaller, never larger. So it is raised by as many as these can be until it
    /// is exact, and never lowered: that would be a loss.
    pub(super) fn learn(&mut self, found: i64, came: u64, is_still: bool) {
        let again = self.found.replace(found) == Some(found);
        if self.is_exact {
            return;
        }
        if self.samples.is_none() {
            self.on_their_way = self.on_their_way.max(came);
        }
        let beyond = u64::try_from(found).unwrap_or(0);
        if !(is_still || again || found <= 0) {
            return;
        }
        self.samples = match self.samples {
            Some(known) if beyond > known && beyond - known <= self.on_their_way => Some(beyond),
            None => Some(beyond),
            known => known,
        };
        self.is_exact = is_still;
    }
}
