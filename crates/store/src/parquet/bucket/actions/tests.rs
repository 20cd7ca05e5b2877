//! The log says what Delta's readers understand.

use super::{Add, Files, Line, beginning, text};

fn beginning_of_a_table() -> String {
    text(&beginning("id".to_owned(), 1)).unwrap()
}

fn line(add: Option<Add>, remove: Option<super::Remove>) -> String {
    let line = Line {
        add,
        remove,
        ..Line::default()
    };
    text(&[line]).unwrap()
}

#[test]
fn a_file_is_written_as_the_protocol_has_it() {
    let add = Add::new("date=2026-11-20/a.parquet", 10, 3, 7);
    assert_eq!(
        line(Some(add.clone()), None),
        "{\"add\":{\"path\":\"date=2026-11-20/a.parquet\",\"partitionValues\":{\"date\":\"2026-11-20\"},\"size\":10,\
         \"modificationTime\":7,\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":3}\"}}\n"
    );
    assert_eq!(
        line(None, Some(add.removed(9, false))),
        "{\"remove\":{\"path\":\"date=2026-11-20/a.parquet\",\"deletionTimestamp\":9,\"dataChange\":false,\
         \"extendedFileMetadata\":true,\"partitionValues\":{\"date\":\"2026-11-20\"},\"size\":10}}\n"
    );
}

#[test]
fn a_removed_file_is_known_and_not_live() {
    let mut files = Files::default();
    files.apply(&beginning_of_a_table()).unwrap();
    let add = Add::new("date=2026-11-20/a.parquet", 10, 3, 7);
    files.apply(&line(Some(add.clone()), None)).unwrap();
    assert!(files.live.contains_key(&add.path));
    files
        .apply(&line(None, Some(add.removed(9, true))))
        .unwrap();
    assert!(files.knows(&add.path) && !files.live.contains_key(&add.path));
    assert_eq!(files.gone.get(&add.path), Some(&9));
}

#[test]
fn lines_that_others_write_are_passed_over() {
    let mut files = Files::default();
    files.apply(&beginning_of_a_table()).unwrap();
    let others = "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n\n{\"commitInfo\":{\"operation\":\"VACUUM END\"}}\n";
    files.apply(others).unwrap();
}

#[test]
fn a_table_with_features_that_we_do_not_know_is_left_alone() {
    let mut files = Files::default();
    let newer = "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"deletionVectors\"]}}";
    let why = files.apply(newer).unwrap_err();
    assert!(why.contains("reader version 3"), "{why}");
}

#[test]
fn a_table_of_something_else_is_left_alone() {
    let other = beginning_of_a_table().replace("histogram", "picture");
    let why = Files::default().apply(&other).unwrap_err();
    assert!(why.contains("other columns"), "{why}");
}
