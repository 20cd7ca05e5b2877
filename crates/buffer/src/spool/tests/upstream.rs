//! An upstream that does as it is told, and remembers what it has.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::oneshot;

use super::number_of;
use crate::spool::Upstream;
use crate::{Durability, Publish, PublishError, Record};

/// How it treats records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Fine,
    /// Answers when it is fine again, or gives up.
    Silent,
    Failing,
}

type Answer = oneshot::Sender<Result<Durability, PublishError>>;

#[derive(Default)]
struct State {
    mood: Mood,
    parts: BTreeMap<usize, Mood>,
    held: Vec<(Record, Answer)>,
    delivered: Vec<Record>,
}

/// Refuses the key `poison` for good.
#[derive(Default)]
pub(super) struct Fake(Mutex<State>);

fn part(key: &[u8]) -> usize {
    usize::from(key.last().copied().unwrap_or_default()) % 7
}

impl Fake {
    /// What was held is delivered, if it is fine now.
    pub(super) fn set(&self, mood: Mood) {
        let mut state = self.0.lock().unwrap();
        state.mood = mood;
        if mood == Mood::Fine {
            for (record, answer) in std::mem::take(&mut state.held) {
                state.delivered.push(record);
                answer.send(Ok(Durability::Kafka)).unwrap_or_default();
            }
        }
    }

    /// One part is unlike the others.
    pub(super) fn set_part(&self, key: &str, mood: Mood) {
        let part = part(key.as_bytes());
        self.0.lock().unwrap().parts.insert(part, mood);
    }

    pub(super) fn clear_parts(&self) {
        self.0.lock().unwrap().parts.clear();
    }

    /// What was held is answered with an error.
    pub(super) fn give_up(&self) {
        for (_, answer) in std::mem::take(&mut self.0.lock().unwrap().held) {
            answer.send(Err(timed_out())).unwrap_or_default();
        }
    }

    pub(super) fn held(&self) -> usize {
        self.0.lock().unwrap().held.len()
    }

    pub(super) fn delivered(&self) -> Vec<Record> {
        self.0.lock().unwrap().delivered.clone()
    }

    /// What it has of a key, in order.
    pub(super) fn numbers(&self, key: &str) -> Vec<u64> {
        let state = self.0.lock().unwrap();
        let of_key = state.delivered.iter().filter(|record| record.key == key);
        of_key.map(number_of).collect()
    }
}

fn timed_out() -> PublishError {
    PublishError::Unconfirmed("timed out".to_owned())
}

impl Publish for Fake {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.0.lock().unwrap();
        let mood = state.parts.get(&part(&record.key));
        let mood = mood.copied().unwrap_or(state.mood);
        let answer = match mood {
            Mood::Silent => {
                state.held.push((record, sender));
                None
            }
            Mood::Failing => Some(Err(timed_out())),
            Mood::Fine if record.key == "poison" => {
                Some(Err(PublishError::Refused("too old".to_owned())))
            }
            Mood::Fine => {
                state.delivered.push(record);
                Some(Ok(Durability::Kafka))
            }
        };
        async move {
            match answer {
                Some(answer) => answer,
                None => receiver.await.unwrap_or(Err(PublishError::Closed)),
            }
        }
    }

    fn durability(&self) -> Durability {
        Durability::Kafka
    }

    fn max_record_bytes(&self) -> usize {
        1 << 20
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        0
    }
}

impl Upstream for Fake {
    fn part(&self, record: &Record) -> usize {
        part(&record.key)
    }
}
