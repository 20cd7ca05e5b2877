//! Which days have a partition: made when their first sample comes, dropped when they are past the retention.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::answer::Trouble;
use super::connect::Session;
use super::table::Table;

/// Days that are known to have a partition. More are never remembered: a hundred years fit.
const REMEMBERED: usize = 36_525;

/// Seconds.
const DAY: i64 = 86_400;

#[derive(Debug, Default)]
pub(super) struct Days {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Whether partitions are ours to make.
    is_ours: bool,
    known: HashSet<i64>,
    /// The day on which old ones were looked for last.
    swept_on: Option<i64>,
}

impl Days {
    /// The table was looked at.
    pub(super) fn reset(&self, is_ours: bool) {
        *self.lock() = Inner {
            is_ours,
            ..Inner::default()
        };
    }

    /// The partitions may be there no more.
    pub(super) fn forget(&self) {
        self.lock().known.clear();
    }

    /// Makes the partitions of these days, and once a day drops those that are past the retention.
    pub(super) async fn ensure(
        &self,
        session: &Session,
        table: &Table,
        days: impl Iterator<Item = i64>,
        retention: Duration,
    ) -> Result<(), Trouble> {
        let missing: Vec<i64> = {
            let inner = self.lock();
            if !inner.is_ours {
                return Ok(());
            }
            days.filter(|day| !inner.known.contains(day)).collect()
        };
        for day in missing {
            let (Some(date), Some(next)) = (date(day), date(day + 1)) else {
                return Err(Trouble::Refused {
                    reason: "invalid",
                    message: "a time outside of the years 1 to 9999 has no partition".to_owned(),
                });
            };
            session
                .batch_execute(&table.create_day(&date, &next))
                .await?;
            let mut inner = self.lock();
            if inner.known.len() >= REMEMBERED {
                inner.known.clear();
            }
            inner.known.insert(day);
        }
        if !retention.is_zero() {
            let now_s = service::clock::now_ms().div_euclid(1000);
            self.sweep(session, table, now_s, retention).await?;
        }
        Ok(())
    }

    async fn sweep(
        &self,
        session: &Session,
        table: &Table,
        now_s: i64,
        retention: Duration,
    ) -> Result<(), Trouble> {
        let today = now_s.div_euclid(DAY);
        {
            let mut inner = self.lock();
            if inner.swept_on == Some(today) {
                return Ok(());
            }
            inner.swept_on = Some(today);
        }
        let kept_s = i64::try_from(retention.as_secs()).unwrap_or(i64::MAX);
        // A day goes when its last moment is too old.
        let Some(oldest) = date((now_s.saturating_sub(kept_s)).div_euclid(DAY)) else {
            return Ok(());
        };
        let oldest = oldest.replace('-', "");
        for name in session.column(&table.partitions()).await? {
            let day = name.rsplit_once("_p").map_or("", |(_, day)| day);
            if day < oldest.as_str() {
                session.batch_execute(&table.drop_partition(&name)).await?;
                tracing::info!(
                    partition = name,
                    "day is past the retention and was dropped"
                );
                self.lock().known.clear();
            }
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A day since Unix' epoch as a date of four digits' years, which the names of partitions have.
fn date(day: i64) -> Option<String> {
    let at = jiff::Timestamp::from_second(day.checked_mul(DAY)?).ok()?;
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    (1..=9999).contains(&date.year()).then(|| date.to_string())
}
