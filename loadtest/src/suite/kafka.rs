//! The real Kafka that scenarios share, a topic for each.

use std::sync::Arc;

use testkit::{Kafka, KafkaOptions, kafka::unique};

/// Past this many bytes of logs the next scenario gets a new broker, and the old one's disk is freed.
const MOST_BYTES: u64 = 2 << 30;

/// A broker, once one is needed.
#[derive(Debug, Default)]
pub(super) struct Broker(Option<Arc<Kafka>>);

/// A topic that no other run has.
#[derive(Debug)]
pub(super) struct Topic {
    kafka: Arc<Kafka>,
    pub(super) brokers: String,
    pub(super) name: String,
}

impl Broker {
    /// A topic of this name and a number; the gateway creates it.
    pub(super) fn topic(&mut self, name: &str) -> Topic {
        if let Some(kafka) = self.0.take_if(|kafka| kafka.log_bytes("") > MOST_BYTES) {
            let folders = kafka.data_dirs();
            drop(kafka);
            for folder in folders {
                // What cannot be removed only takes room.
                std::fs::remove_dir_all(folder).unwrap_or_default();
            }
        }
        let start = || Arc::new(Kafka::start(&KafkaOptions::default()));
        let kafka = Arc::clone(self.0.get_or_insert_with(start));
        Topic {
            brokers: kafka.brokers(),
            kafka,
            name: unique(name),
        }
    }
}

impl Topic {
    /// Bytes of its log files.
    pub(super) fn bytes(&self) -> u64 {
        self.kafka.log_bytes(&format!("{}-", self.name))
    }
}
