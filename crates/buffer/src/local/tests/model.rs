//! The log against a list of what it acknowledged, over random histories.

use proptest::prelude::*;

use super::*;
use crate::Commit;

#[derive(Debug, Clone)]
enum Step {
    Append {
        count: u64,
        value_bytes: usize,
    },
    /// Read so many events.
    Read(usize),
    /// Commit what was read.
    Commit,
    /// Close and open; with `true`, the reader had not committed since.
    Reopen,
    /// Let time pass, by minutes, and forget.
    Expire(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u64..40, 8_usize..3000).prop_map(|(count, value_bytes)| Step::Append { count, value_bytes }),
        3 => (1_usize..20).prop_map(Step::Read),
        2 => Just(Step::Commit),
        1 => Just(Step::Reopen),
        2 => (1_i64..900).prop_map(Step::Expire),
    ]
}

/// What must be true of the log.
struct Model {
    /// When each acknowledged record was appended; the index is its number and offset.
    appended_ms: Vec<i64>,
    position: u64,
    committed: u64,
    now_ms: i64,
}

impl Model {
    fn check(&mut self, event: &Event) {
        match event {
            Event::Assigned { offset, .. } => {
                self.position = u64::try_from(*offset).unwrap();
                assert_eq!(self.position, self.committed);
            }
            Event::Records(records) => {
                assert!(!records.is_empty());
                for record in records {
                    assert_eq!(u64::try_from(record.offset).unwrap(), self.position);
                    assert_eq!(number_of(record), self.position);
                    assert_eq!(record.value, value(self.position, record.value.len()));
                    self.position += 1;
                }
            }
            Event::Expired { from, to, .. } => {
                assert_eq!(u64::try_from(*from).unwrap(), self.position);
                let to = u64::try_from(*to).unwrap();
                for lost in self.position..to {
                    let appended_ms = self.appended_ms[usize::try_from(lost).unwrap()];
                    let age = Duration::from_millis((self.now_ms - appended_ms).unsigned_abs());
                    assert!(
                        age > RETENTION,
                        "record {lost} expired at the age of {age:?}"
                    );
                }
                self.position = to;
            }
            other => panic!("{other:?}"),
        }
    }

    fn end(&self) -> u64 {
        self.appended_ms.len() as u64
    }
}

async fn run(steps: Vec<Step>) {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    let mut model = Model {
        appended_ms: Vec::new(),
        position: 0,
        committed: 0,
        now_ms: NOW_MS,
    };
    model.check(&reader.next().await.unwrap());
    for step in steps {
        match step {
            Step::Append { count, value_bytes } => {
                let numbers = model.end()..model.end() + count;
                publish(&log, numbers.clone(), value_bytes).await;
                model.appended_ms.extend(numbers.map(|_| model.now_ms));
            }
            Step::Read(events) => {
                for _ in 0..events {
                    if model.position < model.end() {
                        model.check(&reader.next().await.unwrap());
                    }
                }
            }
            Step::Commit => {
                let offset = i64::try_from(model.position).unwrap();
                reader.committer().commit(vec![(0, offset)]).await.unwrap();
                model.committed = model.position;
            }
            Step::Reopen => {
                drop(reader);
                log.close().await;
                log = bench.open();
                reader = log.reader("main", Start::Cursor).await.unwrap();
                model.check(&reader.next().await.unwrap());
            }
            Step::Expire(minutes) => {
                model.now_ms += minutes * 60_000;
                bench.clock.set(model.now_ms);
                log.expire().await.unwrap();
            }
        }
    }
    // In the end everything was read or was told to have expired.
    while model.position < model.end() {
        model.check(&reader.next().await.unwrap());
    }
    let state = reader.committer().state()[0];
    assert_eq!(state.end_offset, Some(i64::try_from(model.end()).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_reader_sees_each_acknowledged_record_once_in_order_or_learns_that_it_expired(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
