//! The gateway's side of the embedded log, and the consumer's for dead letters.

use std::future::Future;
use std::time::Duration;

use super::MAX_RECORD_BYTES;
use super::handle::Log;
use super::queue::{Answer, Command, Refused};
use crate::{BuryDead, DeadLetter, Durability, Publish, PublishError, Record};

/// Appends to the log. Clones share its queue.
#[derive(Debug, Clone)]
pub struct Writer {
    log: Log,
}

impl Writer {
    pub(super) fn new(log: Log) -> Self {
        Self { log }
    }

    pub(super) fn send<T: Send + 'static>(
        &self,
        command: impl FnOnce(Answer<T, PublishError>) -> Command,
    ) -> impl Future<Output = Result<T, PublishError>> + Send + 'static {
        let (answer, answered) = Answer::new();
        let pushed = self.log.shared().queue.push(command(answer));
        async move {
            match pushed {
                Ok(()) => answered.await.unwrap_or_else(|_| {
                    Err(PublishError::Unconfirmed(
                        "the log's writer stopped".to_owned(),
                    ))
                }),
                Err(Refused::Full) => Err(PublishError::QueueFull),
                Err(Refused::Closed) => Err(PublishError::Closed),
            }
        }
    }
}

impl Writer {
    /// Enqueues a record before it returns, and answers its offset when it is durable.
    pub(crate) fn append(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<u64, PublishError>> + Send + 'static {
        let size_bytes = record.key.len() + record.value.len();
        let sent = if size_bytes > MAX_RECORD_BYTES {
            Err(PublishError::TooLarge {
                size_bytes,
                limit_bytes: MAX_RECORD_BYTES,
            })
        } else {
            Ok(self.send(|answer| Command::Append(record, answer)))
        };
        async move { sent?.await }
    }
}

impl Publish for Writer {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        let appended = self.append(record);
        async move { appended.await.map(|_offset| Durability::Local) }
    }

    fn durability(&self) -> Durability {
        Durability::Local
    }

    fn max_record_bytes(&self) -> usize {
        MAX_RECORD_BYTES
    }

    async fn flush(&self, deadline: Duration) -> usize {
        self.log.shared().queue.flush(deadline).await
    }
}

impl BuryDead for Writer {
    async fn bury(&self, letter: DeadLetter) -> Result<(), PublishError> {
        self.send(|answer| Command::Bury(Box::new(letter), answer))
            .await
    }
}
