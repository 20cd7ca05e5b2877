//! Why brokers cannot be talked to: what an admin client knows of it and tells nobody.
//!
//! rdkafka's admin client never asks librdkafka for its error events, so that a wrong password, a certificate that
//! is not trusted and a closed port are all "timed out". A producer that only listens hears the reason.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

use super::super::config::Config;

/// Long enough for a handshake on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

/// Keeps the first error that is about a connection.
#[derive(Debug, Default)]
struct Listener(Mutex<Option<String>>);

impl ClientContext for Listener {
    // The clients that work have said it.
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // That all of them are down is why somebody asks.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| reason.to_owned());
        }
    }
}

impl ProducerContext for Listener {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &rdkafka::producer::DeliveryResult<'_>, (): ()) {}
}

/// What is wrong with the connections, if anything is. Blocks for some seconds.
pub(super) fn find(config: &Config) -> Option<String> {
    let producer =
        BaseProducer::from_config_and_context(&config.admin(), Listener::default()).ok()?;
    let until = Instant::now() + PATIENCE;
    if producer
        .client()
        .fetch_metadata(Some(&config.topic), PATIENCE)
        .is_ok()
    {
        return None;
    }
    loop {
        producer.poll(Duration::from_millis(50));
        let heard = producer.context().0.lock();
        let heard = heard.unwrap_or_else(PoisonError::into_inner).clone();
        if heard.is_some() || Instant::now() > until {
            return heard;
        }
    }
}
