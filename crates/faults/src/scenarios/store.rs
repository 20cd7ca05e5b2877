//! A store that is down, slow, or answers what it should not.

use std::time::Duration;

use testkit::{Prometheus, VictoriaMetrics};

use crate::load::{Number, Sent, Turn};
use crate::look;
use crate::receiver::{Mood, is_refused};
use crate::scenario::{Scenario, scripted};
use crate::stage::{PATIENCE, Stage};
use crate::tally::{Tally, Verdict};

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "store-down",
        "VictoriaMetrics is stopped for 6 s (--minutes) and starts again: it gets everything",
        down,
    ),
    scripted(
        "store-paused",
        "Prometheus gets SIGSTOP for 7 s, longer than its timeout: it gets everything",
        paused,
    ),
    scripted("store-slow", "a store takes 1 s for each answer", |stage| {
        moody(stage, Mood::Slow(Duration::from_secs(1)))
    }),
    scripted("store-429", "a store answers 429 for 5 s", |stage| {
        moody(stage, Mood::Says(429))
    }),
    scripted("store-500", "a store answers 500 for 5 s", |stage| {
        moody(stage, Mood::Says(500))
    })
    .quick(),
    scripted(
        "store-401",
        "a store does not know us for 5 s: that is about us, and loses no sample",
        |stage| moody(stage, Mood::Says(401)),
    ),
    scripted(
        "store-garbage",
        "a store answers what is not HTTP for 5 s",
        |stage| moody(stage, Mood::Garbage),
    ),
    scripted(
        "store-refuses-some",
        "a store refuses one series of each sender: dead letters, the others are written",
        refuses_some,
    ),
    scripted(
        "store-refuses-all",
        "a store refuses everything: all of it is in the dead-letter topic",
        refuses_all,
    ),
];

fn down(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let minutes = stage.knobs.minutes;
    let outage = minutes.map_or(Duration::from_secs(6), |minutes| {
        Duration::from_secs_f64(minutes * 60.0)
    });
    let mut store = VictoriaMetrics::start();
    let sent = beside(stage, &store.write_url(), |stage| {
        store.process().terminate();
        store.process().wait_for_exit(Duration::from_secs(30));
        stage.wait(outage);
        store.restart();
    })?;
    let found = stage.until_found(&sent, || {
        let mut tally = Tally::default();
        look::victoria(&store, &mut tally);
        Ok(tally.verdict(&sent))
    })?;
    stage.row.account(&sent, &[("VictoriaMetrics", found)]);
    nobody_notices(stage);
    Ok(())
}

fn paused(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let store = Prometheus::start();
    let sent = beside(stage, &store.write_url(), |stage| {
        store.process().pause();
        stage.wait(Duration::from_secs(7));
        store.process().resume();
    })?;
    let found = stage.until_found(&sent, || {
        let mut tally = Tally::default();
        look::prometheus(&store, &mut tally);
        Ok(tally.verdict(&sent))
    })?;
    stage.row.account(&sent, &[("Prometheus", found)]);
    nobody_notices(stage);
    Ok(())
}

/// Loads a gateway and a consumer of this store while something happens.
fn beside(
    stage: &mut Stage<'_>,
    store_url: &str,
    fault: impl FnOnce(&mut Stage<'_>),
) -> anyhow::Result<Vec<Sent>> {
    let topics = stage.topics();
    let gateway = stage.gateway(&topics, &[]);
    let consumer = stage.consumer(&topics, store_url, &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    fault(stage);
    stage.wait(Duration::from_secs(1));
    let sent = load.finish()?;
    stage.eventually("the consumer has nothing left to read", PATIENCE, || {
        Ok(consumer.metric("consumer_lag_records")? < 1.0)
    })?;
    Ok(sent)
}

fn nobody_notices(stage: &mut Stage<'_>) {
    let refused = stage.row.answered("503");
    stage.expect("senders notice nothing", refused == 0);
}

/// A store that behaves so for some seconds, and then well.
fn moody(stage: &mut Stage<'_>, mood: Mood) -> anyhow::Result<()> {
    let topics = stage.topics();
    let store = stage.receiver()?;
    let gateway = stage.gateway(&topics, &[]);
    let consumer = stage.consumer(&topics, &store.url(), &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    store.set(mood);
    stage.wait(Duration::from_secs(5));
    store.set(Mood::Good);
    stage.wait(Duration::from_secs(1));
    let sent = load.finish()?;
    let found = stage.until_received(&store, &sent)?;
    stage.row.account(&sent, &[("the store", found)]);
    nobody_notices(stage);
    let dead = consumer.metric("consumer_samples_dead_lettered_total")?;
    stage.expect("nothing is a dead letter", dead < 1.0);
    Ok(())
}

fn refuses_some(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    refuses(stage, Mood::RefusesSome, is_refused)
}

fn refuses_all(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    refuses(stage, Mood::RefusesAll, |_| true)
}

/// A store that refuses some samples, which must all be dead letters, and the others in the store.
fn refuses(
    stage: &mut Stage<'_>,
    mood: Mood,
    is_unwanted: fn(Number) -> bool,
) -> anyhow::Result<()> {
    let topics = stage.topics();
    let store = stage.receiver()?;
    store.set(mood);
    let gateway = stage.gateway(&topics, &[]);
    let _consumer = stage.consumer(&topics, &store.url(), &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(3));
    let sent = load.finish()?;
    let mut dead = Tally::default();
    let mut both = Verdict::default();
    for _ in 0..100 {
        dead = Tally::default();
        look::topic(stage.kafka(), &topics.dead, &mut dead)?;
        both = either(&sent, &dead, &store.tally());
        if both.lost == 0 {
            break;
        }
        stage.wait(Duration::from_millis(500));
    }
    stage
        .row
        .account(&sent, &[("store and dead letters", both)]);
    let misplaced = numbers(&sent)
        .filter(|number| is_unwanted(*number) != dead.has(*number))
        .count();
    let what = format!("dead letters are what was refused ({misplaced} are not)");
    stage.expect(&what, misplaced == 0);
    nobody_notices(stage);
    Ok(())
}

/// The acknowledged samples of a load.
fn numbers(sent: &[Sent]) -> impl Iterator<Item = Number> {
    sent.iter().flat_map(|account| {
        let turns = (0..).zip(&account.turns);
        let turns = turns.filter(|(_, state)| **state == Turn::Acknowledged);
        turns.flat_map(move |(turn, _)| {
            (0..account.series).map(move |slot| Number {
                sender: account.sender,
                turn,
                slot,
            })
        })
    })
}

/// What is in one of two places is found.
fn either(sent: &[Sent], one: &Tally, other: &Tally) -> Verdict {
    let (first, second) = (one.verdict(sent), other.verdict(sent));
    let found = numbers(sent)
        .filter(|number| one.has(*number) || other.has(*number))
        .count() as u64;
    let acknowledged: u64 = sent.iter().map(Sent::acknowledged).sum();
    Verdict {
        found,
        lost: acknowledged - found,
        doubled: first.doubled + second.doubled,
        unacknowledged: first.unacknowledged + second.unacknowledged,
        reordered: second.reordered,
        wrong: first.wrong + second.wrong,
        examples: Vec::new(),
    }
}
