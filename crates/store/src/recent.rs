//! The recent window: the last points of every series, in memory, for a person's first look.
//!
//! A store like any other, so what it shows came through the buffer. It is bounded in bytes, in
//! points per series and in time since a series was last received; when the bytes run out it keeps
//! fewer points of every series before it forgets the series that were silent longest. Native
//! histograms are not shown: they have no single value.

mod texts;
mod window;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use crate::select::{Select, Stopped};
use crate::{Batch, Batching, Lanes, Write, WriteError};

pub use window::NameRow;
use window::Window;

/// How much the recent window of `sluice standalone` keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a series stays after its last sample was received.
    pub window: Period,
    /// Memory for series and points. Beyond it every series keeps fewer points, then silent series go.
    pub max_size: Size,
    /// Points per series; older ones go first.
    pub max_points: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: Period::secs(600),
            max_size: Size::mib(32),
            max_points: 120,
        }
    }
}

/// A handle on the window; clones share it.
#[derive(Debug, Clone)]
pub struct Recent {
    window: Arc<Mutex<Window>>,
    /// How many wait to write.
    waiting: Arc<AtomicUsize>,
}

impl Recent {
    /// An empty window.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            window: Arc::new(Mutex::new(Window::new(config))),
            waiting: Arc::default(),
        }
    }

    /// Gives what is wanted, series by series. What comes in meanwhile goes first, so it may be given or not.
    ///
    /// # Errors
    /// When the reader stops.
    pub fn visit(&self, select: &mut dyn Select) -> Result<(), Stopped> {
        let (names, range) = (select.names(), select.range());
        let mut from = 0;
        while let Some(next) = self.locked(|window| window.visit(from, &names, range, select))? {
            from = next;
            // Whoever asks first has the lock, and that would be this thread again.
            while self.waiting.load(Ordering::Relaxed) > 0 {
                std::thread::yield_now();
            }
        }
        Ok(())
    }

    /// The metric names that are wanted, and how many there are.
    #[must_use]
    pub fn names(&self, is_wanted: &dyn Fn(&str) -> bool) -> (Vec<NameRow>, usize) {
        self.locked(|window| window.names(is_wanted))
    }

    fn locked<T>(&self, with: impl FnOnce(&mut Window) -> T) -> T {
        // The window is only a view: after a panic elsewhere it is as good as before.
        with(&mut self.window.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Recent {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(NonZeroUsize::MIN)
    }

    fn batching(&self) -> Batching {
        // Shown while the sender still looks at its 200.
        Batching {
            max_samples: 50_000,
            max_bytes: 4 << 20,
            max_age: Duration::from_millis(20),
        }
    }

    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.locked(|window| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            for item in &batch.items {
                window.insert(item);
            }
            window.shrink();
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
