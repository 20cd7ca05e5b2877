//! Samples that the store refuses for good: exactly those go to the dead letters.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::fake::samples_in;

/// Series named by number, with this many samples at times 0, 1, …; several to a record.
fn batch_of(series: &[usize]) -> Vec<buffer::Consumed> {
    let mut consumed = Vec::new();
    for (offset, chunk) in (0..).zip(series.chunks(3)) {
        let named: Vec<(String, Vec<i64>)> = (0..)
            .zip(chunk)
            .map(|(number, samples): (i64, &usize)| {
                let name = format!("{}", offset * 3 + number);
                (name, (0..).take(*samples).collect())
            })
            .collect();
        let named: Vec<(&str, &[i64])> = named
            .iter()
            .map(|(name, times)| (name.as_str(), times.as_slice()))
            .collect();
        consumed.push(record(0, offset, &named));
    }
    consumed
}

/// A store that refuses a batch with one of these samples in it, and cannot say which.
fn picky(
    refused: BTreeSet<(String, i64)>,
    reason: &'static str,
) -> impl Fn(&store::Batch, usize) -> Answer + Send + Sync {
    move |batch, _| {
        let mut samples = batch.items.iter().flat_map(samples_in);
        match samples.any(|(_, sample)| refused.contains(&sample)) {
            true => Answer::Refuse(reason),
            false => Answer::Take,
        }
    }
}

