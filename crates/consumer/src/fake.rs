//! A buffer, a store and a dead-letter topic in memory, which check at each commit that nothing is
//! committed before it is safe.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use buffer::{
    BuryDead, Commit, Consumed, ContentType, DeadLetter, Drain, DrainError, Event, PartitionState,
    PublishError,
};
use bytes::Bytes;
use codec::record::RecordBuilder;
use model::{MetricType, Point};
use store::{Batch, Batching, Item, Lane, Lanes, Write, WriteError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// A sample: the value of its label `s`, and its time.
pub(crate) type Sample = (String, i64);

/// A record's place.
pub(crate) type Place = (i32, i64);

pub(crate) const RETENTION: Duration = Duration::from_secs(86_400);

#[derive(Default)]
pub(crate) struct State {
    events: VecDeque<Result<Event, DrainError>>,
    pub(crate) paused: bool,
    pub(crate) pauses: usize,
    /// How long a read takes; cut off, it starts again.
    pub(crate) read_takes: Duration,
    pub(crate) closed: bool,
    /// What the consumer was given; nothing known for poison.
    pub(crate) given: BTreeMap<Place, Option<BTreeSet<Sample>>>,
    pub(crate) given_bytes: usize,
    /// What of it is neither written nor dead; for poison, a sample that nobody has.
    open: BTreeMap<Place, BTreeSet<Sample>>,
    ends: BTreeMap<i32, i64>,
    pub(crate) resumed: Vec<Place>,
    /// Each attempt: when, and how many samples.
    pub(crate) attempts: Vec<(Instant, usize)>,
    flying: BTreeSet<Lane>,
    /// In the order of the writes, repeats included.
    pub(crate) written: Vec<(Place, Sample)>,
    /// The records of each write that succeeded.
    pub(crate) batches: Vec<Vec<Place>>,
    pub(crate) dead: Vec<DeadLetter>,
    pub(crate) commits: Vec<Place>,
    pub(crate) commit_failures: VecDeque<DrainError>,
}

impl State {
    /// The records below an offset that are neither written nor dead, as far as the consumer was given them.
    fn unsafe_below(&self, partition: i32, offset: i64) -> Vec<Place> {
        let given = self.open.range((partition, i64::MIN)..(partition, offset));
        given.map(|(place, _)| *place).collect()
    }

    /// A sample is safe, or all of a record that cannot be decoded.
    fn safe(&mut self, place: Place, sample: Option<&Sample>) {
        if let Some(open) = self.open.get_mut(&place) {
            match sample {
                Some(sample) => open.remove(sample),
                None => {
                    open.clear();
                    false
                }
            };
            if open.is_empty() {
                self.open.remove(&place);
            }
        }
    }

    pub(crate) fn dead_samples(&self) -> BTreeSet<(Place, Sample)> {
        let letters = self.dead.iter();
        letters
            .flat_map(|letter| {
                let samples = letter_samples(letter).unwrap_or_default().into_iter();
                samples.map(move |sample| (place_of(letter), sample))
            })
            .collect()
    }

    pub(crate) fn written_set(&self) -> BTreeSet<(Place, Sample)> {
        self.written.iter().cloned().collect()
    }

    pub(crate) fn all_given(&self) -> BTreeSet<(Place, Sample)> {
        let known = self.given.iter();
        known
            .flat_map(|(place, samples)| {
                let samples = samples.iter().flatten();
                samples.map(move |sample| (*place, sample.clone()))
            })
            .collect()
    }

    /// The last commit of each partition.
    pub(crate) fn committed(&self) -> BTreeMap<i32, i64> {
        self.commits.iter().copied().collect()
    }
}

fn place_of(letter: &DeadLetter) -> Place {
    (letter.source_partition, letter.source_offset)
}

/// What is in a letter, if it can be decoded.
fn letter_samples(letter: &DeadLetter) -> Option<BTreeSet<Sample>> {
    samples_of(letter.content_type.as_deref(), &letter.value)
}

fn samples_of(content_type: Option<&[u8]>, value: &Bytes) -> Option<BTreeSet<Sample>> {
    let block = codec::record::decode(content_type, value).ok()?;
    let samples = block.iter().flat_map(|view| {
        let series = view.labels().find(|(name, _)| *name == "s");
        let series = series.map_or(String::new(), |(_, value)| value.to_owned());
        let points = view.points().iter();
        points.map(move |point| (series.clone(), point.at_ms))
    });
    Some(samples.collect())
}

/// What the fakes share.
#[derive(Clone, Default)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

impl World {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn event(&self, event: Event) {
        self.state().events.push_back(Ok(event));
        self.changed.notify_one();
    }

    pub(crate) fn failure(&self, error: DrainError) {
        self.state().events.push_back(Err(error));
        self.changed.notify_one();
    }

    pub(crate) fn assign(&self, partition: i32, offset: i64) {
        self.event(Event::Assigned { partition, offset });
    }

    /// Waits for a condition, in the time of the test.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(3600);
        loop {
            if condition(&self.state()) {
                return;
            }
            assert!(Instant::now() < deadline, "never: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A record of these series of `m`, each with samples at these times.
pub(crate) fn record(partition: i32, offset: i64, series: &[(&str, &[i64])]) -> Consumed {
    record_of("m", partition, offset, series)
}

/// A record of these series of a metric, each with samples at these times.
pub(crate) fn record_of(
    name: &'static str,
    partition: i32,
    offset: i64,
    series: &[(&str, &[i64])],
) -> Consumed {
    let mut builder = RecordBuilder::new(name);
    for (series, times) in series {
        let points = times.iter().map(|&at_ms| Point {
            at_ms,
            value: 1.0,
            start_ms: 0,
        });
        builder.push([("s", *series)], MetricType::Gauge, "", "", points);
    }
    Consumed {
        partition,
        offset,
        received_at_ms: 1_700_000_000_000 + offset,
        key: Some(Bytes::from_static(name.as_bytes())),
        value: builder.finish(),
        content_type: Some(Bytes::from_static(
            ContentType::RemoteWriteV2.as_str().as_bytes(),
        )),
        tenant: None,
        source: Some("web-01".into()),
        spread: buffer::Spread::default(),
        memo: buffer::Memo::default(),
    }
}

pub(crate) fn poison(partition: i32, offset: i64) -> Consumed {
    Consumed {
        key: Some(Bytes::from_static(b"k")),
        value: Bytes::from_static(b"\xff\xff\xff not a request"),
        ..record(partition, offset, &[])
    }
}

/// The consumer's side of the buffer. Paused, it hands out everything but records.
pub(crate) struct FakeDrain(pub(crate) World);

impl Drain for FakeDrain {
    type Committer = FakeCommit;

    async fn next(&mut self) -> Result<Event, DrainError> {
        let read_takes = self.0.state().read_takes;
        tokio::time::sleep(read_takes).await;
        loop {
            {
                let mut state = self.0.state();
                let paused = state.paused;
                let at = state
                    .events
                    .iter()
                    .position(|event| !paused || !matches!(event, Ok(Event::Records(_))));
                if let Some(event) = at.and_then(|at| state.events.remove(at)) {
                    if let Ok(Event::Records(records)) = &event {
                        note_given(&mut state, records);
                    }
                    return event;
                }
            }
            self.0.changed.notified().await;
        }
    }

    fn committer(&self) -> FakeCommit {
        FakeCommit(self.0.clone())
    }

    fn pause(&mut self, paused: bool) {
        let mut state = self.0.state();
        state.pauses += usize::from(paused && !state.paused);
        state.paused = paused;
    }

    fn source(&self) -> &'static str {
        "metrics"
    }

    fn retention(&self) -> Duration {
        RETENTION
    }

    async fn close(self) {
        self.0.state().closed = true;
        tokio::task::yield_now().await;
    }
}

fn note_given(state: &mut State, records: &[Consumed]) {
    for record in records {
        let samples = samples_of(record.content_type.as_deref(), &record.value);
        let place = (record.partition, record.offset);
        let open = samples.clone().unwrap_or([Sample::default()].into());
        if !open.is_empty() {
            state.open.insert(place, open);
        }
        state.given.insert(place, samples);
        state.given_bytes += record.value.len();
        state.ends.insert(record.partition, record.offset + 1);
    }
}

#[derive(Clone)]
pub(crate) struct FakeCommit(World);

impl Commit for FakeCommit {
    async fn commit(&self, offsets: Vec<(i32, i64)>) -> Result<(), DrainError> {
        tokio::time::sleep(Duration::from_millis(3)).await;
        let mut state = self.0.state();
        if let Some(error) = state.commit_failures.pop_front() {
            return Err(error);
        }
        for (partition, offset) in offsets {
            let unsafe_records = state.unsafe_below(partition, offset);
            assert!(
                unsafe_records.is_empty(),
                "commit {offset} of partition {partition} before these are safe: {unsafe_records:?}"
            );
            state.commits.push((partition, offset));
        }
        Ok(())
    }

    fn state(&self) -> Vec<PartitionState> {
        let state = self.0.state();
        let ends = state.ends.iter();
        ends.map(|(partition, end)| PartitionState {
            partition: *partition,
            start_offset: None,
            end_offset: Some(*end),
            committed: None,
        })
        .collect()
    }
}

/// What a store does with a batch.
pub(crate) enum Answer {
    Take,
    TakeAfter(Duration),
    Retry(Option<Duration>),
    Refuse(&'static str),
    Hang,
}

pub(crate) type Behaviour = dyn Fn(&Batch, usize) -> Answer + Send + Sync;

/// A store that does what the test says, told the batch and the number of the attempt (from 0).
pub(crate) struct FakeStore {
    pub(crate) world: World,
    pub(crate) lanes: Lanes,
    pub(crate) batching: Batching,
    pub(crate) behaviour: Box<Behaviour>,
    pub(crate) resume_failures: Mutex<usize>,
}

/// Ends the flight of a lane, even when the write is cut off.
struct InFlight<'a>(&'a World, Lane);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.state().flying.remove(&self.1);
    }
}

pub(crate) fn samples_in(item: &Item) -> impl Iterator<Item = (Place, Sample)> + '_ {
    let series = item.view().labels().find(|(name, _)| *name == "s");
    let series = series.map_or("", |(_, value)| value);
    let place = (item.source.partition, item.source.offset);
    let points = item.points().iter();
    points.map(move |point| (place, (series.to_owned(), point.at_ms)))
}

