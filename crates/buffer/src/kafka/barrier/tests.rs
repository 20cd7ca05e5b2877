//! Written and read alike; what is not one is none.

use super::{Barrier, MOST_AHEAD_MS};

#[test]
fn a_barrier_is_read_as_it_was_written() {
    let barrier = Barrier {
        settled_at_ms: 1_700_000_000_123,
        partitions: vec![0, 7, 63],
    };
    let header = barrier.to_string();
    assert_eq!(header, "1700000000123 0,7,63");
    assert_eq!(Barrier::parse(header.as_bytes()), Some(barrier));
}

#[test]
fn what_is_no_barrier_is_none() {
    let many = format!("1 {}", vec!["1"; 2000].join(","));
    for header in ["", "1", "1 ", "x 1", "1 -1", "1 1,", "1 1;2", "-1 1", &many] {
        assert_eq!(Barrier::parse(header.as_bytes()), None, "{header}");
    }
    assert_eq!(Barrier::parse(&[0xff, 0xfe]), None);
}

fn barrier(settled_at_ms: i64, partitions: &[i32]) -> Barrier {
    Barrier {
        settled_at_ms,
        partitions: partitions.to_vec(),
    }
}

#[test]
fn a_record_does_not_wait_for_its_own_partition() {
    let at_ms = 1_700_000_000_000;
    assert_eq!(barrier(at_ms, &[3]).before(3, at_ms), None);
    assert_eq!(barrier(at_ms, &[3, 3]).before(3, at_ms), None);
    assert_eq!(
        barrier(at_ms, &[7, 3, 1, 7]).before(3, at_ms),
        Some(barrier(at_ms, &[1, 7]))
    );
}

#[test]
fn a_record_does_not_wait_for_a_time_long_after_its_own() {
    let at_ms = 1_700_000_000_000;
    let latest = barrier(at_ms + MOST_AHEAD_MS, &[1]);
    assert_eq!(latest.clone().before(3, at_ms), Some(latest.clone()));
    assert_eq!(latest.before(3, at_ms - 1), None);
    assert_eq!(barrier(i64::MAX, &[1]).before(3, at_ms), None);
    let old = barrier(0, &[1]);
    assert_eq!(old.clone().before(3, at_ms), Some(old));
}
