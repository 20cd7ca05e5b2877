//! What the disk takes for one group commit: a write and a sync, as often as it goes.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;

use super::{empty, stopwatch};
use crate::limits::quantiles;
use crate::outcome::Outcome;

/// What a commit of a few thousand samples writes.
const BYTES: usize = 200_000;
/// The file starts again here, so that the disk does not fill.
const FILE_BYTES: u64 = 64 << 20;

/// Measures a file in this folder.
pub(super) fn measure(folder: &Path, seconds: Duration) -> anyhow::Result<Outcome> {
    let mut file = tempfile::tempfile_in(folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    let mut latency_us = Histogram::<u64>::new(3)?;
    // Not compressible, for disks and file systems that would.
    let mut bytes: Vec<u8> = (0..BYTES as u64)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    let (started, cpu, mut written) = (Instant::now(), stopwatch::thread_cpu(), 0);
    while started.elapsed() < seconds {
        let from = Instant::now();
        bytes.rotate_left(1);
        file.write_all(&bytes)?;
        file.sync_data()?;
        latency_us.record(u64::try_from(from.elapsed().as_micros())?)?;
        written += BYTES as u64;
        if written >= FILE_BYTES {
            file.seek(SeekFrom::Start(0))?;
            written = 0;
        }
    }
    let mut outcome = empty("fsync".to_owned(), "write 200 kB + fdatasync");
    outcome
        .parameters
        .insert("stage".to_owned(), "fsync".to_owned());
    outcome.requests = latency_us.len();
    outcome.elapsed_s = started.elapsed().as_secs_f64();
    outcome.cpu_s = Some(stopwatch::thread_cpu().saturating_sub(cpu).as_secs_f64());
    outcome.latency_us = quantiles(&latency_us);
    outcome.note = "one writer, one file that is written over from 64 MiB on".to_owned();
    Ok(outcome)
}
