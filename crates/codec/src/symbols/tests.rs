//! Equal texts get one number, and forgotten ones leave no trace.

use super::*;

#[test]
fn equal_texts_share_a_number() {
    let mut symbols = Symbols::default();
    let numbers = ["", "a", "b", "a", ""].map(|text| symbols.intern(text));
    assert_eq!(numbers, [0, 1, 2, 1, 0]);
    assert_eq!(symbols.text(2), b"b");
    assert_eq!(symbols.encoded(), b"\x22\x00\x22\x01a\x22\x01b");
}

#[test]
fn a_truncated_table_is_as_if_nothing_had_been_added() {
    let mut symbols = Symbols::default();
    symbols.intern("a");
    let long = "x".repeat(300);
    for text in ["b", &long, "a", "c"] {
        symbols.intern(text);
    }
    symbols.truncate(1);
    assert_eq!(symbols.encoded(), b"\x22\x01a");
    assert_eq!(symbols.len(), 1);
    assert_eq!(symbols.intern("c"), 1);
    assert_eq!(symbols.intern("b"), 2);
    assert_eq!(symbols.intern(&long), 3);
    assert_eq!(symbols.text(3), long.as_bytes());
}

#[test]
fn a_thousand_texts_keep_their_numbers_as_the_table_grows() {
    let mut symbols = Symbols::default();
    for round in 0..2 {
        for number in 0..1000 {
            assert_eq!(symbols.intern(&format!("text {number}")), number, "{round}");
        }
    }
}

#[test]
fn a_wrong_guess_changes_nothing() {
    let mut symbols = Symbols::default();
    for guess in [None, Some(0), Some(7)] {
        assert_eq!(symbols.intern_like("", guess), 0, "{guess:?}");
        assert_eq!(symbols.intern_like("a", guess), 1, "{guess:?}");
        assert_eq!(symbols.intern_like("b", guess), 2, "{guess:?}");
    }
    assert_eq!(symbols.len(), 3);
}
