//! kill -9 at random moments: a child of this test appends, puts and says what was acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::tables::{catch_up, put};
use super::*;
use crate::Commit;

/// Where the child's log is. It is this test binary, told to run one ignored test.
const CHILD_DIR: &str = "SLUICE_TEST_LOG_DIR";
const CHILD_TEST: &str = "local::tests::kill::appends_until_it_is_killed";

fn open(dir: &std::path::Path) -> Log {
    Log::open_tuned(
        dir,
        &Config::default(),
        RETENTION,
        Arc::new(ManualClock::new(NOW_MS)),
        Health::new().condition("log", "not opened"),
        small_tuning(),
    )
    .unwrap()
}

fn end_of(reader: &Reader) -> u64 {
    let end = reader.committer().state()[0].end_offset.unwrap();
    u64::try_from(end).unwrap()
}

/// The entry that is put after record `next`.
fn key_of(next: u64) -> String {
    format!("key {}", next % 5)
}

#[tokio::test]
#[ignore = "the child of the test below"]
async fn appends_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else {
        return;
    };
    let log = open(dir.as_ref());
    let reader = log.reader("main", Start::Cursor).await.unwrap();
    let (table, _) = log.table("groups").unwrap();
    let mut next = end_of(&reader);
    loop {
        let group = 1 + next % 13;
        publish(
            &log,
            next..next + group,
            usize::try_from(next % 3000).unwrap(),
        )
        .await;
        next += group;
        put(&table, &key_of(next), Some(&next.to_string())).await;
        put(&table, "deleted", Some(&next.to_string())).await;
        put(&table, "deleted", None).await;
        let committed = next - 1;
        let offset = i64::try_from(committed).unwrap();
        reader.committer().commit(vec![(0, offset)]).await.unwrap();
        // Said after it was acknowledged, so what is said must survive.
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {next} {committed}").unwrap();
        out.flush().unwrap();
    }
}

/// Runs the child until it has acknowledged something `groups` times, and kills it a little later.
fn run_and_kill(dir: &std::path::Path, groups: usize) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD_TEST, "--exact", "--ignored", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged = |line: &str| {
        let mut numbers = line.strip_prefix("acknowledged ")?.split(' ');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    let mut last = None;
    for _ in 0..groups {
        last = lines.by_ref().find_map(|line| acknowledged(&line.unwrap()));
    }
    // SIGKILL, while it appends.
    child.kill().unwrap();
    child.wait().unwrap();
    let rest = lines
        .map_while(Result::ok)
        .filter_map(|line| acknowledged(&line));
    rest.last()
        .or(last)
        .expect("the child acknowledged something")
}

#[tokio::test]
async fn every_acknowledged_record_and_entry_survives_kill_9_once_and_in_order() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("log");
    let mut acknowledged_before = 0;
    for round in 0..12_usize {
        let groups = 1 + (rand::random::<u64>() % 60) as usize;
        let (acknowledged, committed) = run_and_kill(&dir, groups);
        assert!(acknowledged > acknowledged_before);
        acknowledged_before = acknowledged;

        let log = open(&dir);
        let reader = log.reader("main", Start::Cursor).await.unwrap();
        let end = end_of(&reader);
        assert!(
            end >= acknowledged,
            "round {round}: {acknowledged} were acknowledged, {end} are there"
        );
        let cursor = reader.committer().state()[0].committed.unwrap();
        assert!(u64::try_from(cursor).unwrap() >= committed);

        let mut all = log.reader("all", Start::At(0)).await.unwrap();
        let read = read(&mut all, usize::try_from(end).unwrap()).await;
        for (number, record) in (0..).zip(&read) {
            assert_eq!(number_of(record), number);
            assert_eq!(record.value, value(number, record.value.len()));
        }

        let (_, mut follower) = log.table("groups").unwrap();
        let entries = catch_up(&mut follower).await;
        let put: u64 = entries[&key_of(acknowledged)].parse().unwrap();
        assert!(
            put >= acknowledged,
            "round {round}: {acknowledged} was put, {put} is there"
        );
        // The child may have been killed between two puts, and then puts again first of all.
        let deleted = entries.get("deleted").map(|put| put.parse().unwrap());
        assert!(
            deleted.is_none_or(|put: u64| put > acknowledged),
            "{deleted:?}"
        );
        log.close().await;
    }
}
