//! What a child process uses, as the kernel counts it.

use std::{io, time::Duration};

use super::Process;
use crate::usage;

impl Process {
    /// Memory that it holds now, in bytes.
    ///
    /// # Panics
    ///
    /// When the process is gone.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        self.counted(usage::resident_bytes(self.pid()))
    }

    /// The most memory that it has ever held, in bytes.
    ///
    /// # Panics
    ///
    /// When the process is gone.
    #[must_use]
    pub fn peak_resident_bytes(&self) -> u64 {
        self.counted(usage::peak_resident_bytes(self.pid()))
    }

    /// Processor time that all its threads have used, in user mode and in the kernel.
    ///
    /// # Panics
    ///
    /// When the process is gone.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        self.counted(usage::cpu_time(self.pid()))
    }

    fn counted<T>(&self, counted: io::Result<T>) -> T {
        counted.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}
