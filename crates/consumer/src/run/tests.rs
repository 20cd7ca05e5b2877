//! A pipeline between fakes that check every commit.

mod archive;
mod balance;
mod exemplars;
mod memory;
mod numbers;
mod order;
mod poison;
mod rebalance;
mod refusal;
mod retry;
mod shutdown;

use std::num::NonZeroUsize;
use std::sync::Mutex;

use model::ManualClock;
use service::health::Health;
use service::units::{Period, Size};
use store::Lanes;

use super::*;
use crate::fake::{
    Answer, Behaviour, FakeDead, FakeDrain, FakeStore, State, World, record, record_of,
};

/// A pipeline that is not started yet.
struct Setup {
    world: World,
    lanes: Lanes,
    batching: Batching,
    config: Config,
    behaviour: Box<Behaviour>,
    resume_failures: usize,
    bury_failures: usize,
    letter_limit_bytes: usize,
    health: Health,
    clock: Arc<ManualClock>,
}

fn by_series(lanes: usize) -> Lanes {
    Lanes::BySeries(NonZeroUsize::new(lanes).unwrap())
}

impl Setup {
    fn new(
        lanes: Lanes,
        behaviour: impl Fn(&store::Batch, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            world: World::default(),
            lanes,
            batching: Batching {
                max_samples: 10,
                max_bytes: 1 << 20,
                max_age: Duration::from_secs(1),
            },
            config: Config {
                max_buffered: Size::mib(1),
                ..Config::default()
            },
            behaviour: Box::new(behaviour),
            resume_failures: 0,
            bury_failures: 0,
            letter_limit_bytes: 1 << 20,
            health: Health::new(),
            clock: Arc::new(ManualClock::new(1_700_000_000_000)),
        }
    }

    /// Runs the pipeline while `script` runs, then stops it.
    async fn run<F>(self, script: impl FnOnce(World) -> F) -> Result<Report, Error>
    where
        F: Future<Output = ()>,
    {
        let stopping = CancellationToken::new();
        let world = self.world.clone();
        let pipeline = Pipeline {
            name: "main".to_owned(),
            drain: FakeDrain(world.clone()),
            store: Arc::new(FakeStore {
                world: world.clone(),
                lanes: self.lanes,
                batching: self.batching,
                behaviour: self.behaviour,
                resume_failures: Mutex::new(self.resume_failures),
            }),
            dead: Arc::new(FakeDead {
                world: world.clone(),
                failures: Mutex::new(self.bury_failures),
                limit_bytes: self.letter_limit_bytes,
            }),
            config: self.config,
            clock: self.clock,
            stopping: stopping.clone(),
            ready: self.health.condition("store main", "no partition yet"),
        };
        let script = async {
            script(world).await;
            stopping.cancel();
        };
        let (ended, ()) = tokio::join!(run(pipeline), script);
        ended
    }
}

/// Everything in the partitions' records is committed.
fn all_committed(ends: &[(i32, i64)]) -> impl Fn(&State) -> bool {
    let ends = ends.to_vec();
    move |state: &State| {
        let committed = state.committed();
        let mut ends = ends.iter();
        ends.all(|(partition, end)| committed.get(partition) == Some(end))
    }
}

/// A record of `m` with these times in each of some series.
fn record_of_all(partition: i32, offset: i64, names: &[String], times: &[i64]) -> buffer::Consumed {
    let series: Vec<(&str, &[i64])> = names.iter().map(|name| (name.as_str(), times)).collect();
    record(partition, offset, &series)
}

/// No sample was written behind a later one of its series, or again.
fn assert_order(state: &State) {
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, (series, at_ms)) in &state.written {
        let before = last.insert(series, *at_ms);
        assert!(
            before < Some(*at_ms),
            "{series} has {at_ms} after {before:?}"
        );
    }
}

fn records(records: impl IntoIterator<Item = buffer::Consumed>) -> Event {
    Event::Records(records.into_iter().collect())
}

#[tokio::test(start_paused = true)]
async fn what_is_read_is_written_and_then_committed() {
    let setup = Setup::new(by_series(2), |_, _| Answer::Take);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 5);
        world.assign(3, 0);
        world.event(records([
            record(0, 5, &[("a", &[1, 2]), ("b", &[1])]),
            record(3, 0, &[("c", &[7])]),
            record(0, 9, &[("a", &[3])]),
        ]));
        world
            .until("commits", all_committed(&[(0, 10), (3, 1)]))
            .await;
    });
    let report = report.await.unwrap();
    let state = world.state();
    assert_eq!(state.written_set(), state.all_given());
    assert_eq!(state.resumed, [(0, 5), (3, 0)]);
    assert!(state.closed);
    let ledger = Ledger {
        consumed: 5,
        written: 5,
        ..Ledger::default()
    };
    assert_eq!(
        report,
        Report {
            ledger,
            late: Vec::new()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn it_is_ready_with_its_first_partition() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let health = setup.health.clone();
    let report = setup.run(|world| async move {
        assert!(!health.is_ready());
        world.assign(0, 0);
        world.until("ready", |_| health.is_ready()).await;
    });
    report.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_is_ready_without_a_partition_once_the_group_had_time_to_give_one() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let health = setup.health.clone();
    let started = Instant::now();
    let report = setup.run(|world| async move {
        world.until("ready", |_| health.is_ready()).await;
        assert!(started.elapsed() >= Duration::from_secs(10));
    });
    report.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_buffer_that_cannot_be_read_is_no_silence() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let health = setup.health.clone();
    let report = setup.run(|world| async move {
        for _ in 0..7 {
            world.failure(DrainError::Unavailable("no broker".to_owned()));
        }
        // Seven failures wait for at least 6.3 s together; without more news the next look is at 20 s.
        tokio::time::sleep(Duration::from_secs(5)).await;
        for _ in 0..2 {
            world.failure(DrainError::Unavailable("no broker".to_owned()));
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(!health.is_ready());
        world.assign(0, 0);
        world.until("ready", |_| health.is_ready()).await;
    });
    report.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_buffer_that_is_broken_for_good_ends_the_pipeline_after_writing_what_is_there() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.until("reading", |state| state.given.len() == 1).await;
        world.failure(DrainError::Fatal("disk gone".to_owned()));
        world.until("the end", |state| state.closed).await;
    });
    let error = report.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "store main: the buffer cannot be read: disk gone"
    );
    assert_eq!(world.state().commits, [(0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn expired_records_are_passed() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Take);
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.event(Event::Expired {
            partition: 0,
            from: 1,
            to: 50,
        });
        world.until("commit", all_committed(&[(0, 50)])).await;
        world.event(records([record(0, 50, &[("a", &[2])])]));
        world.until("commit", all_committed(&[(0, 51)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 2);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_store_ends_the_pipeline_by_name() {
    let setup = Setup::new(by_series(1), |_, _| panic!("defect"));
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1])])]));
        world.until("the end", |state| state.closed).await;
    });
    let error = report.await.unwrap_err().to_string();
    assert!(error.contains("a write of lane 0"), "{error}");
    assert!(world.state().commits.is_empty());
}
