//! A table of the embedded log: durable with the same fsync as records, told in the order of the writes.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::MAX_RECORD_BYTES;
use super::handle::Log;
use super::queue::Command;
use super::shared::{State, Tail};
use super::tables::{Place, Put};
use super::writer::Writer;
use crate::{Change, DrainError, Follow, PublishError, table};

/// Longest name of a table, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 200;

/// Changes one table. Clones are the same table.
#[derive(Debug, Clone)]
pub struct Table {
    log: Log,
    writer: Writer,
    name: Arc<str>,
}

/// Follows one table.
#[derive(Debug)]
pub struct Follower {
    table: Table,
    tail: watch::Receiver<Tail>,
    place: Place,
}

pub(super) fn open(log: Log, name: &str) -> Result<(Table, Follower), DrainError> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(DrainError::Fatal(format!(
            "a table's name has 1 to {MAX_NAME_BYTES} bytes, {name:?} has {}",
            name.len()
        )));
    }
    let name: Arc<str> = Arc::from(name);
    let tail = log.shared().tail.subscribe();
    let place = log.shared().tables().join(&name);
    let table = Table {
        writer: log.writer(),
        log,
        name,
    };
    let follower = Follower {
        table: table.clone(),
        tail,
        place,
    };
    Ok((table, follower))
}

impl crate::Table for Table {
    fn put(
        &self,
        key: Bytes,
        value: Option<Bytes>,
    ) -> impl Future<Output = Result<(), PublishError>> + Send {
        // Copies: what is given may be a small part of a request's body, which would be kept with it.
        let sent = table::check_size(&key, value.as_ref(), MAX_RECORD_BYTES).map(|()| {
            let put = Put {
                table: Arc::clone(&self.name),
                key: Bytes::copy_from_slice(&key),
                value: value.map(|value| Bytes::copy_from_slice(&value)),
            };
            self.writer
                .send(|answer| Command::Put(Box::new(put), answer))
        });
        async move { sent?.await }
    }
}

impl Follow for Follower {
    async fn next(&mut self) -> Result<Change, DrainError> {
        let closed = || DrainError::Fatal("the log is closed".to_owned());
        loop {
            let state = self.tail.borrow_and_update().state.clone();
            let next = {
                let mut tables = self.table.log.shared().tables();
                tables.next(&self.table.name, &mut self.place)
            };
            if let Some(change) = next {
                return Ok(change);
            }
            match state {
                State::Open | State::Down => {}
                State::Failed(reason) => return Err(DrainError::Fatal(reason.to_string())),
                State::Closed => return Err(closed()),
            }
            self.tail.changed().await.map_err(|_| closed())?;
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut tables = self.table.log.shared().tables();
        tables.leave(&self.table.name, self.place);
    }
}
