//! Minutes without a broker, at a rate that matters, with a spool.

use std::time::Duration;

use testkit::Process;

use super::spool;
use crate::load::{Load, Options};
use crate::receiver::Receiver;
use crate::scenario::{Scenario, scripted};
use crate::stage::Stage;
use crate::tally::{Tally, Verdict};

pub(super) const ALL: &[Scenario] = &[scripted(
    "outage",
    "the broker is away for 20 s (--minutes) at --rate samples/s with a spool: only 2xx, all in Kafka, fresh again within a minute",
    outage,
)];

/// How much worse than before the freshness may be a minute after the broker's return.
const NORMAL: u32 = 3;
const NORMAL_AT_LEAST_MS: u32 = 2500;

fn outage(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let minutes = stage.knobs.minutes;
    let away = minutes.map_or(Duration::from_secs(20), |minutes| {
        Duration::from_secs_f64(minutes * 60.0)
    });
    let topics = stage.topics();
    let spool = stage.knobs.spool.clone();
    let data_dir = stage.folder.join("data").display().to_string();
    let store = Receiver::start(Tally::with_arrivals(service::clock::now_ms()))?;
    let settings = [
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_SPOOL__ENABLED", "true"),
        ("SLUICE_SPOOL__MAX_SIZE", spool.as_str()),
    ];
    let gateway = stage.gateway(&topics, &settings);
    let consumer = stage.consumer(&topics, &store.url(), &[]);
    let options = Options::to(&[gateway.port()]).at_rate(stage.knobs.rate);
    let load = Load::start(options)?;
    *store.tally() = Tally::with_arrivals(load.start_ms);
    stage.wait(Duration::from_secs(35));
    let gone_ms = service::clock::now_ms() - load.start_ms;
    stage.kafka().with_broker(0, Process::kill);
    stage.wait(away);
    stage.kafka().restart_broker(0);
    let back_ms = service::clock::now_ms() - load.start_ms;
    stage.wait(Duration::from_secs(90));
    let sent = load.finish()?;
    let stored = wait_for_all(stage, &store, &sent)?;
    stage.row.account(&sent, &[("the store", stored)]);
    let kept = stage.in_topic(&topics, &sent)?;
    stage.expect(
        &format!("Kafka has everything, {} are missing", kept.lost),
        kept.lost == 0,
    );
    spool::only_2xx(stage);
    spool::says_spool(stage);
    freshness(stage, &store, gone_ms, back_ms);
    drop(consumer);
    Ok(())
}

/// As long as something arrives, and then no longer.
fn wait_for_all(
    stage: &Stage<'_>,
    store: &Receiver,
    sent: &[crate::load::Sent],
) -> anyhow::Result<Verdict> {
    let mut before = 0;
    loop {
        let verdict = stage.until_received(store, sent)?;
        if verdict.lost == 0 || verdict.found == before {
            return Ok(verdict);
        }
        before = verdict.found;
    }
}

/// Tells how old samples were when they reached the store, and expects that to be as before a minute after the return.
fn freshness(stage: &mut Stage<'_>, store: &Receiver, gone_ms: i64, back_ms: i64) {
    let ages = store.tally().ages_p99_ms();
    let window = |ms: i64| usize::try_from(ms / crate::tally::WINDOW_MS).unwrap_or(0);
    let (gone, back) = (window(gone_ms), window(back_ms));
    // Not the first, in which everything starts; nor the last, of which some is only read after the return.
    let before = ages.get(1..gone.saturating_sub(1)).unwrap_or_default();
    let before = before.iter().flatten().max().copied().unwrap_or(0);
    let limit = before.saturating_mul(NORMAL).max(NORMAL_AT_LEAST_MS);
    let told: Vec<_> = (0..)
        .zip(&ages)
        .map(|(at, age)| {
            let when = match at {
                at if at < gone => "before",
                at if at <= back => "away",
                _ => "after",
            };
            let age = age.map_or_else(|| "none".to_owned(), |age| format!("{age} ms"));
            format!("{} s ({when}) {age}", at * 10)
        })
        .collect();
    stage.note(format!(
        "p99 of a sample's age on arrival, by 10 s of sending: {}",
        told.join(", ")
    ));
    // The window in which the broker returned, and six more.
    let late = ages.get(back + 7..).unwrap_or_default();
    let late = late.iter().flatten().max().copied();
    let is_normal = late.is_some_and(|late| late <= limit);
    stage.expect(
        &format!("a minute after the return p99 is at most {limit} ms, and it is {late:?}"),
        is_normal,
    );
}
