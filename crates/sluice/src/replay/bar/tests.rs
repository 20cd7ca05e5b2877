//! The line for people.

use std::time::{Duration, Instant};

use super::{Bar, Look, clock, short};

fn look(done: u64, samples: u64) -> Look {
    Look {
        done,
        total: 1000,
        samples,
    }
}

#[test]
fn the_line_says_how_far_how_fast_and_how_long_still() {
    let mut bar = Bar::default();
    let start = Instant::now();
    assert_eq!(
        bar.line(start, look(0, 0)),
        "[........................]   0 %  0 of 1.0k records, 0 samples, 0/s, ? left"
    );
    assert_eq!(
        bar.line(start + Duration::from_secs(5), look(250, 50_000)),
        "[######..................]  25 %  250 of 1.0k records, 50.0k samples, 10.0k/s, 15s left"
    );
    assert_eq!(
        bar.line(start + Duration::from_secs(20), look(1000, 200_000)),
        "[########################] 100 %  1.0k of 1.0k records, 200k samples, 10.0k/s"
    );
}

#[test]
fn nothing_to_do_is_everything_done() {
    let line = Bar::default().line(Instant::now(), Look::default());
    assert!(line.contains("100 %"), "{line}");
}

#[test]
fn numbers_and_times_are_short() {
    let numbers = [0.0, 999.0, 1234.0, 123_456.0, 72_000_000.0, 2.5e9].map(short);
    assert_eq!(numbers, ["0", "999", "1.2k", "123k", "72.0M", "2.5G"]);
    let times = [7, 185, 3725].map(|seconds| clock(Duration::from_secs(seconds)));
    assert_eq!(times, ["7s", "3m 05s", "1h 02m"]);
}
