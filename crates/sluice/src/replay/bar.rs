//! How far, how fast and how long still: one line for people. Pure, but for the terminal.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// The rate is that of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(10);

const BAR_CHARS: u64 = 24;

/// What is known at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) samples: u64,
}

/// Turns looks into lines.
#[derive(Debug, Default)]
pub(crate) struct Bar {
    looks: VecDeque<(Instant, Look)>,
}

impl Bar {
    /// The line for what is known now.
    pub(crate) fn line(&mut self, now: Instant, look: Look) -> String {
        self.looks.push_back((now, look));
        while self.looks.len() > 2
            && self
                .looks
                .front()
                .is_some_and(|(at, _)| now.duration_since(*at) > WINDOW)
        {
            self.looks.pop_front();
        }
        let first = self.looks.front().copied().unwrap_or((now, look));
        let seconds = now.duration_since(first.0).as_secs_f64();
        let rate = |now: u64, before: u64| {
            if seconds > 0.0 {
                as_f64(now.saturating_sub(before)) / seconds
            } else {
                0.0
            }
        };
        let samples_per_s = rate(look.samples, first.1.samples);
        let records_per_s = rate(look.done, first.1.done);
        let left = look.total.saturating_sub(look.done);
        let eta = (records_per_s > 0.0)
            .then(|| Duration::from_secs_f64((as_f64(left) / records_per_s).min(1e9)));
        line(look, samples_per_s, eta)
    }
}

fn line(look: Look, samples_per_s: f64, eta: Option<Duration>) -> String {
    let Look {
        done,
        total,
        samples,
    } = look;
    let part = |of: u64| done.saturating_mul(of).checked_div(total).unwrap_or(of);
    let filled = usize::try_from(part(BAR_CHARS)).unwrap_or(0);
    let empty = usize::try_from(BAR_CHARS.saturating_sub(part(BAR_CHARS))).unwrap_or(0);
    let mut text = format!(
        "[{}{}] {:>3} %  {} of {} records, {} samples, {}/s",
        "#".repeat(filled),
        ".".repeat(empty),
        part(100),
        short(as_f64(done)),
        short(as_f64(total)),
        short(as_f64(samples)),
        short(samples_per_s),
    );
    if done < total {
        let eta = eta.map_or_else(|| "?".to_owned(), clock);
        write!(text, ", {eta} left").unwrap_or_default();
    }
    text
}

/// `1h 02m`, `3m 05s`, `7s`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// `999`, `1.2k`, `34M`.
pub(crate) fn short(number: f64) -> String {
    for (unit, factor) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] {
        if number >= factor {
            let value = number / factor;
            let digits = usize::from(value < 100.0);
            return format!("{value:.digits$}{unit}");
        }
    }
    format!("{number:.0}")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers for people; below 2^53 they are exact"
)]
pub(crate) fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
