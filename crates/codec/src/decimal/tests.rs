//! Plain numbers are those of the standard library; the others are left to the parsers.

use proptest::prelude::*;

use super::{digits, integer, number};

#[track_caller]
fn check_number(text: &str, expected: Option<(f64, &str)>) {
    let found = number(text.as_bytes()).map(|(number, rest)| (number.to_bits(), rest));
    let expected = expected.map(|(number, rest)| (number.to_bits(), rest.as_bytes()));
    assert_eq!(found, expected, "{text}");
}

#[test]
fn plain_numbers_are_read_up_to_what_is_behind_them() {
    check_number("42.5, ", Some((42.5, ", ")));
    check_number("0}", Some((0.0, "}")));
    check_number("-0", Some((-0.0, "")));
    check_number("-1234567890123.25 ", Some((-1_234_567_890_123.25, " ")));
    check_number("0.1", Some((0.1, "")));
    check_number(
        "12345678901234567890",
        Some((12_345_678_901_234_567_890.0, "")),
    );
    check_number("9007199254740993", Some((9_007_199_254_740_992.0, "")));
    check_number("0.00000000000000000000000001", Some((1e-26, "")));
}

#[test]
fn what_is_not_plain_is_left_to_the_parsers() {
    let huge = "9".repeat(400);
    for text in [
        "", "-", "01", "-01", "1.", ".5", "+1", "1e3", "1.5E3", "NaN", "x", &huge,
    ] {
        check_number(text, None);
    }
    for text in ["", "-1", "01", "1234567890123456", "x"] {
        assert_eq!(integer(text.as_bytes()), None, "{text}");
    }
    assert_eq!(
        integer(b"1700000000000,"),
        Some((1_700_000_000_000, &b","[..]))
    );
    assert_eq!(integer(b"0"), Some((0, &b""[..])));
}

proptest! {
    #[test]
    fn a_number_is_the_one_that_the_standard_library_reads(
        text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,25})?"
    ) {
        let expected: f64 = text.parse().unwrap();
        let (found, rest) = number(text.as_bytes()).unwrap();
        prop_assert_eq!(found.to_bits(), expected.to_bits());
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn digits_end_where_the_first_other_character_is(
        bytes in any::<[u8; 8]>(),
        written in "[0-9]{0,8}",
        behind in "[^0-9]{8}[0-9]{8}",
    ) {
        let leading = |bytes: [u8; 8]| super::leading_digits(u64::from_le_bytes(bytes));
        let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        prop_assert_eq!(leading(bytes), count);
        let text = format!("{written}{behind}");
        let expected = written.parse().unwrap_or(0);
        prop_assert_eq!(digits(text.as_bytes(), 0), (expected, written.len(), behind.as_bytes()));
        prop_assert_eq!(digits(written.as_bytes(), 0), (expected, written.len(), &b""[..]));
    }
}
