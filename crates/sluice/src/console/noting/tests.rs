//! What a store answers is passed on as it is, and noted.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use service::health::Health;
use service::tasks::Tasks;
use service::telemetry::install_metrics;
use store::{Batch, Batching, Lane, Lanes, Write, WriteError};

use super::Noted;
use crate::settings::{Role, Settings};

struct Answers(Mutex<Vec<Result<(), WriteError>>>);

impl Write for Answers {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(NonZeroUsize::MIN)
    }

    fn batching(&self) -> Batching {
        Batching {
            max_samples: 7,
            max_bytes: 1,
            max_age: Duration::from_secs(1),
        }
    }

    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, _batch: &Batch) -> Result<(), WriteError> {
        self.0.lock().unwrap().remove(0)
    }
}

#[tokio::test]
async fn the_last_words_of_a_store_are_in_the_snapshot() {
    let tasks = Tasks::new();
    let console = ::console::Console::start(
        crate::console::about(Role::Consumer, &Settings::defaults(Role::Standalone)),
        Health::new(),
        install_metrics(&[]),
        Arc::new(|| 1_700_000_000_000),
        &tasks,
    );
    let away = WriteError::Retryable {
        message: "connection refused".to_owned(),
        retry_after: None,
    };
    let name = Settings::defaults(Role::Standalone)
        .stores
        .into_keys()
        .next()
        .unwrap();
    let watched = console.store(&name);
    assert!(watched.is_some());
    let answers = Answers(Mutex::new(vec![Err(away), Ok(())]));
    let store = Noted::new(Arc::new(answers), watched.clone());
    assert_eq!(store.batching().max_samples, 7);
    let batch = Batch {
        lane: Lane::Series(0),
        items: Vec::new(),
    };
    assert!(store.write(&batch).await.is_err());
    let noted = format!("{watched:?}");
    assert!(
        noted.contains("connection refused") && noted.contains("is_failing: true"),
        "{noted}"
    );
    assert!(store.write(&batch).await.is_ok());
    assert!(format!("{watched:?}").contains("is_failing: false"));
}
