//! Work that would hold up others where it came in: on threads of its own.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::Error;

#[derive(Debug)]
pub(crate) struct Pool {
    cores: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Self {
            cores: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Runs `work` on a thread of its own. Given up, work that has begun still ends.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let core = Arc::clone(&self.cores).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(core);
            result
        });
        done.await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "work on a body failed"
            );
            Error::Internal
        })
    }
}
