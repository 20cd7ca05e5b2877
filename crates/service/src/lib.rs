//! What every process needs and no metrics pipeline is special in.
#![warn(missing_docs)]

pub mod admin;
pub mod catalogue;
pub mod clock;
pub mod health;
pub mod http;
pub mod http_client;
pub mod live;
pub mod log_limit;
pub mod metrics;
pub mod openapi;
pub mod process;
pub mod rejections;
pub mod secret;
pub mod settings;
pub mod tasks;
pub mod telemetry;
pub mod tls;
pub mod units;
