//! Kafka goes away and comes back: what was acknowledged meanwhile is in it afterwards, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::eventually;
use testkit::kafka::{Kafka, KafkaOptions};
use tokio::task::JoinSet;

use crate::push::now_ms;
use crate::sluice::{PATIENCE, Sluice, Topics, reqwest_client};

const PARTITIONS: u32 = 6;

/// One answer to a push of one sample.
#[derive(Debug, Clone)]
struct Answer {
    /// The sample's value, which says which one it is.
    number: u64,
    /// 0 when there was no answer.
    status: u16,
    durability: String,
    elapsed: Duration,
}

/// Senders of numbered samples, one per metric name, each with one request at a time.
struct Load {
    stopping: Arc<AtomicBool>,
    senders: JoinSet<(String, Vec<Answer>)>,
}

impl Load {
    fn start(sluice: &Sluice, prefix: &str, senders: usize) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let mut load = Self {
            stopping: Arc::clone(&stopping),
            senders: JoinSet::new(),
        };
        for sender in 0..senders {
            let (url, stopping) = (sluice.url("/metrics"), Arc::clone(&stopping));
            let name = format!("{prefix}_{sender}");
            let client = reqwest_client().unwrap();
            load.senders.spawn(async move {
                let mut answers = Vec::new();
                while !stopping.load(Ordering::Acquire) {
                    answers.push(push(&client, &url, &name, answers.len() as u64).await);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                (name, answers)
            });
        }
        load
    }

    async fn stop(mut self) -> BTreeMap<String, Vec<Answer>> {
        self.stopping.store(true, Ordering::Release);
        let mut answers = BTreeMap::new();
        while let Some(sender) = self.senders.join_next().await {
            let (name, mut of_sender) = sender.unwrap();
            answers
                .entry(name)
                .or_insert_with(Vec::new)
                .append(&mut of_sender);
        }
        answers
    }
}

async fn push(client: &reqwest::Client, url: &str, name: &str, number: u64) -> Answer {
    let body = json!({"metrics": [{"metric_name": name, "timestamp": now_ms(), "value": number, "labels": {}}]});
    let started = Instant::now();
    let answer = client
        .post(url)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await;
    let elapsed = started.elapsed();
    let (status, durability) = answer.map_or((0, String::new()), |answer| {
        let durability = answer.headers().get("sluice-durability");
        let durability = durability.map_or("", |value| value.to_str().unwrap());
        (answer.status().as_u16(), durability.to_owned())
    });
    Answer {
        number,
        status,
        durability,
        elapsed,
    }
}

/// The numbers that the topic has of each name, in order.
fn stored(kafka: &Kafka, topics: &Topics) -> BTreeMap<String, Vec<u64>> {
    let mut stored: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in kafka.read(&topics.samples) {
        let sample: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
        let name = sample["metric_name"].as_str().unwrap().to_owned();
        // A whole number, shown as one: 7 or 7.0.
        let number = sample["value"].as_f64().unwrap().to_string();
        let number = number.parse().unwrap();
        stored.entry(name).or_default().push(number);
    }
    stored
}

/// Every acknowledged sample is there, and those of one name that went to Kafka at once are in order. Answers how many
/// were acknowledged by each durability, and how many are there more than once.
fn check(
    answers: &BTreeMap<String, Vec<Answer>>,
    stored: &BTreeMap<String, Vec<u64>>,
) -> (BTreeMap<String, usize>, usize) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut doubled = 0;
    for (name, answers) in answers {
        let stored = stored.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut firsts = Vec::new();
        let mut seen = BTreeSet::new();
        for number in stored {
            if seen.insert(*number) {
                firsts.push(*number);
            } else {
                doubled += 1;
            }
        }
        let mut by_durability: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            assert!(
                seen.contains(&answer.number),
                "{name} {answer:?} was acknowledged and is not in Kafka"
            );
            *counts.entry(answer.durability.clone()).or_default() += 1;
            by_durability
                .entry(&answer.durability)
                .or_default()
                .insert(answer.number);
        }
        // What went to the spool may be overtaken, by what came when Kafka was back.
        let numbers = by_durability.remove("kafka").unwrap_or_default();
        let order: Vec<u64> = firsts
            .iter()
            .copied()
            .filter(|number| numbers.contains(number))
            .collect();
        assert!(order.is_sorted(), "{name} is not in order: {order:?}");
    }
    (counts, doubled)
}

/// Waits until nothing is left in the spool.
async fn drained(sluice: &Sluice) {
    eventually(PATIENCE, async || {
        let waiting = sluice.metric("sluice_spool_records", "").unwrap();
        let tripped = sluice.metric("sluice_spool_open_circuits", "").unwrap();
        if waiting == 0.0 && tripped == 0.0 {
            Ok(())
        } else {
            Err((waiting, tripped))
        }
    })
    .await;
}

