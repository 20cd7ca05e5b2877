//! Nothing is lost, doubled, mixed up, or left without an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use buffer::{Durability, PublishError, Record};
use codec::catalogue::Catalogue;
use foldhash::quality::RandomState;
use futures::FutureExt as _;
use futures::future::join_all;
use model::{Batch, MetricType};
use proptest::prelude::*;
use service::tasks::Tasks;
use service::units::{Period, Size};
use tokio::time::Instant;

use super::{Coalescer, Knowledge, Origin, Settled, Settling};
use crate::config::{CoalesceConfig, RecordFormat};
use crate::fake::{FakeBuffer, NOW_MS, Then};

mod described;
mod moved;
mod pace;
mod skew;
mod spread;

/// (metric, host, value): the value is unique, and grows with time.
type Plain = (u8, u8, f64);

fn batch(samples: &[Plain]) -> Batch<'static> {
    let mut batch = Batch::default();
    for (index, (metric, host, value)) in (0_u32..).zip(samples) {
        let from = batch.open_labels();
        batch.push_label("host", format!("host-{host}"));
        let series = batch.close_series(format!("metric_{metric}"), from);
        batch.describe(series, MetricType::Gauge, "", "");
        batch.push_float(index, series, NOW_MS, *value);
    }
    batch
}

/// What a record holds: key, tenant and samples in their order.
fn read(record: &Record) -> Vec<Plain> {
    let content_type = record.content_type.as_str().as_bytes();
    let block = codec::record::decode(Some(content_type), &record.value).unwrap();
    let mut samples = Vec::new();
    for series in block.iter() {
        assert_eq!(series.name().as_bytes(), record.key, "key and name differ");
        let metric = series.name().strip_prefix("metric_").unwrap();
        let host = series
            .labels()
            .find_map(|(name, value)| (name == "host").then_some(value))
            .unwrap();
        let host = host.strip_prefix("host-").unwrap();
        for point in series.points() {
            samples.push((metric.parse().unwrap(), host.parse().unwrap(), point.value));
        }
    }
    samples
}

struct Fixture {
    coalescer: Coalescer,
    buffer: Arc<FakeBuffer>,
    _tasks: Tasks,
}

fn start(config: &CoalesceConfig, format: RecordFormat, buffer: FakeBuffer) -> Fixture {
    let buffer = Arc::new(buffer);
    let tasks = Tasks::new();
    Fixture {
        coalescer: Coalescer::start(config, format, &buffer, &tasks, RandomState::default()),
        buffer,
        _tasks: tasks,
    }
}

impl Fixture {
    async fn add(&self, samples: &[Plain], tenant: Option<&Arc<str>>) -> Settled {
        let origin = Origin {
            tenant: tenant.cloned(),
            source: None,
        };
        self.give(&batch(samples), &origin).await
    }

    fn give(&self, batch: &Batch<'_>, origin: &Origin) -> Settling {
        let knowledge = Knowledge {
            catalogue: &Catalogue::new(0, RandomState::default()),
            families: None,
        };
        self.coalescer.add(batch, knowledge, origin, "test", NOW_MS)
    }
}

fn window(millis: u64) -> CoalesceConfig {
    CoalesceConfig {
        window: Period::millis(millis),
        linger: Period::millis(0),
        ..CoalesceConfig::default()
    }
}

/// Every window waits, whether or not something is under way.
fn lingering(millis: u64) -> CoalesceConfig {
    CoalesceConfig {
        linger: Period::millis(millis),
        ..window(millis)
    }
}

