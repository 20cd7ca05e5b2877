//! Which stores there are, and their settings.

use std::path::Path;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::clickhouse::{self, ClickHouse};
use crate::influx::{self, Influx};
use crate::mirror;
use crate::parquet::{self, Archive};
use crate::postgres::{self, Postgres};
use crate::remote_write::{self, RemoteWrite};
use crate::{Batch, Batching, EndpointError, Lanes, LeftOut, Write, WriteError};

/// One entry of `stores`. Its `type` decides which settings it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Config {
    /// Prometheus remote write: Prometheus, VictoriaMetrics, Mimir, Thanos and others.
    RemoteWrite(remote_write::Config),
    /// An archive of Parquet files.
    Parquet(parquet::Config),
    /// `InfluxDB`'s line protocol: `InfluxDB` 1, 2 and 3, `VictoriaMetrics`, `QuestDB` and others.
    Influx(influx::Config),
    /// A table of `ClickHouse`.
    Clickhouse(clickhouse::Config),
    /// A database of `PostgreSQL`, with `TimescaleDB` or without.
    Postgres(postgres::Config),
    /// Another topic, of this Kafka or another.
    Kafka(mirror::Config),
}

/// What one machine has without further settings: an archive.
impl Default for Config {
    fn default() -> Self {
        Self::Parquet(parquet::Config::default())
    }
}

const TYPES: &[&str] = &[
    "remote_write",
    "parquet",
    "influx",
    "clickhouse",
    "postgres",
    "kafka",
];

/// By hand, so that an error names the setting and not only the store: a tagged enum's own forgets it.
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut settings = Map::<String, Value>::deserialize(deserializer)?;
        let kind = settings
            .remove("type")
            .ok_or_else(|| D::Error::missing_field("type"))?;
        match kind.as_str() {
            Some("remote_write") => below(settings).map(Self::RemoteWrite),
            Some("parquet") => below(settings).map(Self::Parquet),
            Some("influx") => below(settings).map(Self::Influx),
            Some("clickhouse") => below(settings).map(Self::Clickhouse),
            Some("postgres") => below(settings).map(Self::Postgres),
            Some("kafka") => below(settings).map(Self::Kafka),
            Some(other) => Err(D::Error::unknown_variant(other, TYPES)),
            None => Err(D::Error::custom(format!(
                "type: {kind} is not a text; there are {}",
                TYPES.join(", ")
            ))),
        }
    }
}

/// Another place than this one of a bucket, and not below it. A bucket's own top has none beside it.
fn beside(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    if place.contains('/') {
        format!("{url}-fallback")
    } else {
        format!("{url}/fallback")
    }
}

fn below<T: for<'a> Deserialize<'a>, E: serde::de::Error>(
    settings: Map<String, Value>,
) -> Result<T, E> {
    serde_path_to_error::deserialize(Value::Object(settings)).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if path == "." {
            E::custom(inner)
        } else {
            E::custom(format!("{path}: {inner}"))
        }
    })
}

