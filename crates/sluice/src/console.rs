//! What the console is told of a process: its settings, its metric names, what its stores said last.

mod noting;

use std::collections::BTreeMap;

use ::console::shapes::{self, Name};
use ::console::{About, KnownNames, Search};
use gateway::{KnownName, NamesHandle};
use store::Config;
use store::recent::{NameRow, Recent};

use crate::settings::{BufferKind, Role, Settings, WINDOW};

pub(crate) use noting::Noted;

/// What is known from the start.
pub(crate) fn about(role: Role, settings: &Settings) -> About {
    let mut stores: BTreeMap<String, String> = BTreeMap::new();
    if role != Role::Gateway {
        for (name, config) in &settings.stores {
            stores.insert(name.clone(), kind(config).to_owned());
            if settings.emergency.fallback.is_some() {
                stores.insert(format!("{name}@fallback"), kind(config).to_owned());
            }
        }
    }
    if role == Role::Standalone {
        stores.insert(WINDOW.to_owned(), WINDOW.to_owned());
    }
    About {
        role: match role {
            Role::Standalone => shapes::Role::Standalone,
            Role::Gateway => shapes::Role::Gateway,
            Role::Consumer => shapes::Role::Consumer,
        },
        version: env!("CARGO_PKG_VERSION"),
        hostname: service::process::hostname(),
        buffer: match settings.buffer.kind {
            BufferKind::Local => "local",
            BufferKind::Kafka => "kafka",
        },
        retention: settings.buffer.retention.0,
        stores,
    }
}

/// The type of a store, as in the settings.
const fn kind(config: &Config) -> &'static str {
    match config {
        Config::RemoteWrite(_) => "remote_write",
        Config::Parquet(_) => "parquet",
        Config::Influx(_) => "influx",
        Config::Clickhouse(_) => "clickhouse",
        Config::Postgres(_) => "postgres",
        Config::Kafka(_) => "kafka",
    }
}

/// What the gateway knows.
pub(crate) struct OfGateway(pub(crate) NamesHandle);

impl KnownNames for OfGateway {
    fn names(&self, search: &Search) -> (Vec<Name>, usize) {
        let (names, known) = self.0.known(&|name| search.is_about(name));
        (names.into_iter().map(of_gateway).collect(), known)
    }

    fn note(&self) -> Option<String> {
        self.0.note()
    }
}

fn of_gateway(name: KnownName) -> Name {
    Name {
        metric_name: name.metric_name,
        samples_per_s: name.samples_per_s,
        bytes_per_s: name.bytes_per_s,
        series: name.series,
        kind: name.kind.map(str::to_owned),
        unit: name.unit,
        help: name.help,
        partition: name.partition,
        lanes: name.lanes,
        tenants: name.tenants,
        senders: name.senders,
        last_ms: None,
    }
}

/// What is in the recent window.
pub(crate) struct OfWindow(pub(crate) Recent);

impl KnownNames for OfWindow {
    fn names(&self, search: &Search) -> (Vec<Name>, usize) {
        let (names, known) = self.0.names(&|name| search.is_about(name));
        (names.into_iter().map(of_window).collect(), known)
    }
}

fn of_window(row: NameRow) -> Name {
    Name {
        metric_name: row.metric_name,
        series: Some(row.series),
        kind: row.kind.map(str::to_owned),
        unit: row.unit,
        help: row.help,
        last_ms: Some(row.received_at_ms),
        ..Name::default()
    }
}

#[cfg(test)]
mod tests;
