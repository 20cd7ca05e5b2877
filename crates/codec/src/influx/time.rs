//! Timestamps of the line protocol, in whatever unit the request says, as milliseconds.

use model::{Code, Refusal};

/// 1 January 2001 in milliseconds. A smaller number that would be a recent time in another unit is taken for one.
const EARLIEST_PLAUSIBLE_MS: i64 = 978_307_200_000;

/// How far ahead a sender's clock may plausibly be.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// The unit of timestamps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// The unit where nothing is said, in versions 1 and 2.
    #[default]
    Nanosecond,
    /// Millionths of a second.
    Microsecond,
    /// Thousandths of a second.
    Millisecond,
    /// Seconds.
    Second,
    /// Minutes, in version 1.
    Minute,
    /// Hours, in version 1.
    Hour,
    /// Each timestamp's unit is told from its size, as version 3 does where nothing is said.
    Auto,
}

impl Precision {
    /// What a request's parameter says, in the spelling of any version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "n" | "ns" | "nanosecond" => Self::Nanosecond,
            "u" | "us" | "µ" | "µs" | "microsecond" => Self::Microsecond,
            "ms" | "millisecond" => Self::Millisecond,
            "s" | "second" => Self::Second,
            "m" | "minute" => Self::Minute,
            "h" | "hour" => Self::Hour,
            "auto" => Self::Auto,
            _ => return None,
        })
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Nanosecond => "nanoseconds",
            Self::Microsecond => "microseconds",
            Self::Millisecond => "milliseconds",
            Self::Second => "seconds",
            Self::Minute => "minutes",
            Self::Hour => "hours",
            Self::Auto => "a unit that is told from their size",
        }
    }

    /// As milliseconds, rounded down; none when they do not fit.
    fn to_ms(self, raw: i64) -> Option<i64> {
        match self {
            Self::Nanosecond => Some(raw.div_euclid(1_000_000)),
            Self::Microsecond => Some(raw.div_euclid(1000)),
            Self::Millisecond => Some(raw),
            Self::Second => raw.checked_mul(1000),
            Self::Minute => raw.checked_mul(60_000),
            Self::Hour => raw.checked_mul(3_600_000),
            Self::Auto => Self::of_size(raw).to_ms(raw),
        }
    }

    /// The thresholds of `InfluxDB` 3.
    fn of_size(raw: i64) -> Self {
        match raw.unsigned_abs() {
            0..5_000_000_000 => Self::Second,
            5_000_000_000..5_000_000_000_000 => Self::Millisecond,
            5_000_000_000_000..5_000_000_000_000_000 => Self::Microsecond,
            _ => Self::Nanosecond,
        }
    }

    /// The time that a timestamp means. One that is nonsense in this unit and a recent time in another is refused,
    /// because a sender that forgot `precision` would otherwise fill January 1970.
    pub(super) fn at_ms(self, raw: i64, now_ms: i64) -> Result<i64, Refusal> {
        let at_ms = self.to_ms(raw);
        let latest_ms = now_ms.saturating_add(DAY_MS);
        if let Some(at_ms) = at_ms
            && (at_ms < 0 || (EARLIEST_PLAUSIBLE_MS..=latest_ms).contains(&at_ms))
        {
            return Ok(at_ms);
        }
        if self != Self::Auto {
            let others = [
                (Self::Nanosecond, "ns"),
                (Self::Microsecond, "us"),
                (Self::Millisecond, "ms"),
                (Self::Second, "s"),
            ];
            let meant = others.into_iter().find(|(other, _)| {
                let meant_ms = other.to_ms(raw);
                meant_ms.is_some_and(|ms| (EARLIEST_PLAUSIBLE_MS..=latest_ms).contains(&ms))
            });
            if let Some((other, parameter)) = meant {
                let message = format!(
                    "timestamp {raw} is read in {}, but looks like {}; say precision={parameter}",
                    self.unit(),
                    other.unit()
                );
                return Err(Refusal::new(Code::TimestampInSeconds, message));
            }
        }
        at_ms.ok_or_else(|| {
            let message = format!("timestamp {raw} is out of range in {}", self.unit());
            Refusal::new(Code::TimestampInvalid, message)
        })
    }
}
