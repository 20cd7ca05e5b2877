//! Tests of the data directory's lock.

use super::*;

#[test]
fn a_second_lock_is_refused_and_names_the_directory_and_the_process() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    let held = DataDir::lock(&dir).unwrap();
    assert_eq!(held.dir(), dir);
    let refused = DataDir::lock(&dir).unwrap_err().to_string();
    assert_eq!(
        refused,
        format!(
            "the data directory {} is in use by another process (pid {}); stop it, or choose another data_dir",
            dir.display(),
            std::process::id()
        )
    );
}

#[test]
fn a_dropped_lock_lets_the_next_one_in_even_though_the_file_stays() {
    let root = tempfile::tempdir().unwrap();
    drop(DataDir::lock(root.path()).unwrap());
    assert!(root.path().join(FILE).exists());
    drop(DataDir::lock(root.path()).unwrap());
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file"), "").unwrap();
    let error = DataDir::lock(&root.path().join("file/data")).unwrap_err();
    assert!(
        matches!(&error, LockError::Unusable { .. }) && error.to_string().contains("file/data"),
        "{error}"
    );
}
