//! Buffer in, stores out.
//!
//! One pipeline per store, each with its own reader of the buffer, so that a slow store holds nobody
//! else back. An offset is committed only after the store has everything below it, or the dead-letter
//! topic has what the store refused for good. What is read twice is written twice, never lost.
#![warn(missing_docs)]

mod backoff;
mod commits;
mod config;
mod context;
mod decode;
mod frontier;
#[doc(hidden)]
pub mod fuzzing;
mod headroom;
mod lag;
mod lane;
mod ledger;
mod letter;
pub mod metrics;
mod partition;
mod route;
mod run;
mod settle;
mod split;
mod work;

#[cfg(test)]
mod fake;

pub use config::Config;
pub use ledger::Ledger;
pub use run::{Error, Pipeline, Report, run};