async fn acknowledged_at_least(sluice: &Sluice, more: f64) {
    let accepted = || {
        sluice
            .metric("sluice_gateway_samples_accepted_total", "")
            .unwrap()
    };
    let target = accepted() + more;
    eventually(PATIENCE, async || match accepted() {
        now if now >= target => Ok(()),
        now => Err((now, target)),
    })
    .await;
}

fn gateway(topics: &Topics) -> Sluice {
    Sluice::start(
        "gateway",
        &topics.with(&[("SLUICE_BUFFER__RECORD_FORMAT", "json")]),
    )
}

fn slowest(answers: &BTreeMap<String, Vec<Answer>>) -> Duration {
    let all = answers.values().flatten();
    all.map(|answer| answer.elapsed).max().unwrap_or_default()
}

fn not_stored(answers: &BTreeMap<String, Vec<Answer>>) -> Vec<&Answer> {
    let all = answers.values().flatten();
    all.filter(|answer| answer.status != 200).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stops_and_one_that_dies_cost_no_answer_and_no_sample() {
    let kafka = Kafka::start(&KafkaOptions::default());
    let topics = Topics::on(&kafka, "spool-outage", PARTITIONS);
    let sluice = gateway(&topics);
    let load = Load::start(&sluice, "outage", 8);
    acknowledged_at_least(&sluice, 50.0).await;

    // Longer than a record may take, so that librdkafka gives records up.
    kafka.with_broker(0, testkit::Process::pause);
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(sluice.readiness().unwrap().0, 200);
    kafka.with_broker(0, testkit::Process::resume);
    drained(&sluice).await;
    acknowledged_at_least(&sluice, 50.0).await;

    kafka.with_broker(0, testkit::Process::kill);
    acknowledged_at_least(&sluice, 100.0).await;
    kafka.restart_broker(0);
    acknowledged_at_least(&sluice, 50.0).await;
    drained(&sluice).await;

    let answers = load.stop().await;
    drained(&sluice).await;
    assert!(
        not_stored(&answers).is_empty(),
        "{:?}",
        not_stored(&answers)
    );
    let (counts, doubled) = check(&answers, &stored(&kafka, &topics));
    println!(
        "{counts:?}, {doubled} doubled, slowest answer {:?}",
        slowest(&answers)
    );
    assert!(counts["spool"] > 100, "{counts:?}");
    assert!(counts["kafka"] > 50, "{counts:?}");
    let accepted = sluice.metric("sluice_gateway_samples_accepted_total", "");
    let sent: usize = answers.values().map(Vec::len).sum();
    assert_eq!(accepted.unwrap(), sent as f64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_while_it_spools_and_drains_loses_nothing() {
    let kafka = Kafka::start(&KafkaOptions::default());
    let topics = Topics::on(&kafka, "spool-kill", PARTITIONS);
    let mut sluice = gateway(&topics);
    let mut answers = BTreeMap::new();
    for round in 0..4 {
        let load = Load::start(&sluice, &format!("round{round}"), 8);
        acknowledged_at_least(&sluice, 20.0).await;
        kafka.with_broker(0, testkit::Process::pause);
        acknowledged_at_least(&sluice, 100.0).await;
        if round % 2 == 1 {
            // In the middle of draining.
            kafka.with_broker(0, testkit::Process::resume);
            acknowledged_at_least(&sluice, 10.0).await;
        }
        sluice.process.kill();
        answers.append(&mut load.stop().await);
        kafka.with_broker(0, testkit::Process::resume);
        sluice = sluice.again();
    }
    drained(&sluice).await;
    let (counts, doubled) = check(&answers, &stored(&kafka, &topics));
    println!("{counts:?}, {doubled} doubled");
    assert!(counts["spool"] > 300, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_starts_without_a_broker_takes_samples_and_delivers_them_later() {
    let kafka = Kafka::start(&KafkaOptions::default());
    let topics = Topics::on(&kafka, "spool-start", PARTITIONS);
    kafka.with_broker(0, testkit::Process::kill);
    let sluice = gateway(&topics);
    let load = Load::start(&sluice, "early", 4);
    acknowledged_at_least(&sluice, 50.0).await;
    // Stopped in good order, it says how much it keeps.
    let answers = load.stop().await;
    assert!(
        not_stored(&answers).is_empty(),
        "{:?}",
        not_stored(&answers)
    );
    sluice.process.terminate();
    assert!(sluice.process.wait_for_exit(PATIENCE).success());
    let log = sluice.process.log();
    assert!(log.contains("records stay in the spool"), "{log}");

    kafka.restart_broker(0);
    let sluice = sluice.again();
    drained(&sluice).await;
    let (counts, doubled) = check(&answers, &stored(&kafka, &topics));
    assert_eq!((counts.len(), doubled), (1, 0), "{counts:?}");
    assert!(counts["spool"] >= 50);
}
