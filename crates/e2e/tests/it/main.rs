//! Stories that cross processes: the real binary, a real Kafka, real stores, real clients.
//!
//! Each test starts what it needs on free ports of 127.0.0.1, in a folder of its own. A server that
//! cannot be had fails the test and says what to install; nothing is skipped.
#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests, helpers among them: a panic is the report, and samples must come back bit for bit"
)]

mod access;
mod agents;
mod certificates;
mod clients;
mod console;
mod dashboards;
mod datadog;
mod demo;
mod documents;
mod fallback;
mod foreign;
mod hostile;
mod influx;
mod kafka_security;
mod look;
mod million;
mod object_store;
mod openapi;
mod opentsdb;
mod otlp;
mod overview;
mod prometheus;
mod prometheus_sender;
mod push;
mod pushgateway;
mod queries;
mod quotas;
mod records;
mod rejections;
mod replay;
mod replay_hour;
mod sluice;
mod spool;
mod standalone;
mod statsd;
mod stores;
mod text;
mod victoria;
