//! Names as they are in the field, few of them often: how uneven partitions are, and what the suggested spread makes of it.

use std::sync::Mutex;

use buffer::Publish;
use model::ManualClock;
use service::live::Live;

use super::*;
use crate::coalesce::Common;
use crate::config::{HeatConfig, PartitioningConfig};
use crate::heat::Heat;
use crate::spread::Plan;

const PARTITIONS: usize = 64;
const NAMES: u32 = 250;
const HOSTS: u8 = 64;

/// Places records as a topic of 64 partitions does.
#[derive(Default)]
struct Partitioned(Mutex<Vec<usize>>);

impl Publish for Partitioned {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        let partition = self.partition(&record).unwrap();
        let mut bytes = self.0.lock().unwrap();
        bytes.resize(PARTITIONS, 0);
        bytes[partition] += record.key.len() + record.value.len();
        std::future::ready(Ok(Durability::Kafka))
    }

    fn durability(&self) -> Durability {
        Durability::Kafka
    }

    fn max_record_bytes(&self) -> usize {
        1 << 20
    }

    fn partitions(&self) -> usize {
        PARTITIONS
    }

    fn partition(&self, record: &Record) -> Option<usize> {
        let partitions = i32::try_from(PARTITIONS).unwrap();
        let own = buffer::kafka::partition_for(&record.key, partitions);
        let lane = usize::try_from(record.spread.lane).unwrap();
        Some((usize::try_from(own).unwrap() + lane) % PARTITIONS)
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        0
    }
}

/// Samples whose names follow Zipf's law with this exponent, the same at every call.
fn zipf(exponent: f64) -> Vec<Plain> {
    let weights: Vec<f64> = (1..=NAMES)
        .map(|rank| f64::from(rank).powf(-exponent))
        .collect();
    let all: f64 = weights.iter().sum();
    let mut samples = Vec::new();
    for (name, weight) in (0_u8..).zip(&weights) {
        let share = weight / all * 20_000.0;
        for number in 0..20_000_u32 {
            if f64::from(number) >= share {
                break;
            }
            let host = u8::try_from(number % u32::from(HOSTS)).unwrap();
            samples.push((name, host, f64::from(number)));
        }
    }
    samples
}

/// How many times as much the fullest partition has as one has on average, and what heat suggests.
async fn measured(settings: &PartitioningConfig, exponent: f64) -> (f64, PartitioningConfig) {
    let buffer = Arc::new(Partitioned::default());
    let tasks = Tasks::new();
    let plan = Live::new(Plan::of(settings, Duration::ZERO));
    let config = HeatConfig {
        suggest_above: Size(0),
        ..HeatConfig::default()
    };
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let heat = Arc::new(Heat::new(config, plan.clone(), clock));
    let common = Common {
        hasher: RandomState::default(),
        plan,
        heat: Some(Arc::clone(&heat)),
    };
    let coalescer = Coalescer::start(&window(0), RecordFormat::Protobuf, &buffer, &tasks, common);
    let knowledge = Knowledge {
        catalogue: &Catalogue::new(0, RandomState::default()),
        families: None,
    };
    let origin = Origin::default();
    for samples in zipf(exponent).chunks(1000) {
        let settled = coalescer.add(&batch(samples), knowledge, &origin, "test", NOW_MS);
        settled.await.unwrap();
    }
    let bytes = buffer.0.lock().unwrap().clone();
    let most = bytes.iter().max().copied().unwrap_or_default();
    let all: usize = bytes.iter().sum();
    let ratio = |part: usize, of: usize| {
        f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(of).unwrap())
    };
    let skew = ratio(most, all) * ratio(PARTITIONS, 1);
    let mut suggested = settings.clone();
    for (name, over) in heat.suggested() {
        suggested
            .spread
            .insert(name, over.to_string().parse().unwrap());
    }
    (skew, suggested)
}

#[tokio::test(start_paused = true)]
async fn what_is_suggested_for_zipfs_names_evens_the_partitions() {
    println!("| Zipf | skew | spread names | skew with it |\n| --- | --- | --- | --- |");
    for exponent in [0.8, 1.0, 1.2, 1.5] {
        let (plain, suggested) = measured(&PartitioningConfig::default(), exponent).await;
        let (spread, _) = measured(&suggested, exponent).await;
        let names = suggested.spread.len();
        println!("| {exponent} | {plain:.1} | {names} | {spread:.1} |");
        assert!(names > 0, "{exponent}: nothing was suggested at {plain}");
        assert!(
            spread < plain / 1.5,
            "{exponent}: {plain} before, {spread} after"
        );
        // What is left are the collisions of names that are not hot by themselves.
        assert!(spread < 5.0, "{exponent}: {spread}");
    }
}
