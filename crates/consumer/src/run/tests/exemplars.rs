//! Exemplars of series that have no sample in their record: Prometheus sends them so.

use codec::record::{Item, RecordBuilder};
use model::{Label, MetricType};

use super::*;

/// What a store was given, in order: a series, its samples, and its exemplars.
type Given = Arc<Mutex<Vec<(String, usize, usize)>>>;

/// A record of the series `s` with exemplars at these times and no samples, then of `other`.
fn exemplars(offset: i64, series: &str, times: &[i64], other: &[i64]) -> buffer::Consumed {
    let mut builder = RecordBuilder::new("m");
    let labels = [Label {
        name: "trace_id".into(),
        value: "abc".into(),
    }];
    let items = times.iter().map(|&at_ms| Item::Exemplar {
        at_ms,
        value: 0.5,
        labels: &labels,
    });
    builder.push([("s", series)], MetricType::Counter, "", "", items);
    let points = other.iter().map(|&at_ms| model::Point {
        at_ms,
        value: 1.0,
        start_ms: 0,
    });
    builder.push([("s", "other")], MetricType::Counter, "", "", points);
    buffer::Consumed {
        value: builder.finish(),
        ..record(0, offset, &[])
    }
}

fn noting(given: &Given) -> impl Fn(&store::Batch) + Send + Sync + use<> {
    let given = Arc::clone(given);
    move |batch| {
        let items = batch.items.iter().map(|item| {
            let series = item.view().labels().find(|(name, _)| *name == "s");
            let series = series.map_or("", |(_, value)| value).to_owned();
            (series, item.len(), item.exemplars().len())
        });
        given.lock().unwrap().extend(items);
    }
}

async fn check(lanes: Lanes) {
    let given = Given::default();
    let note = noting(&given);
    let setup = Setup::new(lanes, move |batch, _| {
        note(batch);
        Answer::Take
    });
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records([exemplars(0, "a", &[1, 2], &[])]));
        world.until("commit", all_committed(&[(0, 1)])).await;
        let mixed = exemplars(2, "a", &[4], &[5, 6]);
        world.event(records([record(0, 1, &[("a", &[3])]), mixed]));
        world.until("commit", all_committed(&[(0, 3)])).await;
    });
    let ledger = Ledger {
        consumed: 3,
        written: 3,
        ..Ledger::default()
    };
    assert_eq!(report.await.unwrap().ledger, ledger);
    assert!(world.state().dead.is_empty());
    let item = |series: &str, samples, exemplars| (series.to_owned(), samples, exemplars);
    let mut given = given.lock().unwrap().clone();
    // Lanes of other series may be faster.
    given.sort_by_key(|(series, ..)| series.clone());
    let expected = [
        item("a", 0, 2),
        item("a", 1, 0),
        item("a", 0, 1),
        item("other", 2, 0),
    ];
    assert_eq!(*given, expected);
}

#[tokio::test(start_paused = true)]
async fn exemplars_of_a_series_without_samples_reach_the_store_in_order() {
    check(by_series(3)).await;
}

#[tokio::test(start_paused = true)]
async fn they_are_a_part_of_a_whole_record() {
    check(Lanes::ByPartition).await;
}

#[tokio::test(start_paused = true)]
async fn they_are_not_given_up_with_the_samples_that_a_store_refuses() {
    let given = Given::default();
    let note = noting(&given);
    let mut setup = Setup::new(by_series(1), move |batch, _| {
        if batch.samples() > 0 {
            return Answer::Refuse("bad");
        }
        note(batch);
        Answer::Take
    });
    setup.batching.max_samples = 1000;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        let refused = (0..41).map(|offset| record(0, offset, &[("b", &[1, 2])]));
        let good = (41..81).map(|offset| exemplars(offset, "a", &[offset], &[]));
        let last = record(0, 81, &[("b", &[3])]);
        world.event(records(refused.chain(good).chain([last])));
        world.until("commit", all_committed(&[(0, 82)])).await;
    });
    let ledger = report.await.unwrap().ledger;
    assert_eq!((ledger.consumed, ledger.dead_lettered), (83, 83));
    assert_eq!(world.state().dead_samples().len(), 83);
    let written: usize = given.lock().unwrap().iter().map(|(.., some)| some).sum();
    assert_eq!(written, 40);
}

#[tokio::test(start_paused = true)]
async fn refused_exemplars_go_to_the_dead_letters_however_small_those_have_to_be() {
    let mut setup = Setup::new(by_series(1), |_, _| Answer::Refuse("bad"));
    setup.letter_limit_bytes = 90;
    let world = setup.world.clone();
    let report = setup.run(|world| async move {
        world.assign(0, 0);
        world.event(records(
            (0..200).map(|offset| exemplars(offset, "a", &[offset], &[])),
        ));
        let mut builder = RecordBuilder::new("m");
        for series in ["a", "b", "c", "d"] {
            let item = Item::Exemplar {
                at_ms: 1,
                value: 1.0,
                labels: &[],
            };
            builder.push([("series", series)], MetricType::Counter, "", "", [item]);
        }
        let four = buffer::Consumed {
            value: builder.finish(),
            ..record(0, 200, &[])
        };
        world.event(records([four]));
        world.until("commit", all_committed(&[(0, 201)])).await;
    });
    assert_eq!(report.await.unwrap().ledger, Ledger::default());
    let state = world.state();
    let buried: usize = state
        .dead
        .iter()
        .map(|letter| {
            let content_type = letter.content_type.as_deref();
            let block = codec::record::decode(content_type, &letter.value).unwrap();
            block.exemplars()
        })
        .sum();
    assert_eq!(buried, 204);
}
