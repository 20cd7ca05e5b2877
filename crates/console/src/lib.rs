//! What a person sees of a running process: snapshots, live pictures, and the page that shows them.
//!
//! Numbers come from the registry that `/metrics` shows, so they agree with it. Nothing here changes anything, and
//! nothing of it costs a sample: counters are read once a second while somebody looks, every few seconds otherwise.
#![warn(missing_docs)]

pub mod shapes;
