//! What the operating system allows this process, and what it counts about it.
//!
//! The metrics have the names that Prometheus' own clients use. They are read from `/proc` when asked; where there is none, these metrics are missing. They are written as text, because
//! the recorder's counters are whole numbers and a CPU second is not.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::catalogue::{Kind, Metric};

/// Ticks per second in `/proc`: fixed in Linux' interface to programs, whatever the kernel's own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) const CPU: Metric = Metric {
    name: "process_cpu_seconds_total",
    kind: Kind::Counter,
    labels: &[],
    help: "CPU time that the process has used, user and system.",
};
pub(crate) const RESIDENT: Metric = Metric {
    name: "process_resident_memory_bytes",
    kind: Kind::Gauge,
    labels: &[],
    help: "Memory that the process has in RAM.",
};
pub(crate) const OPEN_FDS: Metric = Metric {
    name: "process_open_fds",
    kind: Kind::Gauge,
    labels: &[],
    help: "File descriptors that are open: connections, files, sockets.",
};
pub(crate) const MAX_FDS: Metric = Metric {
    name: "process_max_fds",
    kind: Kind::Gauge,
    labels: &[],
    help: "File descriptors that may be open.",
};
pub(crate) const START_TIME: Metric = Metric {
    name: "process_start_time_seconds",
    kind: Kind::Gauge,
    labels: &[],
    help: "When the process started, in seconds since the Unix epoch.",
};

/// This file's metrics.
pub(crate) const CATALOGUE: &[Metric] = &[CPU, RESIDENT, OPEN_FDS, MAX_FDS, START_TIME];

/// This machine's name, or that of the container.
#[must_use]
pub fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "host".to_owned(), |name| name.trim().to_owned())
}

/// Allows as many open files, and so connections, as the system lets this process have, and returns how many that is;
/// none is no limit.
///
/// What a shell or systemd starts may open 1024 by default, for the sake of programs older than 20,000 connections.
pub fn allow_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of open files");
            limit.current
        }
    }
}

/// Kept of the files that may be open for what is no client: the log and its tables, the archive, Kafka, stores.
const FILES_FOR_OTHERS: u64 = 1024;

/// How many connections a listener may hold of those that its settings allow: clients must not take the files that the
/// log needs. `files` is how many may be open.
pub(crate) fn connections_within(files: Option<u64>, wanted: usize) -> usize {
    let Some(files) = files else { return wanted };
    let room = files - FILES_FOR_OTHERS.min(files / 4);
    wanted
        .min(usize::try_from(room).unwrap_or(usize::MAX))
        .max(1)
}

/// How many files may be open now; none is no limit.
pub(crate) fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// The metrics, as a text that Prometheus reads.
pub(crate) fn render(text: &mut String) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let system = fs::read_to_string("/proc/stat").unwrap_or_default();
    let values = [
        (CPU, cpu_seconds(&stat)),
        (RESIDENT, resident_bytes(&status)),
        (OPEN_FDS, open_fds()),
        (MAX_FDS, max_fds(&limits)),
        (START_TIME, start_time(&stat, &system)),
    ];
    for (metric, value) in values {
        let Some(value) = value else { continue };
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge | Kind::Histogram(_) => "gauge",
        };
        let Metric { name, help, .. } = metric;
        let line = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n");
        text.push_str(&line);
    }
}

/// What the process uses, as [`render`] shows it; none where there is no `/proc`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// CPU time so far, user and system.
    pub cpu_seconds: Option<f64>,
    /// Memory in RAM.
    pub resident_bytes: Option<f64>,
}

/// What the process uses now.
#[must_use]
pub fn usage() -> Usage {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    Usage {
        cpu_seconds: cpu_seconds(&stat),
        resident_bytes: resident_bytes(&status),
    }
}

/// A field of `/proc/self/stat`, numbered as in its manual. The name in parentheses may hold anything.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let index = number.checked_sub(3)?;
    after_name.split_whitespace().nth(index)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((stat_field(stat, 14)? + stat_field(stat, 15)?) / TICKS_PER_SECOND)
}

fn start_time(stat: &str, system: &str) -> Option<f64> {
    let booted = system
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?;
    let booted: f64 = booted.trim().parse().ok()?;
    Some(booted + stat_field(stat, 22)? / TICKS_PER_SECOND)
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024.0)
}

fn open_fds() -> Option<f64> {
    let listed = u32::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
    // One of them was open only to list them.
    Some(f64::from(listed.saturating_sub(1)))
}

fn max_fds(limits: &str) -> Option<f64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