#[tokio::test(start_paused = true)]
async fn requests_of_one_window_share_a_record_per_name() {
    let fixture = start(&lingering(5), RecordFormat::Protobuf, FakeBuffer::default());
    let started = Instant::now();
    let requests = (0..10).map(|n| async move {
        tokio::time::sleep(Duration::from_micros(400 * n)).await;
        n
    });
    let answers = join_all(requests.map(|request| {
        request.then(|n| {
            let value = f64::from(u32::try_from(n).unwrap());
            let samples = [(1, 1, value), (2, 1, value)];
            let fixture = &fixture;
            async move { fixture.add(&samples, None).await }
        })
    }))
    .await;
    assert_eq!(answers, vec![Ok(Durability::Local); 10]);
    let records = fixture.buffer.confirmed();
    assert_eq!(records.len(), 2);
    let values: Vec<f64> = read(&records[0]).iter().map(|sample| sample.2).collect();
    assert_eq!(values, (0..10).map(f64::from).collect::<Vec<_>>());
    assert_eq!(records[0].received_at_ms, NOW_MS);
    assert!(started.elapsed() < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_buffer_that_takes_less_than_it_said_gets_smaller_records_from_then_on() {
    let fixture = start(&window(5), RecordFormat::Protobuf, FakeBuffer::default());
    let limit = &fixture.buffer.max_record_bytes;
    limit.store(1000, Ordering::Relaxed);
    let samples: Vec<Plain> = (0..100).map(|n| (1, n, f64::from(n))).collect();
    let first = fixture.add(&samples, None).await;
    assert!(matches!(first, Err(PublishError::TooLarge { .. })));
    fixture.add(&samples, None).await.unwrap();
    let read: Vec<Plain> = fixture.buffer.confirmed().iter().flat_map(read).collect();
    assert_eq!(read, samples);
}

#[tokio::test(start_paused = true)]
async fn tenants_do_not_share_records() {
    let fixture = start(&lingering(5), RecordFormat::Protobuf, FakeBuffer::default());
    let (one, two): (Arc<str>, Arc<str>) = ("one".into(), "two".into());
    let (a, b, c) = tokio::join!(
        fixture.add(&[(1, 1, 1.0)], Some(&one)),
        fixture.add(&[(1, 1, 2.0)], Some(&two)),
        fixture.add(&[(1, 1, 3.0)], None),
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let tenants: BTreeSet<_> = fixture
        .buffer
        .confirmed()
        .into_iter()
        .map(|record| (record.tenant.clone(), read(&record).len()))
        .collect();
    let expected = [(None, 1), (Some(one), 1), (Some(two), 1)];
    assert_eq!(tenants, expected.into());
}

#[tokio::test(start_paused = true)]
async fn only_the_requests_of_a_failed_record_fail() {
    let fixture = start(&window(5), RecordFormat::Protobuf, FakeBuffer::default());
    let gone = PublishError::Unconfirmed("gone".to_owned());
    let failing = fixture.add(&[(1, 1, 1.0)], None);
    fixture
        .buffer
        .next
        .lock()
        .unwrap()
        .push_back(Then::Fail(gone.clone()));
    let other = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        fixture.add(&[(2, 1, 1.0)], None).await
    };
    assert_eq!(
        tokio::join!(failing, other),
        (Err(gone), Ok(Durability::Local))
    );
}

#[tokio::test(start_paused = true)]
async fn closing_publishes_what_is_open_and_refuses_what_comes() {
    let config = lingering(1000);
    let fixture = start(&config, RecordFormat::Protobuf, FakeBuffer::default());
    let samples = [(1, 1, 1.0)];
    let waiting = fixture.add(&samples, None);
    let close = fixture.coalescer.close(Duration::from_secs(1));
    assert_eq!(tokio::join!(waiting, close), (Ok(Durability::Local), true));
    let late = fixture.add(&[(1, 1, 2.0)], None).await;
    assert_eq!(late, Err(PublishError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_buffer_that_never_answers_does_not_hold_up_the_end() {
    let fixture = start(
        &window(5),
        RecordFormat::Protobuf,
        FakeBuffer::that(Then::Never),
    );
    let settled = fixture.give(&batch(&[(1, 1, 1.0)]), &Origin::default());
    assert!(!fixture.coalescer.close(Duration::from_secs(2)).await);
    assert!(settled.now_or_never().is_none());
}

#[test]
fn records_that_die_with_their_task_are_answered_as_failures() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut settled = None;
    runtime.block_on(async {
        let fixture = start(
            &window(5),
            RecordFormat::Protobuf,
            FakeBuffer::that(Then::Never),
        );
        let batch = batch(&[(1, 1, 1.0)]);
        settled = Some(fixture.give(&batch, &Origin::default()));
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    drop(runtime);
    let settled = settled.unwrap().now_or_never().unwrap();
    assert!(
        matches!(settled, Err(PublishError::Unconfirmed(_))),
        "{settled:?}"
    );
}

#[derive(Debug)]
struct Traffic {
    /// The millisecond at which each request comes, and its samples' metrics and hosts.
    requests: Vec<(u64, Vec<(u8, u8)>)>,
    /// What the buffer does with each record, as a number.
    behaviours: Vec<u8>,
    window_ms: u64,
    is_lingering: bool,
    max_record_bytes: usize,
    format: RecordFormat,
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let request = (0_u64..30, prop::collection::vec((0_u8..4, 0_u8..3), 0..40));
    (
        prop::collection::vec(request, 1..25),
        prop::collection::vec(0_u8..4, 0..30),
        prop_oneof![Just(0_u64), Just(5), Just(20)],
        any::<bool>(),
        prop_oneof![Just(200_usize), Just(600), Just(100_000)],
        prop_oneof![Just(RecordFormat::Protobuf), Just(RecordFormat::Json)],
    )
        .prop_map(
            |(requests, behaviours, window_ms, is_lingering, max_record_bytes, format)| Traffic {
                requests,
                behaviours,
                window_ms,
                is_lingering,
                max_record_bytes,
                format,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_traffic_loses_doubles_or_reorders_samples(traffic in traffic()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check_traffic(traffic));
    }
}

async fn check_traffic(traffic: Traffic) {
    let Traffic {
        requests,
        behaviours,
        window_ms,
        is_lingering,
        max_record_bytes,
        format,
    } = traffic;
    let buffer = FakeBuffer {
        max_record_bytes: max_record_bytes.into(),
        ..FakeBuffer::default()
    };
    buffer
        .next
        .lock()
        .unwrap()
        .extend(behaviours.iter().map(|behaviour| match behaviour {
            0 => Then::Confirm,
            1 => Then::ConfirmAfter(Duration::from_millis(7)),
            2 => Then::Fail(PublishError::QueueFull),
            _ => Then::Fail(PublishError::Unconfirmed("lost".to_owned())),
        }));
    let config = if is_lingering {
        lingering(window_ms)
    } else {
        window(window_ms)
    };
    let fixture = start(&config, format, buffer);
    // Values count up in the order of adding, which is the order that each series must keep.
    let next_value = std::cell::Cell::new(0_u32);
    let answers = join_all(requests.iter().map(|(at_ms, names)| {
        let (fixture, next_value) = (&fixture, &next_value);
        async move {
            tokio::time::sleep(Duration::from_millis(*at_ms)).await;
            let samples: Vec<Plain> = names
                .iter()
                .map(|(metric, host)| {
                    next_value.set(next_value.get() + 1);
                    (*metric, *host, f64::from(next_value.get()))
                })
                .collect();
            (fixture.add(&samples, None).await, samples)
        }
    }))
    .await;
    let published = fixture.buffer.published.lock().unwrap();
    let mut is_confirmed_by_value: BTreeMap<u64, bool> = BTreeMap::new();
    let mut last_of_series: BTreeMap<(u8, u8), f64> = BTreeMap::new();
    let mut samples = 0;
    for (record, is_confirmed) in published.iter() {
        assert!(record.key.len() + record.value.len() <= max_record_bytes);
        for (metric, host, value) in read(record) {
            samples += 1;
            is_confirmed_by_value.insert(value.to_bits(), *is_confirmed);
            let last = last_of_series.insert((metric, host), value);
            assert!(last.is_none_or(|last| last < value), "series out of order");
        }
    }
    assert_eq!(
        samples,
        is_confirmed_by_value.len(),
        "a sample is there twice"
    );
    assert_eq!(samples, next_value.get() as usize, "samples are missing");
    for (answer, samples) in answers {
        let is_durable = samples
            .iter()
            .all(|(_, _, value)| is_confirmed_by_value.get(&value.to_bits()) == Some(&true));
        assert_eq!(answer.is_ok(), is_durable, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_on_many_threads_are_all_answered_and_all_there() {
    let fixture = Arc::new(start(
        &window(1),
        RecordFormat::Protobuf,
        FakeBuffer::default(),
    ));
    let requests = (0..200_u32).map(|request| {
        let fixture = Arc::clone(&fixture);
        tokio::task::spawn_blocking(move || {
            let samples: Vec<Plain> = (0..50_u32)
                .map(|n| {
                    let metric = u8::try_from(n % 7).unwrap();
                    (metric, 0, f64::from(request * 50 + n))
                })
                .collect();
            fixture.give(&batch(&samples), &Origin::default())
        })
    });
    for added in join_all(requests).await {
        assert_eq!(added.unwrap().await, Ok(Durability::Local));
    }
    let mut values: Vec<u64> = Vec::new();
    for record in fixture.buffer.confirmed() {
        values.extend(read(&record).iter().map(|sample| sample.2.to_bits()));
    }
    values.sort_unstable();
    let expected: BTreeSet<u64> = (0..10_000_u32).map(|n| f64::from(n).to_bits()).collect();
    assert_eq!(values, expected.into_iter().collect::<Vec<_>>());
}

/// The memory of a window is that of the next ones, whatever they have.
#[tokio::test(start_paused = true)]
async fn windows_of_many_names_and_of_few_take_turns() {
    let fixture = start(&lingering(5), RecordFormat::Protobuf, FakeBuffer::default());
    let mut sent = Vec::new();
    for (round, names) in [(0_u8, 250_u8), (1, 1), (2, 3), (3, 250), (4, 2)] {
        let samples: Vec<Plain> = (0..names)
            .map(|name| (name, round, f64::from(round)))
            .collect();
        let stored = fixture.add(&samples, None).await;
        assert_eq!(stored, Ok(Durability::Local), "round {round}");
        sent.push(samples);
    }
    let records = fixture.buffer.confirmed();
    assert_eq!(records.len(), 250 + 1 + 3 + 250 + 2);
    let mut found: Vec<Plain> = records.iter().flat_map(read).collect();
    found.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let mut sent = sent.concat();
    sent.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(found, sent);
}

#[tokio::test]
async fn a_sample_that_fits_into_no_record_is_known_before() {
    let buffer = FakeBuffer {
        max_record_bytes: 300.into(),
        ..FakeBuffer::default()
    };
    let fixture = start(&window(5), RecordFormat::Protobuf, buffer);
    let check = |bytes: usize| {
        let mut batch = Batch::default();
        batch.push_label("host", "h".repeat(bytes));
        let number = batch.close_series("up", 0);
        let series = batch.series(number).unwrap();
        let checked = fixture.coalescer.check_size(series, batch.labels(series));
        checked.map_err(|too_large| too_large.limit_bytes)
    };
    assert_eq!(check(10), Ok(()));
    assert_eq!(check(200), Ok(()));
    assert_eq!(check(300), Err(300));
}
