//! Samples of concurrent requests that share a metric name become one record.
//!
//! A request's samples are sorted by name without a lock, then added to the open records of the
//! shards that the names belong to. A shard's records are published when its window is over or full,
//! and by one task only, so that the records of one name keep their order. A request waits
//! for exactly the records that it is in; nothing is added of a request that is not valid as a whole.

mod flush;
mod groups;
mod open;
mod parties;
mod shard;
mod sources;
mod ticket;

use std::hash::BuildHasher as _;
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use buffer::{Publish, Record};
use bytes::Bytes;
use codec::catalogue::Catalogue;
use codec::record::{Item, RecordBuilder};
use foldhash::quality::RandomState;
use model::{Batch, Label, MetricType, Point, Sample, Series, Value};
use service::live::Live;
use service::tasks::{CancellationToken, Tasks};
use tokio::sync::{Mutex, Notify, mpsc};

use crate::config::{CoalesceConfig, RecordFormat};
use crate::families::Known;
use crate::heat::Heat;
use crate::ingest::Origin;
use crate::metrics::SampleMeters;
use crate::protocol::Protocol as _;
use crate::spread::Plan;
use flush::{Lane, Pace};
use groups::Groups;
use parties::Parties;
pub(crate) use shard::Shape;
use shard::{Shapes, Shard, Taken};
use ticket::{Adding, Ticket};
pub(crate) use ticket::{Settled, Settling};

/// What a record of one sample has beside its texts, about.
const JSON_BYTES: usize = 128;

/// What a byte of a native histogram becomes, about: a bucket has two bounds and a count.
const JSON_BUCKET_BYTES: usize = 32;

/// Labels of a series as the encoders want them.
fn pairs<'a>(labels: &'a [Label<'_>]) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
    labels
        .iter()
        .map(|label| (label.name.as_ref(), label.value.as_ref()))
}

/// What is known beside a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knowledge<'k> {
    /// Of the series that a batch has only by number.
    pub catalogue: &'k Catalogue,
    /// Of metrics whose series do not say it themselves.
    pub families: Option<&'k Known>,
}

/// Type, unit and help text.
type Description<'k> = (MetricType, &'k str, &'k str);

impl<'k> Knowledge<'k> {
    /// What others said about a metric.
    fn describe(self, origin: &Origin, name: &str) -> Option<Description<'k>> {
        self.families?.describe(origin.tenant.as_deref(), name)
    }
}

/// What a sender said about a series.
fn said<'s>(series: &'s Series<'_>) -> Description<'s> {
    (series.kind, &series.unit, &series.help)
}

/// Whether a sender said nothing about a series but its labels.
fn is_bare(series: &Series<'_>) -> bool {
    series.kind == MetricType::Unspecified && series.unit.is_empty() && series.help.is_empty()
}

/// A record that is not published.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    pub(crate) record: Record,
    pub(crate) samples: u32,
}

/// What a coalescer shares with others.
#[derive(Debug)]
pub(crate) struct Common {
    /// The one of the catalogue that batches refer to.
    pub hasher: RandomState,
    /// Which names have several partitions.
    pub plan: Live<Plan>,
    /// What counts records, if something does.
    pub heat: Option<Arc<Heat>>,
}