impl Config {
    /// Checks what one field alone cannot say.
    ///
    /// # Errors
    /// The first key, below the store's own, that cannot be as it is, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        match self {
            Self::RemoteWrite(config) => config.check(),
            Self::Parquet(config) => config.check(),
            Self::Influx(config) => config.check(),
            Self::Clickhouse(config) => config.check(),
            Self::Postgres(config) => config.check(),
            Self::Kafka(config) => config.check(),
        }
    }

    /// The same store for what comes from a second buffer: an archive has a folder of its own for it, in the bucket too, because
    /// its offsets are others.
    #[must_use]
    pub fn for_fallback(self) -> Self {
        match self {
            Self::Parquet(config) => Self::Parquet(parquet::Config {
                dir: config.dir.map(|dir| {
                    let mut dir = dir.into_os_string();
                    dir.push("-fallback");
                    dir.into()
                }),
                object_store: config.object_store.map(|mut bucket| {
                    bucket.url = beside(&bucket.url);
                    bucket
                }),
                ..config
            }),
            other @ (Self::RemoteWrite(_)
            | Self::Influx(_)
            | Self::Clickhouse(_)
            | Self::Postgres(_)
            | Self::Kafka(_)) => other,
        }
    }

    /// Sets the store up. `name` is its key in `stores`; `source` says which buffer offsets are of,
    /// as for [`Archive::open`]; `data_dir` is where a store without a folder of its own keeps files.
    ///
    /// # Errors
    /// When a setting, a certificate or a folder cannot be used.
    pub fn open(self, name: &str, source: &str, data_dir: &Path) -> Result<Store, OpenError> {
        Ok(match self {
            Self::RemoteWrite(config) => Store::RemoteWrite(RemoteWrite::new(config, name)?),
            Self::Parquet(config) => Store::Parquet(Archive::open(config, name, source, data_dir)?),
            Self::Influx(config) => Store::Influx(Influx::new(config, name)?),
            Self::Clickhouse(config) => Store::ClickHouse(ClickHouse::new(config, name)?),
            Self::Postgres(config) => Store::Postgres(Postgres::new(config, name)?),
            // Only the buffer names Kafka.
            Self::Kafka(_) => return Err(OpenError::Elsewhere),
        })
    }
}

/// Why a store cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A store that is reached over HTTP.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An archive.
    #[error(transparent)]
    Parquet(#[from] parquet::Error),
    /// A topic, which whoever has a producer opens.
    #[error("a store of type kafka is not opened here")]
    Elsewhere,
}

/// A store of any kind. Clones are the same store.
#[derive(Debug, Clone)]
pub enum Store {
    /// Prometheus remote write.
    RemoteWrite(RemoteWrite),
    /// An archive of Parquet files.
    Parquet(Archive),
    /// `InfluxDB`'s line protocol.
    Influx(Influx),
    /// A table of `ClickHouse`.
    ClickHouse(ClickHouse),
    /// A database of `PostgreSQL`.
    Postgres(Postgres),
}

impl Store {
    /// The archive, if it is one: it has a retention to keep.
    #[must_use]
    pub fn archive(&self) -> Option<&Archive> {
        match self {
            Self::Parquet(archive) => Some(archive),
            Self::RemoteWrite(_) | Self::Influx(_) | Self::ClickHouse(_) | Self::Postgres(_) => {
                None
            }
        }
    }
}

impl Write for Store {
    fn lanes(&self) -> Lanes {
        match self {
            Self::RemoteWrite(store) => store.lanes(),
            Self::Parquet(store) => store.lanes(),
            Self::Influx(store) => store.lanes(),
            Self::ClickHouse(store) => store.lanes(),
            Self::Postgres(store) => store.lanes(),
        }
    }

    fn batching(&self) -> Batching {
        match self {
            Self::RemoteWrite(store) => store.batching(),
            Self::Parquet(store) => store.batching(),
            Self::Influx(store) => store.batching(),
            Self::ClickHouse(store) => store.batching(),
            Self::Postgres(store) => store.batching(),
        }
    }

    async fn resume(&self, partition: i32, offset: i64) -> Result<(), WriteError> {
        match self {
            Self::RemoteWrite(store) => store.resume(partition, offset).await,
            Self::Parquet(store) => store.resume(partition, offset).await,
            Self::Influx(store) => store.resume(partition, offset).await,
            Self::ClickHouse(store) => store.resume(partition, offset).await,
            Self::Postgres(store) => store.resume(partition, offset).await,
        }
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        match self {
            Self::RemoteWrite(store) => store.write(batch).await,
            Self::Parquet(store) => store.write(batch).await,
            Self::Influx(store) => store.write(batch).await,
            Self::ClickHouse(store) => store.write(batch).await,
            Self::Postgres(store) => store.write(batch).await,
        }
    }

    fn left_out(&self, batch: &Batch) -> Option<LeftOut> {
        match self {
            Self::Influx(store) => store.left_out(batch),
            Self::RemoteWrite(_) | Self::Parquet(_) | Self::ClickHouse(_) | Self::Postgres(_) => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
