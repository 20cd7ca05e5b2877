//! A consumer in this process: records as the gateway writes them, to a remote-write store that takes everything.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use buffer::{
    BuryDead, Commit, Consumed, DeadLetter, Drain, DrainError, Event, PartitionState, PublishError,
    Record,
};
use bytes::Bytes;
use consumer::{Config, Pipeline};
use http::StatusCode;
use service::health::Health;
use service::tasks::CancellationToken;
use service::units::Period;
use store::remote_write::{Config as StoreConfig, RemoteWrite, Version};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::gateway_path::{GatewayPath, Series, Shape, Size, runtime};
use crate::null::Nowhere;
use crate::paths::{Round, VARIANTS};

const PARTITIONS: NonZeroUsize = NonZeroUsize::new(8).expect("more than 0");

/// The next offset of each partition.
type Offsets = BTreeMap<i32, i64>;

pub(crate) struct ConsumerPath {
    runtime: Runtime,
    events: mpsc::Sender<Event>,
    committed: watch::Receiver<Offsets>,
    next: Offsets,
    /// By variant.
    records: Vec<Vec<Record>>,
}

/// A reader that is told what it reads.
struct Given {
    events: mpsc::Receiver<Event>,
    committer: Committed,
}

#[derive(Clone)]
struct Committed(watch::Sender<Offsets>);

impl Commit for Committed {
    async fn commit(&self, offsets: Vec<(i32, i64)>) -> Result<(), DrainError> {
        self.0.send_modify(|committed| committed.extend(offsets));
        Ok(())
    }

    fn state(&self) -> Vec<PartitionState> {
        Vec::new()
    }
}

impl Drain for Given {
    type Committer = Committed;

    async fn next(&mut self) -> Result<Event, DrainError> {
        match self.events.recv().await {
            Some(event) => Ok(event),
            None => std::future::pending().await,
        }
    }

    fn committer(&self) -> Committed {
        self.committer.clone()
    }

    fn pause(&mut self, _paused: bool) {}

    fn source(&self) -> &'static str {
        "metrics"
    }

    fn retention(&self) -> Duration {
        Duration::from_secs(86_400)
    }

    async fn close(self) {}
}

/// Nothing dies here.
struct NoDead;

impl BuryDead for NoDead {
    async fn bury(&self, letter: DeadLetter) -> Result<(), PublishError> {
        Err(PublishError::Unconfirmed(letter.message))
    }
}

impl ConsumerPath {
    pub(crate) fn start(shape: Shape, size: Size, version: Version) -> Self {
        let records = records(shape, size);
        let runtime = runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("its address");
        // The body is read, and nothing made of it. Version 2.0 wants to hear how much was written.
        let written = [("x-prometheus-remote-write-samples-written", "1000000")];
        let take = move |_body: Bytes| async move { (StatusCode::NO_CONTENT, written) };
        let server = axum::serve(listener, Router::new().route("/", post(take)));
        runtime.spawn(server.into_future());

        let store = StoreConfig {
            url: format!("http://{address}/"),
            version,
            shards: 1,
            // So that batches do not depend on the time.
            max_age: Period::secs(60),
            ..StoreConfig::default()
        };
        assert!((size.requests * size.samples).is_multiple_of(store.max_samples));
        let store = {
            let _entered = runtime.enter();
            RemoteWrite::new(store, "null").expect("good settings")
        };
        let (events, given) = mpsc::channel(PARTITIONS.get());
        let (sender, committed) = watch::channel(Offsets::new());
        let health = Health::new();
        let pipeline = Pipeline {
            name: "null".to_owned(),
            drain: Given {
                events: given,
                committer: Committed(sender),
            },
            store: Arc::new(store),
            dead: Arc::new(NoDead),
            config: Config {
                // Longer than the work of a round, so that each has one commit.
                commit_interval: Period::millis(50),
                ..Config::default()
            },
            clock: Arc::new(|| crate::bodies::NOW_MS),
            stopping: CancellationToken::new(),
            ready: health.condition("null", "not yet"),
        };
        runtime.spawn(async {
            let ended = consumer::run(pipeline).await;
            panic_with(&ended);
        });
        let next: Offsets = (0..PARTITIONS.get())
            .map(|partition| (i32::try_from(partition).unwrap_or_default(), 0))
            .collect();
        runtime.block_on(async {
            for partition in next.keys().copied() {
                let assigned = Event::Assigned {
                    partition,
                    offset: 0,
                };
                events.send(assigned).await.expect("the consumer runs");
            }
        });
        Self {
            runtime,
            events,
            committed,
            next,
            records,
        }
    }
}

#[expect(
    clippy::panic,
    reason = "a path that cannot be measured must not look cheap"
)]
fn panic_with(ended: &Result<consumer::Report, consumer::Error>) {
    panic!("the consumer has ended: {ended:?}");
}

/// What a gateway makes of requests that come together.
fn records(shape: Shape, size: Size) -> Vec<Vec<Record>> {
    let buffer = Arc::new(Nowhere::that_keeps());
    let mut gateway = GatewayPath::start(shape, size, Series::Known, Arc::clone(&buffer));
    let of_variant = |variant| {
        gateway.round(variant);
        buffer.take()
    };
    (0..VARIANTS).map(of_variant).collect()
}

impl Round for ConsumerPath {
    fn round(&mut self, number: usize) {
        let records = self.records.get(number % VARIANTS);
        let mut consumed = Vec::new();
        for (at, record) in records.into_iter().flatten().enumerate() {
            let partition = i32::try_from(at % PARTITIONS).unwrap_or_default();
            let next = self.next.entry(partition).or_default();
            let content_type = record.content_type.as_str();
            consumed.push(Consumed {
                partition,
                offset: *next,
                received_at_ms: record.received_at_ms,
                key: Some(record.key.clone()),
                value: record.value.clone(),
                content_type: Some(Bytes::from_static(content_type.as_bytes())),
                tenant: record.tenant.clone(),
                source: record.source.clone(),
                spread: buffer::Spread::default(),
                memo: buffer::Memo::default(),
            });
            *next += 1;
        }
        let (events, committed, next) = (&self.events, &mut self.committed, &self.next);
        self.runtime.block_on(async {
            let sent = events.send(Event::Records(consumed)).await;
            sent.expect("the consumer runs");
            let all = committed.wait_for(|committed| committed == next).await;
            all.map(drop).expect("the consumer commits");
        });
    }
}
