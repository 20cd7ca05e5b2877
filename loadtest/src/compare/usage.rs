//! What all processes of a process group use together.
//!
//! The testkit starts every server as the leader of a group of its own, so that workers and helpers
//! that a server starts are charged to it, too.

use std::time::Duration;

use testkit::usage;

/// User and system time of the group, and its resident bytes now and at most.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    pub cpu: Duration,
    pub resident_bytes: u64,
    /// The sum of each process' own peak.
    pub peak_bytes: u64,
}

/// What the group that `leader` leads uses.
pub(crate) fn of_group(leader: i32) -> anyhow::Result<Used> {
    let mut used = Used::default();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if group(pid) != Some(leader) {
            continue;
        }
        // One that ends meanwhile takes its share along; servers keep theirs.
        used.cpu += usage::cpu_time(pid).unwrap_or_default();
        used.resident_bytes += usage::resident_bytes(pid).unwrap_or_default();
        used.peak_bytes += usage::peak_resident_bytes(pid).unwrap_or_default();
    }
    anyhow::ensure!(!used.cpu.is_zero(), "the process {leader} is gone");
    Ok(used)
}

fn group(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(2)?.parse().ok()
}
