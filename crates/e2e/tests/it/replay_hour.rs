//! A stretch of steady load, drained into one store and replayed into another: both have the same content.
//!
//! A minute of 1,000 samples a second, unless `TEST_REPLAY_SECONDS` and `TEST_REPLAY_RATE` say more: with 3600 and 20000 it
//! is an hour of 20,000 a second, which takes some minutes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use testkit::{Series, VictoriaMetrics, eventually};
use tokio::task::JoinSet;

use crate::push::now_ms;
use crate::replay::{command, ended};
use crate::sluice::{Sluice, Topics, reqwest_client};

const NAMES: u64 = 50;
const BATCH: u64 = 1000;
const SENDERS: u64 = 4;

fn setting(name: &str, default: u64) -> u64 {
    let found = std::env::vars().find(|(known, _)| known == name);
    found.map_or(default, |(_, value)| value.parse().unwrap())
}

/// The samples `from..to` of one second: a series each, with a value that says which it is.
fn body(second: u64, start_ms: i64, from: u64, to: u64) -> String {
    let at_ms = start_ms + 1000 * i64::try_from(second).unwrap();
    let mut body = String::from("{\"metrics\":[");
    for number in from..to {
        let comma = if number > from { "," } else { "" };
        let (name, host) = (number % NAMES, number / NAMES);
        let value = (second * 31 + number) % 1_000_000;
        write!(
            body,
            "{comma}{{\"metric_name\":\"hour_{name}\",\"timestamp\":{at_ms},\"value\":{value}.5,\"labels\":{{\"host\":\"h{host}\",\"region\":\"eu\"}}}}"
        )
        .unwrap();
    }
    body.push_str("]}");
    body
}

async fn send(client: &reqwest::Client, url: &str, body: String) {
    loop {
        let post = client.post(url).header("content-type", "application/json");
        let answer = post.body(body.clone()).send().await.unwrap();
        if answer.status().is_success() {
            return;
        }
        assert_eq!(answer.status().as_u16(), 503);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// All series of one name, in one order.
fn stored(store: &VictoriaMetrics, name: u64) -> Vec<Series> {
    let mut stored = store.export(&format!("{{__name__=\"hour_{name}\"}}"));
    stored.sort_by(|one, other| one.labels.cmp(&other.labels));
    stored
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_steady_load_ends_with_the_content_of_the_original_store() {
    let seconds = setting("TEST_REPLAY_SECONDS", 60);
    let rate = setting("TEST_REPLAY_RATE", 1000);
    let total = seconds * rate;
    let patience = Duration::from_secs(300 + total / 20_000);
    let (original, filled) = (VictoriaMetrics::start(), VictoriaMetrics::start());
    let topics = Topics::new("replay-hour", 12);
    let url = original.write_url();
    let settings = topics.with(&[
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
    ]);
    let gateway = Sluice::start("gateway", &topics.settings());
    let consumer = Sluice::start("consumer", &settings);

    let start_ms = now_ms() - 1000 * i64::try_from(seconds).unwrap();
    let (next, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (next, url) = (Arc::clone(&next), gateway.url("/metrics"));
        let client = reqwest_client().unwrap();
        senders.spawn(async move {
            loop {
                let second = next.fetch_add(1, Ordering::Relaxed);
                if second >= seconds {
                    return;
                }
                for from in (0..rate).step_by(usize::try_from(BATCH).unwrap()) {
                    let body = body(second, start_ms, from, rate.min(from + BATCH));
                    send(&client, &url, body).await;
                }
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
    let pushed = begun.elapsed();
    eventually(patience, async || {
        let written = consumer.metric("sluice_consumer_samples_written_total", "main");
        match written {
            Ok(written) if written >= total as f64 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let drained = begun.elapsed();
    drop(consumer);
    drop(gateway);

    let folder = testkit::run_dir("replay-hour");
    let target = filled.write_url();
    let arguments = ["replay", "--to", &target, "--from", "earliest"];
    let begun = Instant::now();
    let words = ended(command(&arguments, &settings, &folder), 0);
    let replayed = begun.elapsed();
    assert!(words.starts_with("done:"), "{words}");

    let mut samples = 0;
    for name in 0..NAMES.min(rate) {
        let expected = stored(&original, name);
        // What a store has taken it may show a moment later.
        eventually(Duration::from_secs(60), async || {
            let found = stored(&filled, name);
            if found == expected {
                Ok(())
            } else {
                Err((name, found.len(), expected.len()))
            }
        })
        .await;
        let lengths = expected.iter().map(|series| series.samples.len() as u64);
        samples += lengths.sum::<u64>();
    }
    assert_eq!(samples, total);
    let per_s = total as f64 / replayed.as_secs_f64();
    println!(
        "{total} samples: pushed in {pushed:?}, in the first store after {drained:?}, replayed in {replayed:?} \
         ({per_s:.0} samples/s): {words}"
    );
}
