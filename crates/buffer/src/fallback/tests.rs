//! Where records go before, while and after the fallback is in use.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::Switched;
use crate::spool::Upstream;
use crate::{ContentType, Durability, Publish, PublishError, Record, Spread};

/// Keeps what it gets, and takes it if it is there.
struct Place {
    is_there: bool,
    has: Mutex<Vec<Record>>,
    max_record_bytes: usize,
}

impl Place {
    fn new(is_there: bool, max_record_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            is_there,
            has: Mutex::default(),
            max_record_bytes,
        })
    }

    fn count(&self) -> usize {
        self.has.lock().unwrap().len()
    }
}

impl Publish for Place {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        self.has.lock().unwrap().push(record);
        let answer = match self.is_there {
            true => Ok(Durability::Kafka),
            false => Err(PublishError::Unconfirmed("away".to_owned())),
        };
        std::future::ready(answer)
    }

    fn durability(&self) -> Durability {
        Durability::Kafka
    }

    fn max_record_bytes(&self) -> usize {
        self.max_record_bytes
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        self.count()
    }
}

impl Upstream for Place {
    fn part(&self, _record: &Record) -> usize {
        7
    }
}

fn record() -> Record {
    Record {
        key: Bytes::from_static(b"up"),
        value: Bytes::from_static(b"1"),
        content_type: ContentType::Json,
        tenant: None,
        source: None,
        received_at_ms: 1_700_000_000_000,
        spread: Spread::default(),
    }
}

#[tokio::test]
async fn records_go_where_the_switch_says_and_the_answer_says_where_they_are() {
    let (primary, fallback) = (Place::new(false, 1000), Place::new(true, 500));
    let switched = Switched::new(Arc::clone(&primary), Some(Arc::clone(&fallback)));
    assert!(switched.publish(record()).await.is_err());
    assert!(switched.use_fallback(true));
    assert!(!switched.use_fallback(true), "it was already");
    assert_eq!(switched.publish(record()).await, Ok(Durability::Fallback));
    let kept = switched.publish_kept(&record()).await;
    assert_eq!(kept, Ok(Durability::Fallback));
    assert!(switched.use_fallback(false));
    assert!(switched.publish(record()).await.is_err());
    assert_eq!((primary.count(), fallback.count()), (2, 2));
    assert_eq!(switched.flush(Duration::ZERO).await, 4);
}

#[tokio::test]
async fn parts_of_both_are_told_apart_and_records_fit_into_both() {
    let switched = Switched::new(Place::new(true, 1000), Some(Place::new(true, 500)));
    assert_eq!(switched.max_record_bytes(), 500);
    let before = switched.part(&record());
    switched.use_fallback(true);
    assert_ne!(switched.part(&record()), before);
    switched.use_fallback(false);
    assert_eq!(switched.part(&record()), before);
}

#[tokio::test]
async fn without_a_fallback_there_is_nothing_to_switch_to() {
    let switched = Switched::new(Place::new(true, 1000), None);
    assert!(!switched.use_fallback(true));
    assert!(!switched.is_on_fallback());
    assert_eq!(switched.publish(record()).await, Ok(Durability::Kafka));
    assert_eq!(switched.max_record_bytes(), 1000);
}
