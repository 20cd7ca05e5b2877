//! Checks the comparing and rewriting of generated blocks on plain text.

use super::{compared, replaced};

const DOCUMENT: &str =
    "# T\n\n<!-- generated:a -->\n\none\ntwo\nthree\n\n<!-- /generated:a -->\n\nend\n";

#[test]
fn an_equal_block_passes_whatever_blank_lines_surround_it() {
    assert_eq!(compared(DOCUMENT, "a", "\none\ntwo\nthree\n"), Ok(()));
}

#[test]
fn a_difference_shows_only_the_lines_that_differ() {
    let why = compared(DOCUMENT, "a", "one\n2\n2.5\nthree").unwrap_err();
    assert_eq!(
        why,
        "the block `generated:a` is out of date (- document, + code):\n- two\n+ 2\n+ 2.5\n"
    );
}

#[test]
fn a_missing_block_is_an_error_that_names_it() {
    assert_eq!(
        compared(DOCUMENT, "b", "x"),
        Err("the block `generated:b` is not there".to_owned())
    );
}

#[test]
fn rewriting_touches_only_the_block() {
    let updated = replaced(DOCUMENT, "a", "four");
    assert_eq!(
        updated,
        "# T\n\n<!-- generated:a -->\n\nfour\n\n<!-- /generated:a -->\n\nend\n"
    );
    assert_eq!(replaced(&updated, "a", "four"), updated);
}

#[test]
fn a_block_that_is_not_there_yet_is_added_at_the_end() {
    let updated = replaced(DOCUMENT, "b", "x");
    assert_eq!(compared(&updated, "a", "one\ntwo\nthree"), Ok(()));
    assert_eq!(compared(&updated, "b", "x"), Ok(()));
}
