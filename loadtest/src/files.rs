//! Open files: each connection is one.

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Allows so many open files, to this process and to those that it starts.
pub(crate) fn allow(files: usize) -> anyhow::Result<()> {
    let wanted = files as u64;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let maximum = match limit.maximum {
        // Only root may raise it.
        Some(maximum) if maximum < wanted => Some(wanted),
        maximum => maximum,
    };
    let raised = Rlimit {
        current: Some(wanted),
        maximum,
    };
    setrlimit(Resource::Nofile, raised).with_context(|| {
        format!(
            "{wanted} open files are needed, and the limit is {:?}; raise it with `ulimit -n {wanted}`, as root if need be",
            limit.maximum
        )
    })
}
