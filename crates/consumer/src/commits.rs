//! One commit at a time, so that an older offset never overtakes a newer one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use buffer::{Commit, DrainError};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use service::log_limit::LogLimit;
use tokio::time::{Instant, sleep, timeout_at};

use crate::metrics;

/// Between two tries when somebody waits for the commit.
const RETRY: Duration = Duration::from_millis(100);

/// How a commit ended.
pub(crate) type Answer = (Vec<(i32, i64)>, Result<(), DrainError>);

/// What is committed and what is being committed.
pub(crate) struct Commits<C> {
    committer: C,
    store: String,
    committed: BTreeMap<i32, i64>,
    /// Partitions that the last commit failed for: left out until one succeeds.
    not_owned: BTreeSet<i32>,
    in_flight: Option<BoxFuture<'static, Answer>>,
    failed: LogLimit,
}

impl<C: Commit> Commits<C> {
    pub(crate) fn new(committer: C, store: &str) -> Self {
        Self {
            committer,
            store: store.to_owned(),
            committed: BTreeMap::new(),
            not_owned: BTreeSet::new(),
            in_flight: None,
            failed: LogLimit::new(),
        }
    }

    /// Reading of a partition starts here.
    pub(crate) fn assigned(&mut self, partition: i32, offset: i64) {
        self.committed.insert(partition, offset);
        self.not_owned.remove(&partition);
    }

    pub(crate) fn forget(&mut self, partition: i32) {
        self.committed.remove(&partition);
    }

    /// What is committed of a partition that is read here.
    pub(crate) fn committed(&self, partition: i32) -> Option<i64> {
        self.committed.get(&partition).copied()
    }

    pub(crate) fn committer(&self) -> &C {
        &self.committer
    }

    /// The ones of these offsets that are not committed yet.
    fn news(&self, done: impl IntoIterator<Item = (i32, i64)>) -> Vec<(i32, i64)> {
        done.into_iter()
            .filter(|(partition, _)| !self.not_owned.contains(partition))
            .filter(|(partition, offset)| {
                self.committed(*partition)
                    .is_some_and(|committed| committed < *offset)
            })
            .collect()
    }

    /// Starts to commit what is news, unless a commit is on its way: it will be news then as well.
    pub(crate) fn start(&mut self, done: impl IntoIterator<Item = (i32, i64)>) {
        if self.in_flight.is_some() {
            return;
        }
        let news = self.news(done);
        if news.is_empty() {
            return;
        }
        let committer = self.committer.clone();
        let commit = async move {
            let answer = committer.commit(news.clone()).await;
            (news, answer)
        };
        self.in_flight = Some(commit.boxed());
    }

    /// The end of the commit that is on its way; never, if there is none. Cancel-safe.
    pub(crate) async fn finished(&mut self) -> Answer {
        match &mut self.in_flight {
            None => std::future::pending().await,
            Some(commit) => {
                let answer = commit.await;
                self.in_flight = None;
                answer
            }
        }
    }

    /// Takes note of an answer of [`Self::finished`], and says whether the commit succeeded.
    ///
    /// # Errors
    /// When nothing can be committed any more.
    pub(crate) fn note(&mut self, (offsets, answer): Answer) -> Result<bool, DrainError> {
        metrics::commit(&self.store, answer.is_ok());
        let error = match answer {
            Ok(()) => {
                self.not_owned.clear();
                for (partition, offset) in offsets {
                    if let Some(committed) = self.committed.get_mut(&partition) {
                        *committed = offset.max(*committed);
                    }
                }
                return Ok(true);
            }
            Err(error) => error,
        };
        match error {
            DrainError::Fatal(_) => return Err(error),
            DrainError::NotOwned(partition) => {
                self.not_owned.insert(partition);
            }
            DrainError::Unavailable(_) => {}
        }
        metrics::retry(&self.store, "commit");
        if let Some(suppressed) = self.failed.pass() {
            tracing::warn!(
                store = self.store,
                error = &error as &dyn std::error::Error,
                suppressed,
                "offsets are not committed; tried again"
            );
        }
        Ok(false)
    }

    /// Commits these offsets and waits for it, trying again until `deadline`. Answers whether all is committed.
    ///
    /// # Errors
    /// When nothing can be committed any more.
    pub(crate) async fn commit_now(
        &mut self,
        done: &[(i32, i64)],
        deadline: Instant,
    ) -> Result<bool, DrainError> {
        loop {
            self.start(done.iter().copied());
            if self.in_flight.is_none() {
                return Ok(true);
            }
            let Ok(answer) = timeout_at(deadline, self.finished()).await else {
                return Ok(false);
            };
            let passing = matches!(answer.1, Err(DrainError::Unavailable(_)));
            self.note(answer)?;
            if passing {
                if Instant::now() + RETRY >= deadline {
                    return Ok(false);
                }
                sleep(RETRY).await;
            }
        }
    }
}
