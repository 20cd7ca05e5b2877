//! Whatever is encoded is decoded again, and nothing makes the decoder panic.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

type Line = (
    String,
    Vec<(String, String)>,
    Vec<(String, f64)>,
    Option<i64>,
);

/// A name as the encoder can write it: a backslash at its end, or before what is escaped, would be read with that.
fn any_name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_.,= \"é日#/-]{1,12}".prop_filter("no comment", |name| !name.starts_with('#'))
}

fn any_line() -> impl Strategy<Value = Line> {
    let number = any::<f64>().prop_filter("finite", |number| number.is_finite());
    let tags = prop::collection::btree_map(any_name(), any_name(), 0..4);
    let fields = prop::collection::btree_map(any_name(), number, 1..5);
    let timestamp = prop::option::of(1_000_000_000_000_000_000..1_700_000_000_000_000_000_i64);
    (any_name(), tags, fields, timestamp).prop_map(|(measurement, tags, fields, timestamp)| {
        let (tags, fields) = (tags.into_iter().collect(), fields.into_iter().collect());
        (measurement, tags, fields, timestamp)
    })
}

fn escaped(name: &str, escaped: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if escaped.contains(character) {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

fn encoded((measurement, tags, fields, timestamp): &Line) -> String {
    let mut line = escaped(measurement, ", ");
    for (name, value) in tags {
        write!(line, ",{}={}", escaped(name, ",= "), escaped(value, ",= ")).unwrap();
    }
    for (number, (name, value)) in fields.iter().enumerate() {
        let before = if number == 0 { ' ' } else { ',' };
        write!(line, "{before}{}={value:e}", escaped(name, ",= ")).unwrap();
    }
    if let Some(timestamp) = timestamp {
        write!(line, " {timestamp}").unwrap();
    }
    line
}

fn expected((measurement, tags, fields, timestamp): &Line) -> Vec<String> {
    let labels: Vec<String> = tags
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let labels = labels.join(",");
    let at = timestamp.map_or_else(String::new, |at| format!(" @{}", at.div_euclid(1_000_000)));
    let of_field = |(name, value): &(String, f64)| {
        let name = match name.as_str() {
            "value" => measurement.clone(),
            name => format!("{measurement}_{name}"),
        };
        format!("{name}{{{labels}}} {value}{at}")
    };
    fields.iter().map(of_field).collect()
}

fn any_options() -> impl Strategy<Value = Options<'static>> {
    let precision = prop::sample::select(vec![
        Precision::Nanosecond,
        Precision::Second,
        Precision::Hour,
        Precision::Auto,
    ]);
    (precision, any::<bool>()).prop_map(|(precision, is_strict)| Options {
        precision,
        strings: if is_strict {
            Strings::Refuse
        } else {
            Strings::Skip
        },
        booleans: if is_strict {
            Booleans::Skip
        } else {
            Booleans::Number
        },
        label: is_strict.then_some(("db", "x")),
        ..options()
    })
}

proptest! {
    #[test]
    fn lines_come_back_as_they_were(lines in prop::collection::vec(any_line(), 1..6), end in "(\r?\n)") {
        let body: String = lines.iter().map(|line| encoded(line) + &end).collect();
        let wanted: Vec<String> = lines.iter().flat_map(expected).collect();
        prop_assert_eq!(samples(&body), wanted);
    }

    #[test]
    fn bytes_do_not_panic(body in prop::collection::vec(any::<u8>(), 0..200), options in any_options()) {
        drop(decode(&body, &options));
    }

    #[test]
    fn what_looks_like_lines_does_not_panic(body in "[ma,=\" \\\\\n\r\t#1.eiut-]{0,60}", options in any_options()) {
        let decoded = decode(body.as_bytes(), &options).unwrap();
        prop_assert!(decoded.refused.len() <= decoded.objects as usize);
    }

    #[test]
    fn good_bodies_with_a_changed_byte_do_not_panic(
        lines in prop::collection::vec(any_line(), 1..4),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = lines.iter().map(encoded).collect::<Vec<_>>().join("\n").into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        drop(decode(&body, &options()));
        body.truncate(at);
        drop(decode(&body, &options()));
    }
}
