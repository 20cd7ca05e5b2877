//! What a child process uses, as the kernel counts it.

use std::time::Duration;

use super::Process;

impl Process {
    /// Memory that it holds now, in bytes (`VmRSS`).
    ///
    /// # Panics
    ///
    /// When the process is gone.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        self.status_kib("VmRSS:") * 1024
    }

    /// The most memory that it has ever held, in bytes (`VmHWM`).
    ///
    /// # Panics
    ///
    /// When the process is gone.
    #[must_use]
    pub fn peak_resident_bytes(&self) -> u64 {
        self.status_kib("VmHWM:") * 1024
    }

    /// Processor time that all its threads have used, in user mode and in the kernel.
    ///
    /// # Panics
    ///
    /// When the process is gone.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        let stat = self.proc_file("stat");
        // The second field is the program's name in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
    }

    fn status_kib(&self, key: &str) -> u64 {
        self.proc_file("status")
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("{}: no {key} in its status", self.name))
    }

    fn proc_file(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.pid());
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {path}: {error}", self.name))
    }
}
