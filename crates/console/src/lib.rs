//! What a person sees of a running process: snapshots, live pictures, and the page that shows them.
//!
//! Numbers come from the registry that `/metrics` shows, so they agree with it. Nothing here changes anything, and
//! nothing of it costs a sample: counters are read once a second while somebody looks, every few seconds otherwise.
#![warn(missing_docs)]

mod assets;
mod balance;
mod buckets;
mod door;
mod engine;
mod history;
mod labels;
mod metrics;
mod names;
mod picture;
mod reading;
mod routes;
pub mod shapes;
mod watched;

pub use engine::About;
pub use metrics::CATALOGUE;
pub use names::{KnownNames, Search};
pub use reading::names_read;
pub use routes::Console;
pub use watched::Watched;
