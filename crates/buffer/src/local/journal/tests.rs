//! Flips and cuts journals that the engine itself wrote.

use std::fs;
use std::path::{Path, PathBuf};

use fjall::{Database, KeyspaceCreateOptions, PersistMode};

use super::check;

const WRITES: u64 = 20;

/// A log of the engine with some writes, closed as by a kill: nothing but its journal has them.
fn written() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("log");
    let database = Database::builder(&dir).open().unwrap();
    let keyspace = database
        .keyspace("records", KeyspaceCreateOptions::default)
        .unwrap();
    for number in 0..WRITES {
        let mut batch = database.batch();
        batch.insert(&keyspace, number.to_be_bytes(), [7; 30]);
        batch.insert(&keyspace, (1000 + number).to_be_bytes(), [9; 5000]);
        batch.commit().unwrap();
    }
    database.persist(PersistMode::SyncAll).unwrap();
    (folder, dir)
}

fn journal(dir: &Path) -> PathBuf {
    let mut paths = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|ending| ending == "jnl"))
        .unwrap()
}

/// The journal without what is allocated ahead, and where its writes end.
fn read(dir: &Path) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = fs::read(journal(dir)).unwrap();
    let ends: Vec<usize> = (4..bytes.len() + 1)
        .filter(|end| &bytes[end - 4..*end] == super::TRAILER)
        .collect();
    bytes.truncate(*ends.last().unwrap());
    (bytes, ends)
}

#[test]
fn a_journal_is_good_as_it_was_written() {
    let (_folder, dir) = written();
    check(&dir).unwrap();
    let (bytes, ends) = read(&dir);
    assert!(ends.len() as u64 >= WRITES, "{}", ends.len());
    fs::write(journal(&dir), bytes).unwrap();
    check(&dir).unwrap();
}

#[test]
fn a_flipped_bit_is_said_here_or_by_the_engine_or_changes_nothing() {
    let (folder, dir) = written();
    let (good, ends) = read(&dir);
    let mut said = 0;
    // A whole write in the middle, without most of the bytes of its values.
    let heads =
        (ends[5]..ends[6]).filter(|at| ![7, 9].contains(&good[*at]) || at.is_multiple_of(16));
    for (number, at) in heads.enumerate() {
        let damaged = folder.path().join(number.to_string());
        copy(&dir, &damaged);
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(journal(&damaged), bad).unwrap();
        if let Err(failure) = check(&damaged) {
            assert!(failure.to_string().contains("truncate -s"), "{failure}");
            said += 1;
        } else if let Ok(database) = Database::builder(&damaged).open() {
            let keyspace = database
                .keyspace("records", KeyspaceCreateOptions::default)
                .unwrap();
            let pairs = keyspace.iter().map(|pair| pair.into_inner().unwrap());
            let values = pairs.filter(|(_, value)| value.iter().all(|byte| [7, 9].contains(byte)));
            let near = &good[at.saturating_sub(20)..at + 20];
            assert_eq!(
                values.count() as u64,
                2 * WRITES,
                "byte {at} of {:?}: {near:?}",
                &ends[4..7]
            );
        }
        fs::remove_dir_all(&damaged).unwrap();
    }
    assert!(said >= 10, "{said}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_changed_end_of_the_last_write_and_a_changed_number_are_said() {
    let (_folder, dir) = written();
    let (good, ends) = read(&dir);
    let path = journal(&dir);
    // The last byte of all, and the highest of the numbers of the last write and of one in the middle.
    for at in [
        good.len() - 1,
        ends[ends.len() - 2] + 12,
        ends[5] + 12,
        ends[5] + 5,
    ] {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        fs::write(&path, bad).unwrap();
        assert!(check(&dir).is_err(), "byte {at} of {}", good.len());
    }
}

#[test]
fn a_torn_tail_is_nobodys_fault() {
    let (_folder, dir) = written();
    let (good, ends) = read(&dir);
    let path = journal(&dir);
    let last = ends[ends.len() - 2]..ends[ends.len() - 1];
    for cut in last.step_by(7) {
        fs::write(&path, &good[..cut]).unwrap();
        check(&dir).unwrap();
    }
    // Allocated ahead, or a hole before a later write that was never confirmed.
    let mut hole = good.clone();
    let end = ends[10];
    hole[end..end + 200].fill(0);
    for bytes in [[good.as_slice(), &[0; 5000]].concat(), hole] {
        fs::write(&path, bytes).unwrap();
        check(&dir).unwrap();
    }
}
