//! Records are counted by name and partition, and what is too much for one is said with its setting.

use std::sync::Arc;
use std::time::Duration;

use buffer::{ContentType, Durability, Publish, PublishError, Record};
use model::ManualClock;
use service::live::Live;
use tokio::time::advance;

use super::Heat;
use crate::config::{HeatConfig, PartitioningConfig};
use crate::spread::Plan;

const NOW_MS: i64 = 1_700_000_000_000;

/// Eight partitions; a name says its own.
struct Eight;

impl Publish for Eight {
    fn publish(
        &self,
        _record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        std::future::ready(Ok(Durability::Kafka))
    }

    fn durability(&self) -> Durability {
        Durability::Kafka
    }

    fn max_record_bytes(&self) -> usize {
        1 << 20
    }

    fn partitions(&self) -> usize {
        8
    }

    fn partition(&self, record: &Record) -> Option<usize> {
        Some(usize::from(record.key[0] - b'a') % 8)
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        0
    }
}

fn record(name: &str, bytes: usize) -> Record {
    Record {
        key: bytes::Bytes::copy_from_slice(name.as_bytes()),
        value: vec![0; bytes - name.len()].into(),
        content_type: ContentType::RemoteWriteV2,
        tenant: None,
        source: None,
        received_at_ms: NOW_MS,
        spread: buffer::Spread::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_shows_names_partitions_and_what_to_spread() {
    let plan = Live::new(Plan::of(&PartitioningConfig::default(), Duration::ZERO));
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let config = HeatConfig {
        suggest_above: service::units::Size(1000),
        ..HeatConfig::default()
    };
    let heat = Heat::new(config, plan, clock);
    let hot = record("b_hot", 9000);
    let cold = record("a_cold", 1000);
    let records = [(&hot, 90), (&cold, 10), (&hot, 90), (&cold, 10)];
    heat.count(&Eight, records.into_iter());
    advance(Duration::from_secs(10)).await;
    heat.shown.replace(heat.turn());
    let report = heat.report(1);
    assert_eq!(report["bytes_per_second"], 2000.0);
    assert_eq!(report["samples_per_second"], 20.0);
    assert_eq!(report["skew"], 7.2);
    assert_eq!(
        report["metrics"],
        serde_json::json!([{
            "metric_name": "b_hot", "bytes_per_second": 1800.0, "samples_per_second": 18.0, "share": 0.9,
            "partitions": 1,
            "suggestion": "partitioning: {spread: {\"b_hot\": \"1 to 8 from 2023-11-14T22:23:00Z\"}}",
        }])
    );
    assert_eq!(report["partitions"][1]["bytes_per_second"], 1800.0);
    assert_eq!(report["partitions"][7]["bytes_per_second"], 0.0);
    // Counting has begun anew.
    assert_eq!(heat.turn().total, super::Load::default());
}
