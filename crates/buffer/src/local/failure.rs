//! What can go wrong with the log on disk, sorted by what helps.

use std::error::Error as StdError;
use std::io::ErrorKind;

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Room on the disk; then the log is opened again.
    Room,
    /// Opening the log again.
    Reopen,
    /// A person: what is on the disk is not known, or not what was written.
    Person,
}

/// An operation of the log failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) remedy: Remedy,
    pub(super) is_locked: bool,
    source: Option<fjall::Error>,
}

impl Failure {
    pub(super) fn corrupt(message: String) -> Self {
        Self {
            message: format!("the log is damaged: {message}"),
            remedy: Remedy::Person,
            is_locked: false,
            source: None,
        }
    }

    /// Of an fsync: see [`super::store::Store::sync`].
    pub(super) fn of_sync(error: fjall::Error) -> Self {
        // Poisoned before: nothing was tried, the fault is another's.
        let was_tried = !matches!(error, fjall::Error::Poisoned);
        let mut failure = Self::from(error);
        if was_tried {
            failure.message = format!(
                "the disk did not confirm a write, restart once it is sound ({})",
                failure.message
            );
            failure.remedy = Remedy::Person;
        }
        failure
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        fjall::Error::from(error).into()
    }
}

impl From<fjall::Error> for Failure {
    fn from(error: fjall::Error) -> Self {
        let io = io_error(&error);
        let is_full = io.is_some_and(|io| {
            matches!(
                io.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
            )
        });
        let message = match (&error, io) {
            (_, Some(io)) if is_full => format!("the disk is full: {io}"),
            (_, Some(io)) => format!("input or output failed: {io}"),
            (fjall::Error::Poisoned, None) => "a background write failed".to_owned(),
            (other, None) => other.to_string(),
        };
        Self {
            message,
            remedy: match is_full {
                true => Remedy::Room,
                false => Remedy::Reopen,
            },
            is_locked: matches!(error, fjall::Error::Locked),
            source: Some(error),
        }
    }
}

fn io_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a std::io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}
