//! Learns what happens to the groups, whichever gateway did it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use buffer::{Change, DrainError};
use prost::Message as _;

use super::Groups;
use super::group::Group;
use super::table::AnyFollow;

const PAUSE: Duration = Duration::from_secs(1);

/// Follows the table for as long as it can be followed.
pub(crate) async fn run(groups: Arc<Groups>, mut follow: Box<dyn AnyFollow>) {
    let mut is_told = false;
    loop {
        match follow.next().await {
            Ok(change) => {
                is_told = false;
                apply(&groups, change);
            }
            // The buffer ends before the tasks do.
            Err(DrainError::Fatal(_)) if groups.pipeline.is_draining.load(Ordering::Acquire) => {
                return;
            }
            Err(error @ DrainError::Fatal(_)) => {
                // Without it an end could not be marked, so pushes get 503 from now on.
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the pushed groups cannot be followed any more"
                );
                groups.is_known.send_replace(false);
                return;
            }
            Err(error) => {
                if !is_told {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the pushed groups cannot be followed now"
                    );
                    is_told = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn apply(groups: &Groups, change: Change) {
    match change {
        Change::Put { key, value } => match Group::decode(value) {
            Ok(group) => groups.state().told(&key, Some(group)),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "a pushed group in the shared table cannot be read, and is passed over"
            ),
        },
        Change::Deleted { key } => groups.state().told(&key, None),
        Change::CaughtUp => {
            let count = groups.state().len();
            tracing::info!(groups = count, "the pushed groups are known");
            groups.is_known.send_replace(true);
        }
    }
}
