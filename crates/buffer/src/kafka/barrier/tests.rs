//! Written and read alike; what is not one is none.

use super::Barrier;

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
    for header in ["", "1", "1 ", "x 1", "1 -1", "1 1,", "1 1;2", &many] {
        assert_eq!(Barrier::parse(header.as_bytes()), None, "{header}");
    }
    assert_eq!(Barrier::parse(&[0xff, 0xfe]), None);
}