impl From<RandomState> for Common {
    fn from(hasher: RandomState) -> Self {
        Self {
            hasher,
            plan: Live::new(Plan::default()),
            heat: None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Coalescer {
    shards: Box<[Arc<Shard>]>,
    hasher: RandomState,
    plan: Live<Plan>,
    shapes: Arc<Shapes>,
    /// One per protocol that brought samples.
    meters: RwLock<Vec<Arc<SampleMeters>>>,
    stopping: CancellationToken,
    /// Ends when every flusher has ended.
    flushers: Mutex<mpsc::Receiver<()>>,
}

impl Coalescer {
    /// A coalescer whose tasks publish to `publisher`.
    pub(crate) fn start<P: Publish>(
        config: &CoalesceConfig,
        format: RecordFormat,
        publisher: &Arc<P>,
        tasks: &Tasks,
        common: impl Into<Common>,
    ) -> Self {
        let Common { hasher, plan, heat } = common.into();
        let buffer_bytes = publisher.max_record_bytes();
        let shapes = Arc::new(Shapes::new(format, config.max_record.bytes(), buffer_bytes));
        let stopping = tasks.stopping().child_token();
        let (alive, flushers) = mpsc::channel(1);
        let pace = Pace {
            linger: config.linger.0,
            window: config.window.0,
        };
        let mut shards = Vec::with_capacity(SHARDS_PER_LANE * lane_count());
        for _ in 0..lane_count() {
            let changed = Arc::new(Notify::new());
            let new_shard = || Arc::new(Shard::new(Arc::clone(&shapes), Arc::clone(&changed)));
            let lane = Lane {
                shards: (0..SHARDS_PER_LANE).map(|_| new_shard()).collect(),
                changed: Arc::clone(&changed),
                pace,
                heat: heat.clone(),
            };
            shards.extend(lane.shards.iter().map(Arc::clone));
            let publisher = Arc::clone(publisher);
            let flusher = flush::run(lane, publisher, stopping.clone(), alive.clone());
            tasks.spawn("coalesce", flusher);
        }
        Self {
            shards: shards.into(),
            hasher,
            plan,
            shapes,
            meters: RwLock::default(),
            stopping,
            flushers: Mutex::new(flushers),
        }
    }

    /// Whether one sample of this series fits into a record; and if not, the sizes.
    ///
    /// # Errors
    /// The size that it would have, or a lower bound of it, and the limit.
    pub(crate) fn check_size(
        &self,
        series: &Series<'_>,
        labels: &[Label<'_>],
    ) -> Result<(), TooLarge> {
        self.shapes.now().check_size(series, labels)
    }

    /// What the records of a batch take about in memory, where each sample is a record with all its labels.
    /// Records that share labels are no larger than what they came in, and count nothing.
    pub(crate) fn records_bytes(
        &self,
        batch: &Batch<'_>,
        knowledge: Knowledge<'_>,
        origin: &Origin,
    ) -> usize {
        if self.shape().format == RecordFormat::Protobuf {
            return 0;
        }
        let series_bytes = |series: &Series<'_>| {
            let labels = batch.labels(series).iter();
            let labels: usize = labels
                .map(|label| label.name.len() + label.value.len() + 6)
                .sum();
            let described = Some(series)
                .filter(|series| is_bare(series))
                .and_then(|series| knowledge.describe(origin, &series.name));
            let (_, unit, help) = described.unwrap_or((series.kind, &series.unit, &series.help));
            JSON_BYTES + series.name.len() + unit.len() + help.len() + labels
        };
        let each: Vec<usize> = batch.all_series().iter().map(series_bytes).collect();
        let sample_bytes = |sample: &Sample| {
            let series = each
                .get(sample.series as usize)
                .copied()
                .unwrap_or_default();
            match sample.value {
                Value::Histogram(number) => {
                    series + batch.histogram(number).len() * JSON_BUCKET_BYTES
                }
                Value::Float(_) | Value::Exemplar(_) => series,
            }
        };
        let sizes = batch.samples().iter().map(sample_bytes);
        sizes.fold(0, usize::saturating_add)
    }

    /// What a record may have now, in bytes, and how it is written.
    pub(crate) fn shape(&self) -> Shape {
        self.shapes.now()
    }

    /// Adds the samples of a request, which are valid, and answers what to wait for.
    pub(crate) fn add(
        &self,
        batch: &Batch<'_>,
        knowledge: Knowledge<'_>,
        origin: &Origin,
        protocol: &'static str,
        received_at_ms: i64,
    ) -> Settling {
        let ticket = Ticket::new(&self.meters(protocol));
        let adding = Adding(&ticket);
        let tenant = origin.tenant.as_deref();
        let seed = tenant.map_or(0, |tenant| self.hasher.hash_one(tenant));
        let hash = |name: &str| self.hasher.hash_one(name);
        let plan = self.plan.read();
        let mut groups = Groups::of(batch, knowledge.catalogue, hash, seed);
        for (number, groups) in groups.by_shard(self.shards.len()) {
            if let Some(shard) = self.shards.get(number) {
                let addition = shard::Addition {
                    batch,
                    knowledge,
                    origin,
                    received_at_ms,
                    ticket: adding.0,
                    plan: (!plan.is_plain()).then_some(&plan),
                };
                shard.add(&addition, groups);
            }
        }
        drop(adding);
        Settling::Ticket(ticket)
    }

    /// What the records of a batch would be, were it alone in its window. Nothing is published or counted.
    pub(crate) fn rehearse(
        &self,
        batch: &Batch<'_>,
        knowledge: Knowledge<'_>,
        origin: &Origin,
        received_at_ms: i64,
    ) -> Vec<Rehearsed> {
        // Never settled, so that its meters stay as they are.
        let ticket = Ticket::new(&self.meters(crate::protocol::json::Json::NAME));
        let shard = Shard::new(Arc::clone(&self.shapes), Arc::default());
        let hash = |name: &str| self.hasher.hash_one(name);
        let plan = self.plan.read();
        let mut groups = Groups::of(batch, knowledge.catalogue, hash, 0);
        for (_, groups) in groups.by_shard(1) {
            let addition = shard::Addition {
                batch,
                knowledge,
                origin,
                received_at_ms,
                ticket: &ticket,
                plan: (!plan.is_plain()).then_some(&plan),
            };
            shard.add(&addition, groups);
        }
        let mut taken = Taken::default();
        shard.close(&mut taken);
        taken.parties(Parties::default()).forget();
        let rehearsed = taken.sealed.into_iter().map(|sealed| Rehearsed {
            record: sealed.record,
            samples: sealed.samples,
        });
        rehearsed.collect()
    }

    fn meters(&self, protocol: &'static str) -> Arc<SampleMeters> {
        let find = |known: &[Arc<SampleMeters>]| {
            let found = known.iter().find(|known| known.protocol == protocol);
            found.map(Arc::clone)
        };
        let known = self.meters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&known) {
            return found;
        }
        drop(known);
        let mut known = self.meters.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&known) {
            return found;
        }
        let new = Arc::new(SampleMeters::of(protocol));
        known.push(Arc::clone(&new));
        new
    }

    /// Publishes what is open, takes nothing more, and waits until all of it is answered.
    ///
    /// Answers whether that happened before the deadline.
    pub(crate) async fn close(&self, deadline: Duration) -> bool {
        self.stopping.cancel();
        let ended = async { self.flushers.lock().await.recv().await };
        tokio::time::timeout(deadline, ended).await.is_ok()
    }
}

/// A sample that fits into no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the sample alone is larger than a record, which may have {limit_bytes} bytes; shorten its labels"
)]
pub(crate) struct TooLarge {
    /// What a record may have.
    pub limit_bytes: usize,
}