impl Write for FakeStore {
    fn lanes(&self) -> Lanes {
        self.lanes
    }

    fn batching(&self) -> Batching {
        self.batching
    }

    async fn resume(&self, partition: i32, offset: i64) -> Result<(), WriteError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.world.state().resumed.push((partition, offset));
        let mut failures = self.resume_failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(WriteError::Retryable {
                message: "not now".to_owned(),
                retry_after: None,
            });
        }
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let attempt = {
            let mut state = self.world.state();
            let alone = state.flying.insert(batch.lane);
            assert!(alone, "two writes in flight in {:?}", batch.lane);
            state.attempts.push((Instant::now(), batch.samples()));
            state.attempts.len() - 1
        };
        let answer = (self.behaviour)(batch, attempt);
        let _in_flight = InFlight(&self.world, batch.lane);
        match answer {
            Answer::Hang => std::future::pending::<()>().await,
            Answer::TakeAfter(time) => tokio::time::sleep(time).await,
            Answer::Take => tokio::task::yield_now().await,
            Answer::Retry(retry_after) => {
                return Err(WriteError::Retryable {
                    message: "busy".to_owned(),
                    retry_after,
                });
            }
            Answer::Refuse(reason) => {
                return Err(WriteError::Refused {
                    reason,
                    message: format!("no: {reason}"),
                });
            }
        }
        let mut state = self.world.state();
        for (place, sample) in batch.items.iter().flat_map(samples_in) {
            state.safe(place, Some(&sample));
            state.written.push((place, sample));
        }
        let mut records: Vec<Place> = batch
            .items
            .iter()
            .map(|item| (item.source.partition, item.source.offset))
            .collect();
        records.dedup();
        state.batches.push(records);
        Ok(())
    }
}

/// Takes dead letters up to a size, after some failures.
pub(crate) struct FakeDead {
    pub(crate) world: World,
    pub(crate) failures: Mutex<usize>,
    pub(crate) limit_bytes: usize,
}

impl BuryDead for FakeDead {
    async fn bury(&self, letter: DeadLetter) -> Result<(), PublishError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let size_bytes = letter.value.len();
        if size_bytes > self.limit_bytes {
            return Err(PublishError::TooLarge {
                size_bytes,
                limit_bytes: self.limit_bytes,
            });
        }
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(PublishError::Unconfirmed("no answer".to_owned()));
        }
        let mut state = self.world.state();
        match letter_samples(&letter) {
            None => state.safe(place_of(&letter), None),
            Some(samples) => {
                for sample in &samples {
                    state.safe(place_of(&letter), Some(sample));
                }
            }
        }
        state.dead.push(letter);
        Ok(())
    }
}
