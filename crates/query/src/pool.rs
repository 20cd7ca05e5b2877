//! Threads that answer questions, behind everything that somebody's samples wait for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::budget::Budget;
use crate::config::Config;
use crate::error::Error;

/// A tenth of the share of a thread that answers senders, when there is not enough for all.
const NICENESS: i32 = 10;

/// An expression is a tree that is walked by recursion; its depth is bounded, and this is room enough for that.
const STACK_BYTES: usize = 16 << 20;

/// How many may wait for each that is answered.
const WAITING: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// The threads; they are started with the first question and end when this is dropped.
#[derive(Debug)]
pub(crate) struct Pool {
    config: Config,
    jobs: Mutex<Option<SyncSender<Job>>>,
}

/// Tells the thread that nobody waits for it any more.
struct Patience(Arc<AtomicBool>);

impl Drop for Patience {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Pool {
    /// Without a thread yet.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            jobs: Mutex::default(),
        }
    }

    /// Has a thread answer this, and waits for it. Dropping the wait ends the work.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Budget) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let patience = Patience(Arc::clone(&given_up));
        let mut budget = Budget::new(&self.config, Instant::now(), given_up);
        let job = Box::new(move || {
            // What a question builds is its own, and is given up with it.
            let answer = catch_unwind(AssertUnwindSafe(|| {
                // It may have waited.
                budget.look()?;
                question(&mut budget)
            }));
            // An error means that nobody waits any more.
            done.send(answer.unwrap_or(Err(Error::Defect)))
                .unwrap_or(());
        });
        self.send(job)?;
        let answer = tokio::time::timeout(self.config.timeout.0, answer).await;
        // From here on the work has no reader.
        drop(patience);
        match answer {
            Ok(answer) => answer.unwrap_or(Err(Error::Defect)),
            Err(_) => Err(Error::Timeout(self.config.timeout.0.as_secs())),
        }
    }

    fn send(&self, job: Job) -> Result<(), Error> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &mut *jobs {
            Some(sender) => sender,
            none => none.insert(start(self.config.max_concurrent).map_err(|error| {
                tracing::error!(%error, "no thread for queries");
                Error::Overloaded("no thread can be started for queries now; ask again later")
            })?),
        };
        sender.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded(
                "as many queries run and wait as may (queries.max_concurrent); ask again later",
            ),
            TrySendError::Disconnected(_) => Error::Defect,
        })
    }
}

fn start(threads: usize) -> std::io::Result<SyncSender<Job>> {
    let (jobs, waiting) = sync_channel::<Job>(threads * WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..threads {
        let waiting = Arc::clone(&waiting);
        std::thread::Builder::new()
            .name("query".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || work(&waiting))?;
    }
    Ok(jobs)
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    // Where it is not allowed, the threads are like all others.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "queries are not behind other work");
    }
    loop {
        let job = {
            let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.recv()
        };
        let Ok(job) = job else { return };
        job();
    }
}

#[cfg(test)]
mod tests;
