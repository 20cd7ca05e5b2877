//! One line in ten seconds, and none is forgotten.

use super::LogLimit;

#[test]
fn the_first_passes_and_the_next_ones_are_counted() {
    let limit = LogLimit::new();
    let passed = [0, 1, 9_999, 10_000, 10_001, 25_000, 25_001].map(|at_ms| limit.pass_at(at_ms));
    assert_eq!(passed, [Some(0), None, None, Some(2), None, Some(1), None]);
}

#[test]
fn of_many_threads_one_passes() {
    let limit = LogLimit::new();
    let passed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| limit.pass_at(5))).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .count()
    });
    assert_eq!(passed, 1);
    assert_eq!(limit.pass_at(10_005), Some(7));
}