/// Enough that the cores that share a lane rarely meet at a lock.
const SHARDS_PER_LANE: usize = 8;

/// Windows that are published together keep the client's batches large; a core per lane hands over hundreds of
/// thousands of records per second.
fn lane_count() -> usize {
    let cores = std::thread::available_parallelism().map_or(4, NonZeroUsize::get);
    (cores / 4).next_power_of_two().clamp(1, 8)
}

impl Shape {
    fn check_size(self, series: &Series<'_>, labels: &[Label<'_>]) -> Result<(), TooLarge> {
        let limit_bytes = self.max_record_bytes;
        // Fields, lengths and references cost less than 32 bytes per text; a text in JSON at most
        // six times its length.
        let texts = 4 + 2 * labels.len();
        let length: usize = labels
            .iter()
            .map(|label| label.name.len() + label.value.len())
            .sum::<usize>()
            + 2 * series.name.len()
            + series.unit.len()
            + series.help.len();
        if 6 * length + 32 * texts + 128 <= limit_bytes {
            return Ok(());
        }
        let fits = match self.format {
            RecordFormat::Protobuf => {
                let mut builder = RecordBuilder::new(&series.name);
                builder.push_within(
                    limit_bytes.saturating_sub(series.name.len()),
                    pairs(labels),
                    series.kind,
                    &series.unit,
                    &series.help,
                    [model::Point {
                        at_ms: i64::MIN,
                        value: f64::MAX,
                        start_ms: i64::MIN,
                    }],
                )
            }
            RecordFormat::Json => {
                let said = said(series);
                let value = json(series, labels, said, i64::MIN, f64::MIN);
                series.name.len() + value.len() <= limit_bytes
            }
        };
        if fits {
            Ok(())
        } else {
            Err(TooLarge { limit_bytes })
        }
    }
}

/// A sample as records hold it.
const fn point(sample: &Sample, value: f64) -> Point {
    Point {
        at_ms: sample.at_ms,
        value,
        start_ms: sample.start_ms,
    }
}

fn item<'x>(batch: &'x Batch<'_>, sample: &Sample) -> Item<'x> {
    let at_ms = sample.at_ms;
    match sample.value {
        Value::Float(value) => Item::Point(point(sample, value)),
        Value::Histogram(number) => Item::Histogram(batch.histogram(number)),
        Value::Exemplar(number) => {
            let (value, labels) = batch
                .exemplar(number)
                .map_or((0.0, &[][..]), |(exemplar, labels)| {
                    (exemplar.value, labels)
                });
            Item::Exemplar {
                at_ms,
                value,
                labels,
            }
        }
    }
}

/// A native histogram as the JSON object of its own record, and how many series it becomes to a reader.
fn json_histogram(
    series: &Series<'_>,
    labels: &[Label<'_>],
    (_, unit, help): Description<'_>,
    at_ms: i64,
    message: &[u8],
) -> Option<(Bytes, u32)> {
    let classic = codec::native::classic(message)?;
    // A sum and a count beside the buckets.
    let count = u32::try_from(classic.buckets.len()).ok()?.checked_add(2)?;
    let value = codec::json::histogram(&series.name, pairs(labels), at_ms, &classic, unit, help);
    Some((value.into(), count))
}

/// A float sample as the JSON object of its own record.
fn json(
    series: &Series<'_>,
    labels: &[Label<'_>],
    (kind, unit, help): Description<'_>,
    at_ms: i64,
    value: f64,
) -> Bytes {
    codec::json::sample(&series.name, pairs(labels), at_ms, value, kind, unit, help).into()
}

#[cfg(test)]
mod tests;
