//! What is said of costs that have changed.

use super::{Baseline, Cost};

fn costs(instructions: f64, allocations: f64) -> Baseline {
    let cost = Cost {
        instructions,
        allocations,
    };
    Baseline([("json-1000".to_owned(), cost)].into())
}

#[track_caller]
fn check(accepted: &Baseline, measured: &Baseline, expected: &[&str]) {
    assert_eq!(accepted.differences(measured), expected);
}

#[test]
fn what_is_within_the_tolerance_is_as_it_was() {
    check(&costs(1000.0, 0.1), &costs(1029.0, 0.104), &[]);
    check(&costs(1000.0, 0.1), &costs(971.0, 0.096), &[]);
}

#[test]
fn more_instructions_are_told_with_both_numbers() {
    check(
        &costs(1000.0, 0.1),
        &costs(1100.0, 0.1),
        &["json-1000: 1100 instructions per sample, accepted were 1000 (+10.0 %)"],
    );
}

#[test]
fn fewer_instructions_are_told_so_that_they_are_accepted_and_stay() {
    check(
        &costs(1000.0, 0.1),
        &costs(900.0, 0.1),
        &["json-1000: 900 instructions per sample, accepted were 1000 (-10.0 %)"],
    );
}

#[test]
fn an_allocation_more_for_every_sample_is_told() {
    check(
        &costs(1000.0, 0.0125),
        &costs(1000.0, 1.0125),
        &["json-1000: 1.0125 allocations per sample, accepted were 0.0125"],
    );
}

#[test]
fn a_new_path_has_to_be_accepted_first() {
    check(
        &Baseline::default(),
        &costs(1000.0, 0.1),
        &["json-1000: was not measured before, now 0.1000 allocations per sample"],
    );
}
