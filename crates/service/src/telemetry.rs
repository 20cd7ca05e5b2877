//! Logs and metrics of the process.

mod logs;
mod recorder;

pub use logs::{Format, Log, init_logs, set_level};
pub use recorder::{MetricsHandle, install_metrics};
