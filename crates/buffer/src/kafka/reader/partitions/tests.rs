//! Which record a commit names, for the next owner to know the log by, and whose log is looked at next.

use super::{Mark, Partition, Partitions};

const fn mark(offset: i64) -> Mark {
    Mark {
        offset,
        at_ms: 1000 + offset,
    }
}

fn with_witness(offset: i64) -> Partitions {
    let partitions = Partitions::default();
    let partition = Partition {
        witness: Some(mark(offset)),
        ..Partition::default()
    };
    partitions.insert(0, partition);
    partitions
}

#[test]
fn a_commit_names_a_record_before_it() {
    let partitions = with_witness(10);
    assert_eq!(partitions.voucher(0, 10), None);
    assert_eq!(partitions.voucher(0, 11), Some(mark(10)));
    assert_eq!(partitions.voucher(1, 11), None);
}

#[test]
fn commits_that_stay_behind_what_is_read_name_a_record_all_the_same() {
    let partitions = with_witness(10);
    assert_eq!(partitions.voucher(0, 5), None);
    let read_on = |offset| partitions.update(0, |known| known.witness = Some(mark(offset)));
    read_on(20);
    assert_eq!(partitions.voucher(0, 15), Some(mark(10)));
    assert_eq!(partitions.voucher(0, 16), Some(mark(10)));
    read_on(30);
    assert_eq!(partitions.voucher(0, 25), Some(mark(20)));
    assert_eq!(partitions.voucher(0, 26), Some(mark(20)));
}

#[test]
fn what_a_commit_tells_comes_back_as_it_was() {
    let metadata = mark(10).to_metadata();
    assert_eq!(Mark::from_metadata(&metadata), Some(mark(10)));
    for other in ["", "sluice/1", "sluice/1 7", "sluice/1 7 x", "NO_METADATA"] {
        assert_eq!(Mark::from_metadata(other), None, "{other}");
    }
}

#[test]
fn doubted_logs_take_turns() {
    let turn = |doubtful: &[i32], last: Option<i32>| {
        let partitions = Partitions::default();
        for number in doubtful {
            partitions.insert(*number, Partition::default());
            partitions.doubt(*number);
        }
        let taken = partitions.take_doubtful(last);
        // Each once, and no other is forgotten.
        let mut all: Vec<i32> = taken.into_iter().collect();
        all.extend(std::iter::from_fn(|| partitions.take_doubtful(None)));
        all.sort_unstable();
        assert_eq!(all, doubtful);
        taken
    };
    assert_eq!(turn(&[], None), None);
    assert_eq!(turn(&[0, 3, 7], None), Some(0));
    assert_eq!(turn(&[0, 3, 7], Some(0)), Some(3));
    assert_eq!(turn(&[0, 3, 7], Some(5)), Some(7));
    assert_eq!(turn(&[0, 3, 7], Some(7)), Some(0));
    assert_eq!(turn(&[3], Some(3)), Some(3));
}
