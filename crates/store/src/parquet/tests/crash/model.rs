//! Any history of batches, lost commits, kills and merges, against what the archive must hold then.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{expected, names, open, read_all, records, write};
use super::{ALL, die};
use crate::Write as _;

/// The day after the records' days, when both of them can be merged.
const LATER: i64 = super::super::MIDNIGHT + 86_400_000 + 3_600_000;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A batch of so many records is written; its commit arrives, or is lost with a crash.
    Batch { records: i64, commits: bool },
    /// The process is killed in the middle of a batch, and the next one reads from the last commit.
    Dies { records: i64, killed: usize },
    /// The process is restarted between two batches.
    Restarts,
    /// Another owner's upkeep.
    Merges,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1..5_i64, any::<bool>())
            .prop_map(|(records, commits)| Step::Batch { records, commits }),
        4 => (1..5_i64, 0..ALL.len()).prop_map(|(records, killed)| Step::Dies { records, killed }),
        1 => Just(Step::Restarts),
        1 => Just(Step::Merges),
    ]
}

async fn check(steps: &[Step]) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("archive");
    let mut archive = open(&dir);
    archive.resume(3, 0).await.unwrap();
    let (mut committed, mut resumed_at, mut next) = (0, 0, 0);
    let mut uncommitted = 0;
    for (pass, step) in (0..).zip(steps) {
        match step {
            Step::Batch { records, commits } => {
                write(&archive, next..next + records).await.unwrap();
                next += records;
                uncommitted += 1;
                // The consumer stops writing when some commits are outstanding.
                if *commits || uncommitted > 4 {
                    committed = next;
                    uncommitted = 0;
                }
                continue;
            }
            Step::Merges => {
                archive.merge(LATER + pass).unwrap();
                continue;
            }
            Step::Dies { records, killed } => {
                die(&dir, resumed_at, next..next + records, ALL[*killed]);
            }
            Step::Restarts => {}
        }
        archive = open(&dir);
        archive.resume(3, committed).await.unwrap();
        (resumed_at, next, uncommitted) = (committed, committed, 0);
    }
    // Whatever comes again has come again when a batch reaches past all that ever was.
    write(&archive, next..next + 50).await.unwrap();
    let (found, all) = (read_all(&dir), expected(&records(0..next + 50)));
    assert_eq!(found, all, "{steps:?}: {:?}", names(&dir));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn each_sample_is_there_once_whatever_happened(steps in vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(check(&steps));
    }
}
