//! What a process uses, as the kernel counts it.

use std::{fs, io, time::Duration};

/// Memory that it holds now, in bytes (`VmRSS`).
///
/// # Errors
///
/// When the process is gone.
pub fn resident_bytes(pid: i32) -> io::Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The most memory that it has ever held, in bytes (`VmHWM`).
///
/// # Errors
///
/// When the process is gone.
pub fn peak_resident_bytes(pid: i32) -> io::Result<u64> {
    status_bytes(pid, "VmHWM:")
}

/// Processor time that all its threads have used, in user mode and in the kernel.
///
/// # Errors
///
/// When the process is gone.
pub fn cpu_time(pid: i32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(
        ticks * 1000 / rustix::param::clock_ticks_per_second(),
    ))
}

fn status_bytes(pid: i32, key: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok())
        .map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other(format!("no {key} in /proc/{pid}/status")))
}
