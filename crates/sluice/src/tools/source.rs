//! The buffer as commands read it: by offsets, beside whoever else reads or writes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use buffer::kafka::{self, Ranges};
use buffer::local::{self, DataDir, DataDirLock, Log};
use buffer::{Bounds, DrainError, OffsetRange, Piece, ReadRanges};
use service::health::Health;

use crate::clock::Machine;
use crate::settings::{BufferKind, Settings};

/// A buffer that is open for reading.
#[derive(Debug)]
pub(crate) enum Source {
    /// A topic, beside everybody else.
    Kafka(Ranges),
    /// The embedded log, alone.
    Local { log: Log, _lock: DataDirLock },
}

/// Ranges that are being read.
#[derive(Debug)]
pub(crate) enum Pieces {
    Kafka(kafka::RangeReader),
    Local(local::RangeReader),
}

impl Source {
    /// Opens what the settings name. An embedded log belongs to one process at a time.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        if settings.buffer.kind == BufferKind::Kafka {
            let kafka = &settings.kafka;
            return Ok(Self::Kafka(Ranges::of(kafka, &kafka.topic)));
        }
        let dir = settings.data_dir.join("log");
        if !dir.join("version").exists() {
            let dir = dir.display();
            anyhow::bail!("there is no log in {dir}; is data_dir the one of the standalone?");
        }
        let lock = DataDir::lock(&settings.data_dir).context(
            "the embedded log belongs to one process at a time: stop the standalone, run this, start it again",
        )?;
        let log = Log::open(
            &dir,
            &settings.local,
            settings.buffer.retention.0,
            Arc::new(Machine::default()),
            Health::new().condition("log", "opening"),
        )?;
        Ok(Self::Local { log, _lock: lock })
    }

    /// Which buffer this is: offsets mean nothing in another one.
    pub(crate) fn id(&self, settings: &Settings) -> String {
        match self {
            Self::Kafka(ranges) => {
                format!("kafka:{}/{}", settings.kafka.brokers, ranges.topic())
            }
            Self::Local { log, .. } => format!("local:{}", log.id()),
        }
    }

    /// The topic, or `local`.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Kafka(ranges) => ranges.topic(),
            Self::Local { .. } => "local",
        }
    }

    /// What each partition holds now.
    pub(crate) async fn bounds(&self) -> anyhow::Result<Vec<Bounds>> {
        Ok(match self {
            Self::Kafka(ranges) => ranges.bounds().await?,
            Self::Local { log, .. } => vec![log.bounds()],
        })
    }

    /// By partition, the first record that was received at `at_ms` or later. Partitions without one are left out.
    pub(crate) async fn at_time(&self, at_ms: i64) -> anyhow::Result<BTreeMap<i32, i64>> {
        Ok(match self {
            Self::Kafka(ranges) => known(ranges.at_time(at_ms).await?),
            Self::Local { log, .. } => [(local::PARTITION, log.at_time(at_ms).await?)].into(),
        })
    }

    /// By partition, where the reader of this name goes on. Partitions of which it has read nothing are left out.
    pub(crate) async fn committed(&self, reader: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
        Ok(match self {
            Self::Kafka(ranges) => known(ranges.committed(reader).await?),
            Self::Local { log, .. } => {
                let cursor = log.cursors().get(reader).copied();
                cursor
                    .map(|cursor| (local::PARTITION, cursor))
                    .into_iter()
                    .collect()
            }
        })
    }

    /// Reads ranges side by side.
    pub(crate) async fn read(&self, ranges: &[OffsetRange]) -> anyhow::Result<Pieces> {
        Ok(match self {
            Self::Kafka(topic) => Pieces::Kafka(topic.read(ranges)?),
            Self::Local { log, .. } => {
                let range = ranges.first().context("nothing is to be read")?;
                Pieces::Local(log.read(*range).await?)
            }
        })
    }

    /// Lets go of it.
    pub(crate) async fn close(self) {
        if let Self::Local { log, .. } = self {
            log.close().await;
        }
    }
}

fn known(offsets: BTreeMap<i32, Option<i64>>) -> BTreeMap<i32, i64> {
    let offsets = offsets.into_iter();
    offsets
        .filter_map(|(partition, offset)| Some((partition, offset?)))
        .collect()
}

impl ReadRanges for Pieces {
    async fn next(&mut self) -> Result<Piece, DrainError> {
        match self {
            Self::Kafka(pieces) => pieces.next().await,
            Self::Local(pieces) => pieces.next().await,
        }
    }
}
