//! Levers for bad days: off unless somebody pulls one, and hard to pull by mistake.

use buffer::kafka;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::Period;

/// Levers for bad days. `mode` and `use_fallback` are reloaded without a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Emergency {
    /// What a gateway does with requests. `normal`: takes them. `read_only`: answers pushes with 503 and `Retry-After`, so
    /// that senders keep what they have, and takes nothing. `drain`: is not ready any more and ends connections with their
    /// answers, but takes what still comes. Consumers go on in any mode.
    pub mode: gateway::Mode,
    /// Another Kafka cluster, for when that of section `kafka` is away for longer than the spool lasts. Consumers read both
    /// from the start on, so that nothing has to be done for what is written there.
    pub fallback: Option<kafka::Config>,
    /// Sends new samples, and what is in the spool, to `fallback`. So that nobody does it by mistake the value has to name the
    /// cluster: `write to <emergency.fallback.brokers>`. Without it, samples go to `kafka.brokers`.
    pub use_fallback: Option<String>,
}

impl Emergency {
    /// Whether new samples go to the fallback.
    pub(crate) fn is_on_fallback(&self) -> bool {
        self.use_fallback.is_some()
    }

    /// What has to be written to go there.
    fn phrase(fallback: &kafka::Config) -> String {
        format!("write to {}", fallback.brokers)
    }

    /// Checks the levers against each other and against the cluster that is in use without them.
    /// `request_timeout` is how long a request may take.
    pub(super) fn check(
        &self,
        primary: Option<&kafka::Config>,
        request_timeout: Period,
    ) -> Result<(), (String, String)> {
        let bad = |key: &str, why: String| Err((format!("emergency.{key}"), why));
        let Some(fallback) = &self.fallback else {
            return match &self.use_fallback {
                Some(_) => bad(
                    "use_fallback",
                    "there is no emergency.fallback to use; name its brokers first".to_owned(),
                ),
                None => Ok(()),
            };
        };
        let Some(primary) = primary else {
            let why = "is for buffer.kind: kafka; the embedded log has no second place";
            return bad("fallback", why.to_owned());
        };
        fallback
            .check()
            .map_err(|(key, why)| (format!("emergency.fallback.{key}"), why))?;
        if fallback.brokers == primary.brokers && fallback.topic == primary.topic {
            let why = format!(
                "is {}, which is kafka.brokers, with the same topic; a fallback is another cluster",
                fallback.brokers
            );
            return bad("fallback.brokers", why);
        }
        if fallback.delivery_timeout >= request_timeout {
            let why = format!(
                "is {}, but must be shorter than http.request_timeout ({request_timeout}), as kafka.delivery_timeout is",
                fallback.delivery_timeout
            );
            return bad("fallback.delivery_timeout", why);
        }
        let phrase = Self::phrase(fallback);
        match &self.use_fallback {
            Some(found) if *found != phrase => bad(
                "use_fallback",
                format!(
                    "is {found:?}; to send new samples to the other cluster it must be {phrase:?}, and to send none there \
                     it is left out"
                ),
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
