//! What agents and clients post beside metrics: taken, counted, and not stored.

use std::collections::BTreeMap;

use model::{Code, Refusal};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::refusing::refuse;
use crate::{Decoded, Ignored};

/// What a body is that is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// `/api/v1/check_run`: a service check, or an array of them.
    ServiceChecks,
    /// `/api/v1/events`: an event.
    Event,
    /// `/intake/`: events, and what the agent knows of its host. Agents of version 5 have metrics in it.
    Intake,
    /// Facts about a host or an agent.
    Metadata,
}

#[derive(Deserialize)]
struct Intake {
    #[serde(default)]
    events: Option<BTreeMap<String, Vec<IgnoredAny>>>,
    #[serde(default)]
    metrics: Option<Vec<IgnoredAny>>,
}

/// Counts what a body has. One that cannot be read counts as one, because nobody needs it.
///
/// # Errors
/// When it has more than `max_samples` metrics of an agent of version 5, which are refused.
pub fn pass(body: &[u8], what: Passed, max_samples: usize) -> Result<Decoded<'_>, Refusal> {
    let mut decoded = Decoded::default();
    match what {
        Passed::ServiceChecks => {
            let checks = serde_json::from_slice::<Vec<IgnoredAny>>(body);
            let count = checks.map_or(1, |checks| checks.len() as u64);
            decoded.ignore(Ignored::ServiceCheck, count);
        }
        Passed::Event => decoded.ignore(Ignored::Event, 1),
        Passed::Intake => {
            let Ok(intake) = serde_json::from_slice::<Intake>(body) else {
                return Ok(decoded);
            };
            let events = intake.events.unwrap_or_default();
            let events = events.values().map(|events| events.len() as u64).sum();
            decoded.ignore(Ignored::Event, events);
            let metrics = intake.metrics.unwrap_or_default().len();
            if metrics > max_samples {
                return Err(crate::refusing::too_many(max_samples));
            }
            for index in 0..u32::try_from(metrics).unwrap_or(u32::MAX) {
                let message = "metrics on /intake/ are of an agent of version 5; upgrade it";
                let refusal = Refusal::new(Code::SampleInvalid, message);
                refuse(&mut decoded.refused, index, "", &refusal);
                decoded.objects += 1;
            }
        }
        Passed::Metadata => {}
    }
    Ok(decoded)
}