async fn run_picky(
    series: &[usize],
    refused: &BTreeSet<(String, i64)>,
    lanes: usize,
) -> (World, Report) {
    let mut setup = Setup::new(by_series(lanes), picky(refused.clone(), "bad"));
    setup.batching.max_samples = 100_000;
    setup.config.max_buffered = Size::mib(64);
    let world = setup.world.clone();
    let records = batch_of(series);
    let end = records.len() as i64;
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(Event::Records(records));
        world.until("commit", all_committed(&[(0, end)])).await;
    });
    (world, report.await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exactly_the_refused_samples_go_to_the_dead_letters(
        series in prop::collection::vec(1_usize..6, 1..12),
        picks in prop::collection::vec((0_usize..12, 0_i64..6), 0..10),
        lanes in 1_usize..4,
    ) {
        let refused: BTreeSet<(String, i64)> = picks
            .into_iter()
            .map(|(series, at_ms)| (series.to_string(), at_ms))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (world, report) = runtime.block_on(run_picky(&series, &refused, lanes));
        let state = world.state();
        let (dead, written) = (state.dead_samples(), state.written_set());
        let all = state.all_given();
        let expected: BTreeSet<_> = all
            .iter()
            .filter(|(_, sample)| refused.contains(sample))
            .cloned()
            .collect();
        prop_assert_eq!(&dead, &expected);
        prop_assert!(written.is_disjoint(&dead));
        prop_assert_eq!(written.union(&dead).cloned().collect::<BTreeSet<_>>(), all);
        prop_assert_eq!(state.written.len(), written.len(), "written twice");
        prop_assert_eq!(state.dead.len(), dead.len(), "one letter per sample");
        prop_assert_eq!(report.ledger.dead_lettered, dead.len() as u64);
        prop_assert_eq!(report.ledger.written, written.len() as u64);
        prop_assert_eq!(report.ledger.in_memory(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_says_where_it_came_from_and_why() {
    let refused = BTreeSet::from([("1".to_owned(), 1)]);
    let (world, _) = run_picky(&[2, 3], &refused, 1).await;
    let state = world.state();
    let [letter] = state.dead.as_slice() else {
        panic!("{} letters", state.dead.len());
    };
    assert_eq!(letter.key.as_deref(), Some(b"m".as_slice()));
    assert_eq!((letter.reason, letter.message.as_str()), ("bad", "no: bad"));
    assert_eq!((letter.source_partition, letter.source_offset), (0, 0));
    assert_eq!(letter.source.as_deref(), Some("web-01"));
    let block = codec::record::decode(letter.content_type.as_deref(), &letter.value).unwrap();
    let view = block.series(0).unwrap();
    let labels: BTreeSet<_> = view.labels().collect();
    assert_eq!(labels, [("__name__", "m"), ("s", "1")].into());
    assert_eq!(view.kind(), model::MetricType::Gauge);
    assert_eq!(view.points().len(), 1);
    assert_eq!(view.points()[0].at_ms, 1);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_key_stays_the_letters_key() {
    let setup = Setup::new(by_series(1), |_, _| Answer::Refuse("bad"));
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        let mut keyless = record(0, 0, &[("a", &[1])]);
        keyless.key = None;
        let mut other = record(0, 1, &[("a", &[2])]);
        other.key = Some(bytes::Bytes::from_static(b"host-7"));
        world.event(records([keyless, other, record(0, 2, &[("a", &[3])])]));
        world.until("commit", all_committed(&[(0, 3)])).await;
    });
    report.await.unwrap();
    let state = world.state();
    let mut keys: Vec<_> = state
        .dead
        .iter()
        .map(|letter| (letter.source_offset, letter.key.as_deref()))
        .collect();
    keys.sort_unstable();
    let expected = [None, Some(b"host-7".as_slice()), Some(b"m".as_slice())];
    assert_eq!(keys, (0..).zip(expected).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_is_written_in_parts() {
    let mut setup = Setup::new(by_series(1), |batch, _| match batch.samples() {
        0..=7 => Answer::Take,
        _ => Answer::Refuse("too_large"),
    });
    setup.batching.max_samples = 1000;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        let times: Vec<i64> = (0..100).collect();
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &times), ("b", &times)])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.written, 200);
    assert!(world.state().dead.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_everything_costs_few_writes() {
    let mut setup = Setup::new(by_series(1), |_, _| Answer::Refuse("bad"));
    setup.batching.max_samples = 10_000;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(Event::Records(batch_of(&[10; 1000])));
        world.until("commit", all_committed(&[(0, 334)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!((ledger.dead_lettered, ledger.written), (10_000, 0));
    let state = world.state();
    assert_eq!(state.dead_samples(), state.all_given());
    let attempts = state.attempts.len();
    assert!(attempts < 500, "{attempts} writes");
}

#[tokio::test(start_paused = true)]
async fn a_long_run_of_refused_samples_costs_few_good_ones() {
    // One series of 500 samples is too old, 200 others are fine.
    let mut series = vec![20_usize; 200];
    series[70] = 500;
    let refused: BTreeSet<_> = (0..500).map(|at_ms| ("70".to_owned(), at_ms)).collect();
    let (world, report) = run_picky(&series, &refused, 1).await;
    let state = world.state();
    let (dead, written) = (state.dead_samples(), state.written_set());
    assert!(written.is_disjoint(&dead));
    let all = state.all_given();
    assert_eq!(written.union(&dead).cloned().collect::<BTreeSet<_>>(), all);
    assert!(written.iter().all(|(_, sample)| !refused.contains(sample)));
    let good_dead = dead.len() - 500;
    assert!(
        good_dead <= 125,
        "{good_dead} good samples with the dead letters"
    );
    assert_eq!(report.ledger.dead_lettered, dead.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_too_large_is_split_and_burying_goes_on_until_it_is_done() {
    let mut setup = Setup::new(by_series(1), |_, _| Answer::Refuse("bad"));
    setup.batching.max_samples = 100_000;
    setup.letter_limit_bytes = 400;
    setup.bury_failures = 20;
    setup.config.max_buffered = Size::mib(64);
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        let times: Vec<i64> = (0..5000).collect();
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &times)])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    assert_eq!(report.await.unwrap().ledger.dead_lettered, 5000);
    let state = world.state();
    assert_eq!(state.dead_samples(), state.all_given());
    assert!(state.dead.iter().any(|letter| letter.value.len() > 200));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_and_a_passing_failure_mix() {
    let setup = Setup::new(by_series(1), |batch, attempt| {
        if attempt % 2 == 0 {
            return Answer::Retry(None);
        }
        let mut samples = batch.items.iter().flat_map(samples_in);
        match samples.any(|(_, (_, at_ms))| at_ms == 3) {
            true => Answer::Refuse("bad"),
            false => Answer::Take,
        }
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([record(0, 0, &[("a", &[1, 2, 3, 4, 5])])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!((ledger.written, ledger.dead_lettered), (4, 1));
    assert!(world.state().written.is_sorted());
}
