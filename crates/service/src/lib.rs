//! What every process needs and no metrics pipeline is special in.
#![warn(missing_docs)]

pub mod catalogue;
pub mod clock;
pub mod units;
