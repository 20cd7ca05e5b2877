//! What a push says about its group's life: `?ttl=1h`, `?expect_every=25h`, or headers that say the same.

use std::time::Duration;

use http::HeaderName;
use service::units::Period;

use super::group::Group;
use crate::error::Error;
use crate::protocol::Head;

const TTL: (&str, HeaderName) = ("ttl", HeaderName::from_static("sluice-push-ttl"));
const EXPECT_EVERY: (&str, HeaderName) = (
    "expect_every",
    HeaderName::from_static("sluice-push-expect-every"),
);

/// Longer is forever.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// What is said stays said until a later push says something else; zero takes it back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PushOptions {
    pub ttl: Option<Duration>,
    pub expect_every: Option<Duration>,
}

impl PushOptions {
    /// What a request says.
    ///
    /// # Errors
    /// When it is no period.
    pub(crate) fn of(head: &Head<'_>) -> Result<Self, Error> {
        Ok(Self {
            ttl: period(head, &TTL)?,
            expect_every: period(head, &EXPECT_EVERY)?,
        })
    }

    /// # Errors
    /// When the group would be gone before it could be overdue.
    pub(crate) fn apply(&self, group: &mut Group) -> Result<(), Error> {
        let millis = |period: Duration| u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        if let Some(ttl) = self.ttl {
            group.ttl_ms = Some(millis(ttl));
        }
        if let Some(every) = self.expect_every {
            group.expect_every_ms = millis(every);
        }
        match group.ttl_ms {
            Some(ttl_ms) if ttl_ms > 0 && ttl_ms <= group.expect_every_ms => {
                let shown = |millis| Period(Duration::from_millis(millis));
                Err(Error::Parameter(format!(
                    "ttl is {}, but expect_every is {}: the group would be gone before it is overdue; ttl=0 keeps it",
                    shown(ttl_ms),
                    shown(group.expect_every_ms)
                )))
            }
            _ => Ok(()),
        }
    }
}

fn period(head: &Head<'_>, (name, header): &(&str, HeaderName)) -> Result<Option<Duration>, Error> {
    let Some(text) = head.parameter(name).or_else(|| head.header(header)) else {
        return Ok(None);
    };
    let text = text.trim();
    if text == "0" {
        return Ok(Some(Duration::ZERO));
    }
    let short: String = text.chars().take(40).collect();
    match short.parse::<Period>() {
        Ok(Period(period)) if period <= LONGEST => Ok(Some(period)),
        Ok(_) => Err(Error::Parameter(format!(
            "{name} is {short}, at most 10 years; {name}=0 is forever"
        ))),
        Err(why) => Err(Error::Parameter(format!("{name}: {why}"))),
    }
}
