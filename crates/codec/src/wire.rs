//! Remote write's messages as plain structs, for receivers, tests and tools off the hot path.

pub mod v1;
pub mod v2;
