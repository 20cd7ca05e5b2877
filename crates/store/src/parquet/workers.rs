//! Threads that write files, behind everything that somebody waits for.
//!
//! A file is worth a tenth of a second of a core, and nobody waits for it; a request waits for its
//! acknowledgement. So files are written by few threads of their own, and they are given less of a
//! busy processor than the threads that answer.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::error::Error;

/// A third of the share of a thread that answers, when there is not enough for all.
const NICENESS: i32 = 5;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Workers {
    jobs: Mutex<Sender<Job>>,
}

impl Workers {
    /// Starts them: one for two cores, so that a file is not all that a machine does.
    pub(super) fn start() -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..cores.div_ceil(2) {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name("archive".to_owned())
                .spawn(move || work(&waiting))?;
        }
        Ok(Self {
            jobs: Mutex::new(jobs),
        })
    }

    /// Has one of them do this, and waits for it. A caller that stops waiting does not stop it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        let job = Box::new(move || {
            // An error means that nobody waits any more.
            done.send(job()).unwrap_or_default();
        });
        let sent = {
            let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.send(job)
        };
        let gone = || Error::Defect("it panicked".to_owned());
        sent.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    // Where it is not allowed, the threads are like all others.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "archive: its threads are not behind others");
    }
    loop {
        let job = {
            let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.recv()
        };
        let Ok(job) = job else { return };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("archive: a file's thread panicked");
        }
    }
}
