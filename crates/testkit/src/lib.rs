//! What tests share: documents that are generated from code, and real servers on free ports.
//!
//! A development dependency only. Everything here fails loudly: a missing server, a port that is
//! never opened, a document that is out of date each panic with one message that says what to do.
//!
//! Servers are other processes, so their functions block: in an async test that has nothing else to
//! run meanwhile this is fine, and [`eventually()`] is there for those that have.
#![expect(
    clippy::panic,
    reason = "this crate is called by tests, and a panic is how a test says what went wrong"
)]

mod clickhouse;
mod cpu_share;
mod eventually;
mod fetched;
mod generated;
mod haproxy;
pub mod http;
mod influxdb;
pub mod kafka;
mod paths;
mod port;
mod postgres;
mod process;
mod prometheus;
mod proxy;
pub mod python;
mod run_dir;
mod s3;
mod series;
pub mod usage;
mod victoria_metrics;

pub use clickhouse::ClickHouse;
pub use cpu_share::CpuShare;
pub use eventually::{eventually, eventually_blocking};
pub use fetched::path_with;
pub use generated::generated;
pub use haproxy::{Backend, Haproxy};
pub use influxdb::InfluxDb;
pub use kafka::{Kafka, KafkaOptions};
pub use paths::{cache_dir, repository};
pub use port::free_port;
pub use postgres::Postgres;
pub use process::{Launch, Process};
pub use prometheus::{Prometheus, promtool};
pub use proxy::{Network, Proxy};
pub use run_dir::run_dir;
pub use s3::S3;
pub use series::Series;
pub use victoria_metrics::VictoriaMetrics;
