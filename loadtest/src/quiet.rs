//! What processes use meanwhile, and when a process has finished what it was given.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use testkit::usage;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::measured::Measured;

/// Between two looks at the memory.
const SAMPLE_EVERY: Duration = Duration::from_millis(250);
/// Between two looks at whether something still happens.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Time of the processor between two looks that a process may use for itself.
const BESIDES: Duration = Duration::from_millis(30);
/// A process that does not come to rest is measured as it is.
const WAIT_AT_MOST: Duration = Duration::from_secs(60);

/// Processor time so far, in user mode and in the kernel.
pub(crate) struct Used {
    pub process: Option<Duration>,
    pub generator: Duration,
}

impl Used {
    pub(crate) fn now(processes: &Measured) -> anyhow::Result<Self> {
        Ok(Self {
            process: processes.cpu()?,
            generator: usage::cpu_time(i32::try_from(std::process::id())?)?,
        })
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        let process = self.process.zip(before.process);
        Self {
            process: process.map(|(now, before)| now.saturating_sub(before)),
            generator: self.generator.saturating_sub(before.generator),
        }
    }
}

/// Looks at a process's memory until it is stopped.
pub(crate) struct Sampler {
    samples: Rc<RefCell<Vec<(f64, u64)>>>,
    task: Option<AbortHandle>,
}

impl Sampler {
    /// Only within a `LocalSet`.
    pub(crate) fn start(processes: &Measured) -> Self {
        let samples = Rc::new(RefCell::new(Vec::new()));
        let into = Rc::clone(&samples);
        let processes = processes.clone();
        let task = processes.is_known().then(|| {
            let started = Instant::now();
            tokio::task::spawn_local(async move {
                let mut ticks = interval(SAMPLE_EVERY);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
                loop {
                    ticks.tick().await;
                    let Ok(Some(bytes)) = processes.resident() else {
                        return;
                    };
                    let seconds = started.elapsed().as_millis() as f64 / 1000.0;
                    into.borrow_mut().push((seconds, bytes));
                }
            })
            .abort_handle()
        });
        Self { samples, task }
    }

    /// Seconds since the start, and bytes.
    pub(crate) fn stop(self) -> Vec<(f64, u64)> {
        if let Some(task) = self.task {
            task.abort();
        }
        self.samples.take()
    }
}

/// Waits until the process neither works nor stores more: work after the answer is charged, too.
pub(crate) async fn wait(
    processes: &Measured,
    stored_bytes: Option<&dyn Fn() -> u64>,
) -> anyhow::Result<()> {
    let started = Instant::now();
    let look = || -> anyhow::Result<_> {
        Ok((
            processes.cpu()?.unwrap_or_default(),
            stored_bytes.map_or(0, |bytes| bytes()),
        ))
    };
    let mut before = look()?;
    while started.elapsed() < WAIT_AT_MOST && (processes.is_known() || stored_bytes.is_some()) {
        sleep(LOOK_EVERY).await;
        let now = look()?;
        if now.0.saturating_sub(before.0) < BESIDES && now.1 == before.1 {
            break;
        }
        before = now;
    }
    Ok(())
}

/// Waits until `/readyz` of an admin address answers 200.
pub(crate) async fn wait_until_ready(admin: &str, within: Duration) -> anyhow::Result<()> {
    let timeouts = service::http_client::Timeouts {
        connect: Duration::from_secs(5),
        request: Duration::from_secs(10),
    };
    let client = service::http_client::client(timeouts)?;
    let started = Instant::now();
    loop {
        let answer = client.get(format!("http://{admin}/readyz")).send().await;
        if answer
            .as_ref()
            .is_ok_and(|answer| answer.status().is_success())
        {
            return Ok(());
        }
        anyhow::ensure!(
            started.elapsed() < within,
            "http://{admin}/readyz does not say that it is ready: {answer:?}"
        );
        sleep(Duration::from_millis(100)).await;
    }
}
