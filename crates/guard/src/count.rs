//! Counting: what is different between a short run and a long one is what its further rounds cost.
//!
//! So starting, warming up and ending are not in the figure, without a mark in the code that is measured. Two runs of
//! the same binary under valgrind, which presents every processor as the same one, differ by far less than the
//! tolerance.

use std::path::Path as FilePath;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::paths::Path;

/// Rounds until caches know every series and buffers have their size.
const WARM_UP: usize = 8;

/// Rounds that count, at least.
const COUNTED: usize = 24;

/// Samples that count, at least. Starts differ by some million instructions: a clock is calibrated for as long as it
/// takes, whatever valgrind makes of time.
const COUNTED_SAMPLES: usize = 12_000;

/// Rounds of the longest run of a path with large requests.
pub(crate) const ROUNDS: usize = WARM_UP + COUNTED;

/// Stays on one processor: how many shards and threads there are depends on their number.
///
/// # Errors
/// When the kernel refuses.
pub fn pin() -> anyhow::Result<()> {
    let allowed = sched_getaffinity(None)?;
    let first = (0..CpuSet::MAX_CPU).find(|number| allowed.is_set(*number));
    let mut one = CpuSet::new();
    one.set(first.context("no processor")?);
    sched_setaffinity(None, &one).context("cannot stay on one processor")
}

/// Does so many rounds: what is counted from outside.
pub fn run(path: Path, rounds: usize) {
    let mut running = path.start();
    for number in 0..rounds {
        running.round(number);
    }
}

/// Allocations per sample, once everything is warm. Whatever else the process does is counted, too.
#[must_use]
pub fn allocations(path: Path) -> f64 {
    let mut running = path.start();
    for number in 0..WARM_UP {
        running.round(number);
    }
    let before = crate::allocations();
    let counted = counted(path);
    for number in WARM_UP..WARM_UP + counted {
        running.round(number);
    }
    let count = crate::allocations() - before;
    count as f64 / (counted * path.samples_per_round()) as f64
}

/// How many rounds of a path count.
fn counted(path: Path) -> usize {
    COUNTED.max(COUNTED_SAMPLES.div_ceil(path.samples_per_round()))
}

/// Instructions per sample, counted by valgrind in runs of `binary`.
///
/// # Errors
/// When valgrind is not there, or a run fails.
pub fn instructions(binary: &FilePath, path: Path) -> anyhow::Result<f64> {
    let counted = counted(path);
    let (short, long) = std::thread::scope(|scope| {
        let short = scope.spawn(|| total(binary, path, WARM_UP));
        let long = total(binary, path, WARM_UP + counted);
        (short.join(), long)
    });
    let short = short.ok().context("a thread panicked")??;
    let count = long?.saturating_sub(short);
    Ok(count as f64 / (counted * path.samples_per_round()) as f64)
}

/// All instructions of a run.
fn total(binary: &FilePath, path: Path, rounds: usize) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        // Locks that are handed over in turn, and not to whoever is quick, make runs alike.
        .arg("--fair-sched=yes")
        .arg(binary)
        .args(["run", path.name, "--rounds", &rounds.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("cannot start valgrind; on Debian: apt-get install valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} under valgrind: {}\n{text}",
        path.name,
        output.status
    );
    refs(&text).with_context(|| format!("valgrind says no number of instructions:\n{text}"))
}

/// The number in the line `==1== I   refs:      1,234`.
fn refs(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find(|line| line.contains("I") && line.contains("refs:"))?;
    let (_, number) = line.split_once("refs:")?;
    number.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests;
