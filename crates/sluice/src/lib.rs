//! The `sluice` command, as a library: settings, the three roles, and how they start and stop.
//!
//! The roles are wiring only. What a gateway, a buffer, a consumer or a store does is in their crates.

mod cardinality;
pub mod cli;
mod clock;
mod console;
pub mod demo;
mod described;
pub mod dlq;
mod fallback;
mod heat;
mod kafka;
mod listed;
mod local;
mod metrics;
mod pipelines;
mod process;
mod public;
mod queries;
mod rejections;
mod reload;
pub mod replay;
pub mod settings;
mod signals;
mod stores;
pub mod tail;
mod tls;
pub mod tools;
pub mod topic;

use std::time::Duration;

use anyhow::Context;

pub use gateway::{hash_key, hash_password, new_key};
pub use process::CATALOGUES;
use settings::{BufferKind, Settings, Source};

/// How long work that blocks a thread may go on when everything else has ended: merging old files of an archive, or a
/// call into a disk that does not answer. Killed, it leaves nothing that the next start does not put in order.
const BLOCKING_WORK: Duration = Duration::from_secs(1);

/// Runs a process until it is told to stop or a part of it fails. `settings` are what `source` says.
///
/// # Errors
/// When a port, a folder or a part of the process cannot be used, or fails later.
pub fn run(source: Source, settings: Settings) -> anyhow::Result<()> {
    service::telemetry::init_logs(&settings.log)
        .map_err(|(key, why)| anyhow::anyhow!("log.{key}: {why}"))?;
    if let Some(files) = service::process::allow_open_files() {
        tracing::debug!(files, "open files and connections that the system allows");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    let outcome = runtime.block_on(async {
        match settings.buffer.kind {
            BufferKind::Local => local::standalone(source, settings).await,
            BufferKind::Kafka => kafka::run(source, settings).await,
        }
    });
    // Dropped, it would wait for such work as long as that takes.
    runtime.shutdown_timeout(BLOCKING_WORK);
    outcome
}
