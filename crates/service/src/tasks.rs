//! Every task of the process: started here, named, and waited for at the end.
//!
//! A task that panics is logged and reported by [`Tasks::failed`]: a process that lost one of its
//! parts stops and is started again, it does not limp on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
pub use tokio_util::sync::CancellationToken;

/// The tasks of one process, or of one part of it that stops on its own. Clones share them.
#[derive(Clone)]
pub struct Tasks(Arc<Shared>);

struct Shared {
    stopping: CancellationToken,
    running: watch::Sender<BTreeMap<u64, &'static str>>,
    failed: watch::Sender<Option<&'static str>>,
    next: AtomicU64,
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// Without a task.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            stopping: CancellationToken::new(),
            running: watch::Sender::default(),
            failed: watch::Sender::default(),
            next: AtomicU64::new(0),
        }))
    }

    /// Starts a task. It should end soon after [`Tasks::stopping`] is cancelled.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that spawns: what it spawns has a name and is waited for"
    )]
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let running = Running::new(Arc::clone(&self.0), name);
        tokio::spawn(async move {
            // Moved in, so that it is dropped after the future, also when that panics or is aborted.
            let running = running;
            future.await;
            drop(running);
        });
    }

    /// Starts a task that is dropped, wherever it is, when the tasks should end.
    pub fn watch<T>(&self, name: &'static str, future: impl Future<Output = T> + Send + 'static)
    where
        T: Send,
    {
        let stopping = self.stopping();
        self.spawn(name, async move {
            stopping.run_until_cancelled_owned(future).await;
        });
    }

    /// Cancelled when the tasks should end.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.0.stopping.clone()
    }

    /// Waits until a task has panicked, and tells which; forever if none does.
    pub async fn failed(&self) -> &'static str {
        let mut failed = self.0.failed.subscribe();
        let name = failed.wait_for(Option::is_some).await.map(|name| *name);
        match name {
            Ok(Some(name)) => name,
            // The sender lives in `self`, so this is never reached.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Asks every task to end, waits for them, and names those that had not by the deadline.
    ///
    /// Late tasks are left running; the process is about to end.
    pub async fn stop(&self, deadline: Duration) -> Vec<&'static str> {
        self.0.stopping.cancel();
        let started = Instant::now();
        let mut running = self.0.running.subscribe();
        let ended = tokio::time::timeout(deadline, running.wait_for(BTreeMap::is_empty));
        if ended.await.is_ok() {
            return Vec::new();
        }
        let late: Vec<_> = self.0.running.borrow().values().copied().collect();
        for task in &late {
            tracing::warn!(
                task,
                elapsed_ms = started.elapsed().as_millis(),
                "task did not end in time"
            );
        }
        late
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = self.0.running.borrow();
        f.debug_tuple("Tasks").field(&*running).finish()
    }
}

/// A task's entry in the list, for as long as it lives.
struct Running {
    shared: Arc<Shared>,
    id: u64,
    name: &'static str,
}

impl Running {
    fn new(shared: Arc<Shared>, name: &'static str) -> Self {
        let id = shared.next.fetch_add(1, Ordering::Relaxed);
        shared.running.send_modify(|running| {
            running.insert(id, name);
        });
        Self { shared, id, name }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.name, "task panicked, the process stops");
            self.shared.failed.send_replace(Some(self.name));
        }
        self.shared.running.send_modify(|running| {
            running.remove(&self.id);
        });
    }
}

#[cfg(test)]
mod tests;
