//! Dead letters wherever they are kept, one after the other.

use std::sync::Arc;

use anyhow::Context;
use buffer::OffsetRange;
use buffer::kafka::{Ranges, Tail, TailRecord};
use buffer::local::Buried;
use bytes::Bytes;
use model::Block;
use tokio::sync::mpsc;

use super::Which;
use crate::settings::{BufferKind, Settings};
use crate::tools::Usage;
use crate::tools::filter::Filter;
use crate::tools::source::Source;
use crate::tools::when::when;

/// Letters that wait for whoever reads; each has at most what a record of Kafka may have.
const WAITING: usize = 16;

/// More than anybody keeps in an embedded log; it is read at once.
const MAX_LOCAL: usize = 1_000_000;

/// A dead letter.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Its name for the command line: partition and offset, or its number in an embedded log.
    pub(super) id: String,
    pub(super) at_ms: i64,
    pub(super) store: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) tenant: Option<Arc<str>>,
    /// Who sent the samples.
    pub(super) sender: Option<Arc<str>>,
    /// Topic, partition and offset of the record that it is of.
    pub(super) from: (String, i32, i64),
    pub(super) key: Option<Bytes>,
    pub(super) content_type: Option<Bytes>,
    pub(super) value: Bytes,
}

impl Letter {
    pub(super) fn of_record(record: &TailRecord) -> Self {
        let text = |name: &str| record.header(name).unwrap_or_default().into_owned();
        let name = |name: &str| record.header(name).map(|value| Arc::from(value.as_ref()));
        Self {
            id: format!("{}:{}", record.partition, record.offset),
            at_ms: record.at_ms,
            store: text("store"),
            reason: text("reason"),
            message: text("message"),
            tenant: name("tenant"),
            sender: name("source"),
            from: (
                text("source-topic"),
                text("source-partition").parse().unwrap_or(-1),
                text("source-offset").parse().unwrap_or(-1),
            ),
            key: record.key.clone(),
            content_type: record
                .header("content-type")
                .map(|value| Bytes::copy_from_slice(value.as_bytes())),
            value: record.value.clone(),
        }
    }

    fn of_buried(buried: Buried) -> Self {
        Self {
            id: buried.number.to_string(),
            at_ms: buried.buried_at_ms,
            store: buried.store,
            reason: buried.reason,
            message: buried.message,
            tenant: buried.tenant,
            sender: buried.source,
            from: (
                buried.source_topic,
                buried.source_partition,
                buried.source_offset,
            ),
            key: buried.key,
            content_type: buried.content_type,
            value: buried.value,
        }
    }

    /// Its samples, or why nobody can tell.
    pub(super) fn block(&self) -> Result<Block, String> {
        codec::record::decode(self.content_type.as_deref(), &self.value)
            .map_err(|error| error.to_string())
    }
}

/// Which letters are meant, ready to be asked.
#[derive(Debug)]
pub(super) struct Wanted {
    ids: Vec<String>,
    store: Option<String>,
    reason: Option<String>,
    since_ms: i64,
    pub(super) filter: Filter,
}

impl Wanted {
    pub(super) fn new(which: &Which, now_ms: i64) -> anyhow::Result<Self> {
        let since = which.since.as_deref().map(|since| when(since, now_ms));
        let since = since
            .transpose()
            .map_err(|why| Usage::of(format!("--since: {why}")))?;
        Ok(Self {
            ids: which.ids.clone(),
            store: which.store.clone(),
            reason: which.reason.clone(),
            since_ms: since.unwrap_or(i64::MIN),
            filter: Filter::new(&which.chosen).map_err(Usage::of)?,
        })
    }

    /// Whether a letter is meant. One that nobody can read is, unless series are chosen.
    pub(super) fn has(&self, letter: &Letter) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        (self.ids.is_empty() || self.ids.contains(&letter.id))
            && is(&self.store, &letter.store)
            && is(&self.reason, &letter.reason)
            && letter.at_ms >= self.since_ms
            && self.filter.has_tenant(letter.tenant.as_deref())
            && (self.filter.has_every_series()
                || letter
                    .block()
                    .is_ok_and(|block| block.iter().any(|view| self.filter.has_series(view))))
    }
}

/// Shows every letter that is meant to `visit`, in the order of each partition, until it answers false.
pub(super) async fn each(
    settings: &Settings,
    wanted: Wanted,
    mut visit: impl FnMut(Letter) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    if settings.buffer.kind == BufferKind::Local {
        let source = Source::open(settings)?;
        let letters = match &source {
            Source::Local { log, .. } => log.dead_letters(MAX_LOCAL).await?,
            Source::Kafka(_) => Vec::new(),
        };
        source.close().await;
        for letter in letters.into_iter().map(Letter::of_buried) {
            if wanted.has(&letter) && !visit(letter)? {
                break;
            }
        }
        return Ok(());
    }
    let topic = &settings.consumer.dead_letter_topic;
    let ranges = ranges(settings, topic, &wanted).await?;
    let tail = Tail::of(&settings.kafka, topic);
    let (sender, mut letters) = mpsc::channel(WAITING);
    let scan = tail.scan(ranges, move |record| {
        let letter = Letter::of_record(&record);
        !wanted.has(&letter) || sender.blocking_send(letter).is_ok()
    });
    let mut scan = std::pin::pin!(scan);
    let mut scanned = None;
    loop {
        tokio::select! {
            outcome = &mut scan, if scanned.is_none() => scanned = Some(outcome),
            letter = letters.recv() => match letter {
                None => break,
                Some(letter) => if !visit(letter)? {
                    return Ok(());
                },
            },
        }
    }
    let outcome = match scanned {
        Some(outcome) => outcome,
        None => scan.await,
    };
    outcome.map_err(anyhow::Error::msg)
}

/// Where letters that are meant can be.
async fn ranges(
    settings: &Settings,
    topic: &str,
    wanted: &Wanted,
) -> anyhow::Result<Vec<OffsetRange>> {
    let ranges = Ranges::of(&settings.kafka, topic);
    let bounds = ranges
        .bounds()
        .await
        .context("the dead letters, consumer.dead_letter_topic")?;
    let starts = if wanted.since_ms == i64::MIN {
        None
    } else {
        Some(ranges.at_time(wanted.since_ms).await?)
    };
    Ok(bounds
        .iter()
        .map(|known| {
            let partition = known.partition;
            let from = match &starts {
                None => known.start,
                Some(starts) => {
                    let start = starts.get(&partition).copied().flatten();
                    start.unwrap_or(known.end)
                }
            };
            OffsetRange {
                partition,
                from,
                to: Some(known.end),
            }
        })
        .collect())
}
