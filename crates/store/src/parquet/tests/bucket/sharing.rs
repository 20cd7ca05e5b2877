//! Several archives, one table; and servers on which that would not be safe.

use std::sync::Arc;

use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use object_store::path::Path as Object;

use super::{
    DAY_MS, Fault, MIDNIGHT, NOON, fill, on_days, open, open_as, rows_in, settings, table,
};

#[tokio::test(flavor = "multi_thread")]
async fn archives_that_share_a_table_keep_out_of_each_others_way() {
    let objects = Arc::new(InMemory::new());
    let mut all = Vec::new();
    let mut passes = tokio::task::JoinSet::new();
    let mut kept = Vec::new();
    for number in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(dir.path(), &objects);
        all.extend(fill(&archive, number * 1000, &[MIDNIGHT - 2 * DAY_MS; 9]).await);
        kept.push(dir);
        passes.spawn(async move {
            for again in 0..3 {
                archive.relocate(NOON + again).await.unwrap();
            }
            // All of them want to merge, because the day is over for long.
            archive.relocate(NOON + 9 * DAY_MS).await.unwrap();
        });
    }
    while let Some(done) = passes.join_next().await {
        done.unwrap();
    }
    let old = on_days(&all, 0, MIDNIGHT - DAY_MS);
    assert_eq!(old.len(), 36);
    let rows = rows_in(&*objects).await;
    let found = rows.iter().filter(|row| row.at_ms < MIDNIGHT - DAY_MS);
    assert_eq!(found.cloned().collect::<Vec<_>>(), old);
}

#[tokio::test]
async fn a_server_that_ignores_conditions_is_refused_unless_the_archive_is_alone() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let careless = Arc::new(Fault::without_conditions(&objects));
    let archive = open(dir.path(), &careless);
    let items = fill(&archive, 0, &[MIDNIGHT - 2 * DAY_MS]).await;
    let error = archive.relocate(NOON).await.unwrap_err().to_string();
    assert!(error.contains("ignores If-None-Match"), "{error}");
    drop(archive);
    let mut config = settings();
    config.object_store.as_mut().unwrap().exclusive = true;
    let archive = open_as(dir.path(), &careless, config);
    archive.relocate(NOON).await.unwrap();
    assert_eq!(
        rows_in(&*objects).await,
        on_days(&items, 0, MIDNIGHT - DAY_MS)
    );
}

#[tokio::test]
async fn another_table_at_the_same_place_is_left_alone() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let other = "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{}\",\
                 \"partitionColumns\":[],\"configuration\":{}}}\n";
    let path = Object::from("_delta_log/00000000000000000000.json");
    objects.put(&path, other.into()).await.unwrap();
    let archive = open(dir.path(), &objects);
    fill(&archive, 0, &[MIDNIGHT - 2 * DAY_MS]).await;
    let error = archive.relocate(NOON).await.unwrap_err().to_string();
    assert!(error.contains("other columns"), "{error}");
    assert_eq!(table(&*objects).await.len(), 0);
}

#[tokio::test]
async fn a_log_with_a_gap_is_not_written_to() {
    let (dir, objects) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let archive = open(dir.path(), &objects);
    fill(&archive, 0, &[MIDNIGHT - 2 * DAY_MS]).await;
    archive.relocate(NOON).await.unwrap();
    drop(archive);
    objects
        .delete(&Object::from("_delta_log/00000000000000000000.json"))
        .await
        .unwrap();
    let error = open(dir.path(), &objects)
        .relocate(NOON)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("00000000000000000000.json is missing"),
        "{error}"
    );
}
