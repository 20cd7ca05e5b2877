//! What a scenario is: a name, what is expected, and steps.

use crate::stage::Stage;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// Group and name: `kill-gateway`. A command line's word chooses all whose name begins so.
    pub name: &'static str,
    /// What is done, and what must come of it beside what every row promises.
    pub expects: &'static str,
    /// Whether its moments are random: then it is repeated, each time with another seed.
    pub is_random: bool,
    /// Whether it is among the few that every test run includes.
    pub is_quick: bool,
    pub steps: fn(&mut Stage<'_>) -> anyhow::Result<()>,
}

/// A scenario that fixed moments are enough for.
pub(crate) const fn scripted(
    name: &'static str,
    expects: &'static str,
    steps: fn(&mut Stage<'_>) -> anyhow::Result<()>,
) -> Scenario {
    Scenario {
        name,
        expects,
        is_random: false,
        is_quick: false,
        steps,
    }
}

/// A scenario whose moments are random.
pub(crate) const fn random(
    name: &'static str,
    expects: &'static str,
    steps: fn(&mut Stage<'_>) -> anyhow::Result<()>,
) -> Scenario {
    Scenario {
        is_random: true,
        ..scripted(name, expects, steps)
    }
}

impl Scenario {
    /// The same as one that every test run includes.
    pub(crate) const fn quick(self) -> Self {
        Self {
            is_quick: true,
            ..self
        }
    }
}
