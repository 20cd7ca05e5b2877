//! How far a store is behind on a partition, and how long until that loses data. Pure.

use std::time::Duration;

/// Where the pipeline is on a partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    /// The first offset that the store may not have.
    pub(crate) done: i64,
    /// The first offset that was not read yet.
    pub(crate) read: i64,
    /// The offset that the next record will get, if known.
    pub(crate) end: Option<i64>,
    /// When the first record that is read but not done was received.
    pub(crate) oldest_open_ms: Option<i64>,
    /// When the last record that was read was received: what is not read yet is younger.
    pub(crate) last_read_ms: Option<i64>,
}

/// How far behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lag {
    /// Offsets that the store does not have yet.
    pub(crate) records: u64,
    /// Those of them that were not read from the buffer yet.
    pub(crate) unread_records: u64,
    /// Age of the oldest of them; NaN when nobody knows it yet.
    pub(crate) seconds: f64,
    /// Seconds until it expires, below 0 when it is overdue; the retention when there is none.
    pub(crate) headroom_seconds: f64,
}

impl Lag {
    /// Of a partition that is not read here any more: sums and maxima ignore it, and no alert on headroom fires.
    pub(crate) const ELSEWHERE: Self = Self {
        records: 0,
        unread_records: 0,
        seconds: 0.0,
        headroom_seconds: f64::NAN,
    };

    /// At this time, with this retention.
    pub(crate) fn of(position: &Position, now_ms: i64, retention: Duration) -> Self {
        let end = position.end.unwrap_or(position.read).max(position.read);
        let records = u64::try_from(end - position.done).unwrap_or(0);
        let unread_records = u64::try_from(end - position.read).unwrap_or(0);
        if records == 0 {
            return Self {
                records,
                unread_records,
                seconds: 0.0,
                headroom_seconds: retention.as_secs_f64(),
            };
        }
        let since_ms = position.oldest_open_ms.or(position.last_read_ms);
        let seconds = since_ms.map_or(f64::NAN, |since_ms| {
            now_ms.saturating_sub(since_ms).max(0) as f64 / 1000.0
        });
        Self {
            records,
            unread_records,
            seconds,
            headroom_seconds: retention.as_secs_f64() - seconds,
        }
    }
}

#[cfg(test)]
mod tests;
