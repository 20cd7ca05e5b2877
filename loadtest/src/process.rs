//! What the kernel says about another process.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// User and system time of a process and its finished threads so far.
pub(crate) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat =
        fs::read_to_string(format!("/proc/{pid}/stat")).context("the measured process is gone")?;
    // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
    let (_, fields) = stat
        .rsplit_once(") ")
        .context("unexpected /proc/PID/stat")?;
    let mut fields = fields.split(' ').skip(11);
    let mut ticks = || -> anyhow::Result<u64> {
        Ok(fields
            .next()
            .context("unexpected /proc/PID/stat")?
            .parse()?)
    };
    let total = ticks()? + ticks()?;
    Ok(Duration::from_millis(
        total * 1000 / rustix::param::clock_ticks_per_second(),
    ))
}

/// Resident memory now and at its highest, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> anyhow::Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .context("the measured process is gone")?;
    let field = |name: &str| -> anyhow::Result<u64> {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .context("unexpected /proc/PID/status")?;
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .context("unexpected /proc/PID/status")?
            .parse()?;
        Ok(kib * 1024)
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}
