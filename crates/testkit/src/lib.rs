//! What tests share: documents that are generated from code, and real servers on free ports.
//!
//! A development dependency only. Everything here fails loudly: a missing server, a port that is
//! never opened, a document that is out of date each panic with one message that says what to do.
#![expect(
    clippy::panic,
    reason = "this crate is called by tests, and a panic is how a test says what went wrong"
)]

mod generated;
mod paths;

pub use generated::generated;
pub use paths::{cache_dir, repository};
