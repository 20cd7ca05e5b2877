//! Settings that change while the process runs: on SIGHUP, and when one of their files changes.
//!
//! All of them are read and checked as at the start. Whatever is wrong, the old ones stay in force, all of them; what
//! is right is put in force at once, without a request being dropped; and what needs a restart is named.

mod compare;
mod files;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use service::tasks::CancellationToken;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::metrics;
use crate::settings::{Settings, Source};
use compare::{changed, comparable, is_live};
use files::Fingerprint;

/// Puts prepared settings in force; it cannot fail any more.
pub(crate) type Apply = Box<dyn FnOnce() + Send>;

/// A setting that cannot be, as its key and why.
type BadSetting = (String, String);

type Prepare = Box<dyn Fn(&Settings) -> Result<Apply, BadSetting> + Send + Sync>;

/// The parts of a process that can change while it runs. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Reloads {
    parts: Arc<Mutex<Vec<Prepare>>>,
    all_there: CancellationToken,
}

impl Reloads {
    /// Adds a part. `prepare` makes of new settings what the part needs, and changes nothing yet: every part has to be
    /// content before any of them changes.
    pub(crate) fn on(
        &self,
        prepare: impl Fn(&Settings) -> Result<Apply, BadSetting> + Send + Sync + 'static,
    ) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.push(Box::new(prepare));
    }

    /// Every part has been added.
    pub(crate) fn begin(&self) {
        self.all_there.cancel();
    }

    fn prepare(&self, settings: &Settings) -> Result<Vec<Apply>, BadSetting> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().map(|prepare| prepare(settings)).collect()
    }
}

impl fmt::Debug for Reloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reloads")
    }
}

/// Reads settings again.
pub(crate) struct Reloader {
    source: Source,
    reloads: Reloads,
    interval: Duration,
    hangup: Signal,
    /// What this process was started with, which is what those settings are that need a restart.
    started: Value,
    /// What applies to all others.
    in_force: Value,
    files: Vec<std::path::PathBuf>,
    seen: Fingerprint,
}

impl Reloader {
    /// From now on SIGHUP does not end the process.
    ///
    /// # Errors
    /// When the signal cannot be handled.
    pub(crate) fn new(
        source: Source,
        settings: &Settings,
        reloads: Reloads,
    ) -> anyhow::Result<Self> {
        let files = [source.files(), settings.files()].concat();
        let started = comparable(settings);
        Ok(Self {
            seen: Fingerprint::of(&files),
            interval: settings.reload.interval.0,
            hangup: signal(SignalKind::hangup())?,
            in_force: started.clone(),
            started,
            source,
            reloads,
            files,
        })
    }

    /// Runs for as long as the process does.
    pub(crate) async fn run(mut self) {
        self.reloads.all_there.cancelled().await;
        let is_watching = !self.interval.is_zero();
        let mut look = interval(self.interval.max(Duration::from_millis(1)));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whoever writes a file in several steps, or several files, is given the time between two looks for it.
        let mut unsettled = None;
        loop {
            tokio::select! {
                Some(()) = self.hangup.recv() => {
                    self = self.reload("SIGHUP").await;
                    unsettled = None;
                }
                _ = look.tick(), if is_watching => {
                    let files = self.files.clone();
                    let now = blocking(move || Fingerprint::of(&files)).await;
                    if now == self.seen {
                        unsettled = None;
                    } else if unsettled.as_ref() == Some(&now) {
                        self = self.reload("a file changed").await;
                        unsettled = None;
                    } else {
                        unsettled = Some(now);
                    }
                }
            }
        }
    }

    async fn reload(mut self, trigger: &'static str) -> Self {
        blocking(move || {
            let seen = Fingerprint::of(&self.files);
            let outcome = self.try_reload(trigger);
            // What was seen before it was read: a file that changed meanwhile is read again.
            self.seen = seen;
            metrics::settings_reloaded(outcome.is_ok());
            if let Err(why) = outcome {
                tracing::error!(
                    trigger,
                    "settings not reloaded, the old ones stay in force: {why}"
                );
            }
            self
        })
        .await
    }

    fn try_reload(&mut self, trigger: &'static str) -> Result<(), String> {
        let (settings, sources) = self
            .source
            .load_with_sources()
            .map_err(|error| error.to_string())?;
        let applies = self
            .reloads
            .prepare(&settings)
            .map_err(|(key, why)| sources.refuse(&key, &why).to_string())?;
        for apply in applies {
            apply();
        }
        let new = comparable(&settings);
        let applied: Vec<String> = changed(&self.in_force, &new)
            .into_iter()
            .filter(|key| is_live(key, &self.started, &new))
            .collect();
        let waiting: Vec<String> = changed(&self.started, &new)
            .into_iter()
            .filter(|key| !is_live(key, &self.started, &new))
            .collect();
        metrics::restart_needed(waiting.len());
        tracing::info!(trigger, changed = ?applied, "settings reloaded");
        if !waiting.is_empty() {
            tracing::warn!("needs a restart: {}", waiting.join(", "));
        }
        self.in_force = new;
        let files = [self.source.files(), settings.files()].concat();
        if files != self.files {
            self.files = files;
        }
        Ok(())
    }
}

/// Files may lie on a disk that takes its time.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests;
