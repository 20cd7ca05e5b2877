//! What valgrind prints.

use super::refs;

#[test]
fn the_number_of_instructions_is_read() {
    let text = "==7== Cachegrind, a cache and branch-prediction profiler\n==7== \n==7== I   refs:      1,234,567\n";
    assert_eq!(refs(text), Some(1_234_567));
}

#[test]
fn another_text_has_no_number() {
    assert_eq!(refs("valgrind: no such tool\n"), None);
}
