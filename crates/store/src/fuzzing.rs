//! Doors for `crates/hostile` alone: what is read of the archive's files and of other servers' answers.

pub use crate::parquet::fuzzed::{manifest, rows, table_log};
pub use crate::remote_write::fuzzed_answer as answer;
