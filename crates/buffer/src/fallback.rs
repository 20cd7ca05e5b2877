//! A second place for records, for when the first one is away for longer than a spool lasts.
//!
//! Who switches is a person; nothing here decides. Records that are on their way when it happens are answered by where they
//! are. The two places know nothing of each other: whoever reads has to read both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::FutureExt as _;

use crate::spool::Upstream;
use crate::{Durability, Publish, PublishError, Record, metrics};

/// Parts of the second place are told from those of the first.
const FALLBACK_PARTS: usize = 1 << 28;

/// One place, or two of which one is in use. Clones are the same.
#[derive(Debug)]
pub struct Switched<P>(Arc<Places<P>>);

#[derive(Debug)]
struct Places<P> {
    primary: Arc<P>,
    fallback: Option<Arc<P>>,
    is_on_fallback: AtomicBool,
}

impl<P> Clone for Switched<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Upstream> Switched<P> {
    /// In use is the first one.
    #[must_use]
    pub fn new(primary: Arc<P>, fallback: Option<Arc<P>>) -> Self {
        if fallback.is_some() {
            metrics::fallback_active(false);
        }
        Self(Arc::new(Places {
            primary,
            fallback,
            is_on_fallback: AtomicBool::new(false),
        }))
    }

    /// Sends records to the fallback from now on, if there is one, or no longer. Answers whether that is a change.
    pub fn use_fallback(&self, is_wanted: bool) -> bool {
        if self.0.fallback.is_none() {
            return false;
        }
        metrics::fallback_active(is_wanted);
        self.0.is_on_fallback.swap(is_wanted, Ordering::AcqRel) != is_wanted
    }

    /// The first place, and the other one if there is one.
    #[must_use]
    pub fn places(&self) -> (&P, Option<&P>) {
        (&self.0.primary, self.0.fallback.as_deref())
    }

    /// Whether records go to the fallback.
    #[must_use]
    pub fn is_on_fallback(&self) -> bool {
        self.0.is_on_fallback.load(Ordering::Acquire)
    }

    /// The place in use, and whether it is the fallback.
    fn current(&self) -> (&P, bool) {
        match &self.0.fallback {
            Some(fallback) if self.is_on_fallback() => (fallback, true),
            _ => (&self.0.primary, false),
        }
    }
}

impl<P: Upstream> Publish for Switched<P> {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        let (place, is_fallback) = self.current();
        let answer = place.publish(record);
        answer.map(move |answer| answered(answer, is_fallback))
    }

    fn durability(&self) -> Durability {
        self.0.primary.durability()
    }

    fn max_record_bytes(&self) -> usize {
        let primary = self.0.primary.max_record_bytes();
        let fallback = self.0.fallback.as_ref();
        // Of both, so that what waits in a spool fits wherever it goes.
        fallback.map_or(primary, |fallback| fallback.max_record_bytes().min(primary))
    }

    fn partitions(&self) -> usize {
        self.current().0.partitions()
    }

    fn partition(&self, record: &Record) -> Option<usize> {
        self.current().0.partition(record)
    }

    async fn flush(&self, deadline: Duration) -> usize {
        let primary = self.0.primary.flush(deadline);
        match &self.0.fallback {
            None => primary.await,
            Some(fallback) => {
                let (primary, fallback) = tokio::join!(primary, fallback.flush(deadline));
                primary + fallback
            }
        }
    }
}

/// What an answer of one of the places means.
fn answered(
    answer: Result<Durability, PublishError>,
    is_fallback: bool,
) -> Result<Durability, PublishError> {
    if !is_fallback {
        return answer;
    }
    metrics::fallback_record(answer.is_ok());
    answer.map(|_| Durability::Fallback)
}

impl<P: Upstream> Upstream for Switched<P> {
    fn publish_kept(
        &self,
        record: &Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        let (place, is_fallback) = self.current();
        let answer = place.publish_kept(record);
        answer.map(move |answer| answered(answer, is_fallback))
    }

    fn part(&self, record: &Record) -> usize {
        match self.current() {
            (place, false) => place.part(record),
            (place, true) => FALLBACK_PARTS | place.part(record),
        }
    }
}

#[cfg(test)]
mod tests;
