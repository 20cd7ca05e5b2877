//! No path allocates more per sample than was accepted.

use guard::baseline::{ACCEPT, Baseline};
use guard::count;
use guard::paths::PATHS;

/// One test for all of them: the allocator counts for the whole process.
#[test]
fn a_sample_costs_as_many_allocations_as_were_accepted() {
    count::pin().expect("one processor");
    let accepted = Baseline::load().expect("a baseline");
    let differences: Vec<String> = PATHS
        .into_iter()
        .filter_map(|path| accepted.allocations_differ(path.name, count::allocations(path)))
        .collect();
    assert!(
        differences.is_empty(),
        "\n  {}\nIf it is meant to be so, accept it with `{ACCEPT}` and say why in the commit.",
        differences.join("\n  ")
    );
}
