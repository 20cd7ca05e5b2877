//! All scenarios, in the order in which they are run.

mod kill;

use crate::scenario::Scenario;

/// Every one.
pub(crate) fn all() -> Vec<Scenario> {
    [kill::ALL].into_iter().flatten().copied().collect()
}
