//! How large a batch may become when every sample takes its labels along.

use crate::{Batch, WriteError};

/// What a batch may become at most. A batch is measured by what its records hold, where labels are there once: a
/// series of long labels and many samples would become a thousand times that.
const BATCH_BYTES: usize = 64 << 20;

/// The same for one sample, which nobody can halve: a native histogram becomes a line for each of its buckets.
const SAMPLE_BYTES: usize = 4 * BATCH_BYTES;

/// How many bytes a batch may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    limit_bytes: usize,
}

impl Bound {
    pub(crate) fn of(batch: &Batch) -> Self {
        let mut samples = 0;
        // Nobody needs to know how many more.
        let has_many = batch.items.iter().any(|item| {
            samples += item.len();
            samples > 1
        });
        Self {
            limit_bytes: if has_many { BATCH_BYTES } else { SAMPLE_BYTES },
        }
    }

    /// Whether so many are.
    pub(crate) fn takes(self, bytes: usize) -> bool {
        bytes <= self.limit_bytes
    }

    /// Asked after every sample, or even more often. `too_large` once there are more bytes: the consumer halves such a
    /// batch.
    pub(crate) fn check(self, bytes: usize) -> Result<(), WriteError> {
        if self.takes(bytes) {
            return Ok(());
        }
        Err(WriteError::Refused {
            reason: "too_large",
            message: format!(
                "the samples would be more than {} bytes in the store's format",
                self.limit_bytes
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Series, batch};

    #[track_caller]
    fn check_limit(samples: usize, limit_bytes: usize) {
        let points = vec![(0, 1.0); samples];
        let bound = Bound::of(&batch(0, vec![Series::new("x", &[], &points).at(0, 0)]));
        assert_eq!(bound.check(limit_bytes), Ok(()));
        let refused = bound.check(limit_bytes + 1);
        assert!(
            matches!(
                refused,
                Err(WriteError::Refused {
                    reason: "too_large",
                    ..
                })
            ),
            "{refused:?}"
        );
    }

    #[test]
    fn a_batch_is_halved_early_and_a_sample_given_up_late() {
        check_limit(2, 64 << 20);
        check_limit(1, 256 << 20);
    }
}
