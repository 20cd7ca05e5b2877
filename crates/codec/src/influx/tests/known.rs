//! With and without a catalogue, lines mean the same.

use foldhash::quality::RandomState;
use proptest::prelude::*;

use super::*;
use crate::catalogue::Catalogue;
use crate::catalogue::tests::check_same;

fn check(catalogue: &mut Catalogue, body: &[u8], options: &Options<'_>) -> usize {
    check_same(catalogue, decode(body, options), |catalogue| {
        decode_with(body, options, catalogue)
    })
}

fn empty() -> Catalogue {
    Catalogue::new(1 << 20, RandomState::default())
}

#[test]
fn lines_that_come_again_are_found_with_all_their_fields() {
    let mut catalogue = empty();
    let body = |value: u32, time: u64| {
        format!(
            "cpu,host=a,cpu=cpu0 usage_idle={value}.25,usage_user=0.5,count={value}i {time}\n\
             cpu,host=b,cpu=cpu0 usage_idle={value},usage_user=-{value} {time}\n\
             # not a line\n\
             mem,host=a value={value}i\n"
        )
    };
    let first = body(1, 1_600_000_000_000_000_000);
    assert_eq!(check(&mut catalogue, first.as_bytes(), &options()), 0);
    assert_eq!(catalogue.len(), 6);
    let later = body(7, 1_600_000_010_000_000_000);
    assert_eq!(check(&mut catalogue, later.as_bytes(), &options()), 6);
    let decoded = decode_with(later.as_bytes(), &options(), &catalogue).unwrap();
    assert_eq!(decoded.objects, 4 - 1);
    assert!(decoded.unknown.is_empty());
    // Another order of lines and of fields.
    let mixed = "mem,host=a value=1\ncpu,host=a,cpu=cpu0 usage_user=1,usage_idle=2";
    assert_eq!(check(&mut catalogue, mixed.as_bytes(), &options()), 3);
}

#[test]
fn the_label_of_a_request_makes_another_series() {
    let mut catalogue = empty();
    let body = b"m,host=a value=1";
    let with = |value| Options {
        label: Some(("db", value)),
        ..options()
    };
    assert_eq!(check(&mut catalogue, body, &options()), 0);
    assert_eq!(check(&mut catalogue, body, &with("one")), 0);
    assert_eq!(check(&mut catalogue, body, &with("two")), 0);
    assert_eq!(check(&mut catalogue, body, &with("")), 0);
    for options in [options(), with("one"), with("two")] {
        assert_eq!(check(&mut catalogue, body, &options), 1);
    }
    assert_eq!(catalogue.len(), 3);
}

#[test]
fn what_is_no_plain_line_is_for_the_parser() {
    let mut catalogue = empty();
    check(&mut catalogue, b"m,t=x a=1,b=2", &options());
    for odd in [
        "m,t=x  a=1",
        "m,t=x a=1 \n",
        "m,t=x a=1\r\n",
        "m,t=x a=1,a=2",
        "m,t=x a=1,b=true",
        "m,t=x a=1,b=\"text\"",
        "m,t=x a=1,b=2 1600000000",
        "m,t=x a=1,b=2 9999999999999999999",
        "m,t=x a=1,b=2 1600000000000000000 3",
        "m,t=x a=1,b=2,",
        "m,t=x a=1.5i",
        "m,t=x a=-0u",
        "m,t=x a=1e3",
        "m,t=x a=01",
        "m,t=x a=",
        "m,t=x a",
        "m,t=x",
        "m,t=x a=1,\\b=2",
    ] {
        assert_eq!(
            check(&mut catalogue, odd.as_bytes(), &options()),
            0,
            "{odd:?}"
        );
    }
    assert_eq!(check(&mut catalogue, b"m,t=x a=-0i,b=-0", &options()), 2);
}

#[test]
fn a_tab_is_a_blank_before_the_first_name_and_a_part_of_others() {
    let mut catalogue = empty();
    for body in ["cpu \tw=1", "cpu a=1", "cpu a=1,\tw=2", "cpu w=1,\tw=2"] {
        check(&mut catalogue, body.as_bytes(), &options());
    }
}

#[test]
fn known_lines_count_against_the_limits() {
    let mut catalogue = empty();
    let limited = Options {
        max_samples: 3,
        ..options()
    };
    check(&mut catalogue, b"m a=1,b=2", &options());
    assert_eq!(check(&mut catalogue, b"m a=1,b=2\nm a=3", &limited), 3);
    for body in [
        "m a=1,b=2\nm a=3,b=4",
        "m a=1\nm a=1\nm a=1\nm a=1",
        "m a=1,b=1\nm a=1\nbad\nm a=1",
    ] {
        let result = decode_with(body.as_bytes(), &limited, &catalogue);
        assert_eq!(result.unwrap_err().code, Code::TooManySamples, "{body:?}");
        check(&mut catalogue, body.as_bytes(), &limited);
    }
}

/// Lines of few series, plain or not.
fn any_line() -> impl Strategy<Value = String> {
    let one_of = |texts: &'static [&'static str]| prop::sample::select(texts);
    let head = one_of(&[
        "m",
        "m,t=x",
        "m,t=y",
        "cpu,host=a,db=z",
        "m\\ n,t=x",
        "m,t=x,t=y",
        "#",
    ]);
    let value = one_of(&[
        "1",
        "1.5",
        "-2.25",
        "-0",
        "0i",
        "-0i",
        "42i",
        "7u",
        "1e3",
        "t",
        "\"a b\"",
        "\"\n\"",
        "007",
        "",
        ".5",
        "9223372036854775807i",
        "123456789012345678901234567890",
        "0.1234567890123456789",
        "1.5i",
    ]);
    let fields = prop::collection::vec((one_of(&["a", "b", "\ta", "value", "a\\=b"]), value), 0..4);
    let time = one_of(&[
        "",
        " ",
        " 1600000000000000000",
        " 5",
        " -1",
        " 1600000000000000000 ",
        " x",
        "  1600000000000000000",
    ]);
    let end = one_of(&["\n", "\r\n", "\n\n", "", "\n# a=1\n", "\r"]);
    (
        head,
        one_of(&[" ", "  ", " \t", "\t", ""]),
        fields,
        time,
        end,
    )
        .prop_map(|(head, blank, fields, time, end)| {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("{head}{blank}{}{time}{end}", fields.join(","))
        })
}

proptest! {
    #[test]
    fn lines_that_come_again_are_what_they_were(
        bodies in prop::collection::vec(prop::collection::vec(any_line(), 0..6), 1..6),
        label in prop::option::of(prop::sample::select(vec!["x", "y", ""])),
        is_strict in any::<bool>(),
        max_samples in 3..12_usize,
    ) {
        let options = Options {
            label: label.map(|value| ("db", value)),
            strings: if is_strict { Strings::Refuse } else { Strings::Skip },
            booleans: if is_strict { Booleans::Skip } else { Booleans::Number },
            max_samples,
            ..options()
        };
        let mut catalogue = empty();
        for lines in &bodies {
            check(&mut catalogue, lines.concat().as_bytes(), &options);
        }
    }

    #[test]
    fn a_known_body_that_is_damaged_is_what_it_was(
        lines in prop::collection::vec(any_line(), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut catalogue = empty();
        let mut body = lines.concat().into_bytes();
        prop_assume!(!body.is_empty());
        check(&mut catalogue, &body, &options());
        check(&mut catalogue, &body, &options());
        for (place, byte) in changes {
            *place.get_mut(&mut body) = byte;
        }
        check(&mut catalogue, &body, &options());
    }
}
