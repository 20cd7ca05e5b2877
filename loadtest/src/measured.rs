//! The processes that are measured together: none, one, or a whole fleet.

use std::io;
use std::time::Duration;

use testkit::usage;

/// Their ids. Of none nothing is known but the client's side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured(Vec<i32>);

impl FromIterator<i32> for Measured {
    fn from_iter<T: IntoIterator<Item = i32>>(pids: T) -> Self {
        Self(pids.into_iter().collect())
    }
}

impl Measured {
    pub(crate) fn is_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// Processor time so far of all of them.
    pub(crate) fn cpu(&self) -> io::Result<Option<Duration>> {
        self.sum(usage::cpu_time)
    }

    /// Bytes of memory that they hold together.
    pub(crate) fn resident(&self) -> io::Result<Option<u64>> {
        self.sum(usage::resident_bytes)
    }

    /// The sum of the most that each has ever held.
    pub(crate) fn peak(&self) -> io::Result<Option<u64>> {
        self.sum(usage::peak_resident_bytes)
    }

    fn sum<T: std::iter::Sum>(&self, of: fn(i32) -> io::Result<T>) -> io::Result<Option<T>> {
        let figures = self.0.iter().map(|pid| of(*pid));
        let sum = figures.sum::<io::Result<T>>()?;
        Ok(self.is_known().then_some(sum))
    }
}
