//! Through any outages: what was acknowledged is there, and in order per key as far as it is promised.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// So many records of each key, at once.
    Publish(usize),
    Mood(Mood),
    GiveUp,
    /// Part of the backlog may go.
    Breathe,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_usize..12).prop_map(Step::Publish),
        2 => Just(Step::Mood(Mood::Fine)),
        2 => Just(Step::Mood(Mood::Silent)),
        2 => Just(Step::Mood(Mood::Failing)),
        1 => Just(Step::GiveUp),
        2 => Just(Step::Breathe),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..14)
}

/// Start and burst of the process, where they matter, and what was answered.
type Since = ((usize, usize), Durability);

const KEYS: [&str; 4] = ["a", "b", "h", "cpu"];

async fn run(steps: Vec<Step>) {
    let mut bench = Bench::new();
    bench.config.after = Period::millis(50);
    let mut spool = bench.open().await;
    let mut next = 0_u64;
    let mut acknowledged: Vec<(&str, u64, Since)> = Vec::new();
    // What is new after a restart may overtake what is left from before it, and so may what is new when the upstream takes
    // records again: fresh ones do not wait for the backlog, and one whose answer is late is acknowledged by its copy in
    // the spool. So spooled records have the order of those that came with them, others of all since a restart.
    let mut life = 0;
    let mut burst = 0;
    for step in steps {
        match step {
            Step::Publish(count) => {
                burst += 1;
                let numbers = next..next + count as u64;
                next = numbers.end;
                let sent = numbers.flat_map(|number| KEYS.map(|key| (key, number)));
                let answers = sent.map(|(key, number)| {
                    let answer = spool.spooled.publish(record(key, number));
                    async move { (key, number, answer.await) }
                });
                for (key, number, answer) in join_all(answers).await {
                    let durability = answer.unwrap();
                    let since = match durability {
                        Durability::Spool => (life, burst),
                        _ => (life, 0),
                    };
                    acknowledged.push((key, number, (since, durability)));
                }
            }
            Step::Mood(mood) => bench.upstream.set(mood),
            Step::GiveUp => bench.upstream.give_up(),
            Step::Breathe => tokio::time::sleep(Duration::from_millis(3)).await,
            Step::Restart => {
                life += 1;
                spool.close().await;
                // The process that had asked is gone.
                bench.upstream.give_up();
                spool = bench.open().await;
            }
        }
    }
    bench.upstream.give_up();
    bench.upstream.set(Mood::Fine);
    spool.drained().await;
    for key in KEYS {
        let mut seen = BTreeSet::new();
        let mut firsts = bench.upstream.numbers(key);
        firsts.retain(|number| seen.insert(*number));
        let mut by_durability: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        for (of, number, durability) in &acknowledged {
            if *of == key {
                assert!(
                    seen.contains(number),
                    "{key} {number} {durability:?} is lost"
                );
                by_durability
                    .entry(*durability)
                    .or_default()
                    .insert(*number);
            }
        }
        for (durability, numbers) in by_durability {
            let order: Vec<_> = firsts
                .iter()
                .filter(|number| numbers.contains(number))
                .collect();
            assert!(order.is_sorted(), "{key} {durability:?}: {order:?}");
        }
    }
    spool.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_or_out_of_order_through_any_outages(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
