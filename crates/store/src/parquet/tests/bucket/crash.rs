//! The process dies at any step of a move, and each sample ends up in one place, once.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use object_store::memory::InMemory;

use super::fault::{Dies, Fault};
use super::{
    DAY_MS, MIDNIGHT, NOON, fill, objects_of_days, on_days, open, read_all, rows_in, table,
};
use crate::Item;

/// Days to move, days to take off the disk, and objects to merge.
fn moments() -> Vec<i64> {
    let mut moments = vec![MIDNIGHT - 5 * DAY_MS; 9];
    moments.extend([MIDNIGHT - 4 * DAY_MS, MIDNIGHT - 2 * DAY_MS]);
    moments
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// Answers whether the pass got to its end. `filled` is an archive with `items`.
async fn die_at(step: usize, dies: Dies, filled: &Path, items: &[Item]) -> bool {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    copy(filled, dir.path());
    let fault = Arc::new(Fault::after(&objects, step, dies));
    let dying = open(dir.path(), &fault);
    let result = dying.relocate(NOON).await;
    drop(dying);
    let survived = !fault.is_dead();
    assert_eq!(
        result.is_ok(),
        survived,
        "step {step}, {dies:?}: {result:?}"
    );
    let old = on_days(items, 0, MIDNIGHT - DAY_MS);
    // A reader of the table sees each sample once at most, and what is not in it is on the disk.
    let mut seen = if table(&*objects).await.is_empty() {
        Vec::new()
    } else {
        rows_in(&*objects).await
    };
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count, "step {step}, {dies:?}");
    let on_disk = read_all(dir.path());
    let is_lost = |row| !seen.contains(row) && !on_disk.contains(row);
    assert!(!old.iter().any(is_lost), "step {step}, {dies:?}");

    let next = open(dir.path(), &objects);
    next.relocate(NOON).await.unwrap();
    assert_eq!(rows_in(&*objects).await, old, "step {step}, {dies:?}");
    let stays = on_days(items, MIDNIGHT - 3 * DAY_MS, i64::MAX);
    assert_eq!(read_all(dir.path()), stays, "step {step}, {dies:?}");
    // What nobody needs does not stay for ever.
    let much_later = NOON + 50 * 365 * DAY_MS;
    next.relocate(much_later).await.unwrap();
    next.relocate(much_later + 2 * DAY_MS).await.unwrap();
    assert_eq!(
        objects_of_days(&*objects).await,
        table(&*objects).await.len(),
        "step {step}, {dies:?}"
    );
    survived
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_last_step_was_each_sample_is_in_the_table_once_and_none_is_lost() {
    let filled = tempfile::tempdir().unwrap();
    let archive = open(filled.path(), &Arc::new(InMemory::new()));
    let items = fill(&archive, 0, &moments()).await;
    drop(archive);
    for dies in [Dies::Before, Dies::After] {
        let mut step = 1;
        while !die_at(step, dies, filled.path(), &items).await {
            step += 1;
            assert!(step < 1000, "it never ends");
        }
        assert!(step > 20, "{step} steps are too few to be the whole way");
    }
}
