//! Where strings end, and which bodies are read without a parser.

use super::{plain_len, read};

#[test]
fn a_string_ends_at_its_quote_wherever_that_is() {
    for length in 0..40 {
        let text = format!("{}\" and more, and \"more\"", "ä".repeat(length));
        assert_eq!(plain_len(text.as_bytes()), Some(2 * length), "{text}");
        let text = format!("{}\"", "x".repeat(length));
        assert_eq!(plain_len(text.as_bytes()), Some(length), "{text}");
    }
}

#[test]
fn a_string_with_an_escape_or_a_control_character_is_not_plain() {
    for odd in ["\\\"", "\\n", "\n", "\0", "\x1f"] {
        for length in 0..20 {
            let text = format!("{}{odd} and more\"", "x".repeat(length));
            assert_eq!(plain_len(text.as_bytes()), None, "{text:?}");
        }
    }
    let text = "\u{7f}\u{80} \u{ff}\u{ffff}\"";
    assert_eq!(plain_len(text.as_bytes()), Some(text.len() - 1));
}

#[test]
fn a_string_without_an_end_is_not_plain() {
    assert_eq!(plain_len(b""), None);
    assert_eq!(plain_len(b"abc"), None);
    assert_eq!(plain_len(b"abcdefghijklmnop"), None);
}

#[test]
fn objects_that_are_written_alike_share_their_names() {
    let object = |name: &str, host: &str| {
        format!(
            r#"{{"metric_name": "{name}", "timestamp": 1, "value": 2, "labels": {{"host": "{host}", "zone": "z"}}}}"#
        )
    };
    let body = format!(
        r#"{{"metrics": [{}, {}, {}]}}"#,
        object("up", "a"),
        object("up", "b"),
        object("down", "b")
    );
    let decoded = read(&body, 3).expect("plain").expect("good");
    let [first, second, third] = decoded.batch.all_series() else {
        panic!("{decoded:?}");
    };
    assert!(std::ptr::eq::<str>(&*first.name, &*second.name));
    assert_eq!(third.name, "down");
    for series in [second, third] {
        let labels = decoded.batch.labels(first).iter();
        for (known, label) in labels.zip(decoded.batch.labels(series)) {
            assert!(std::ptr::eq::<str>(&*known.name, &*label.name));
        }
    }
}

#[test]
fn who_writes_no_plain_objects_is_left_to_the_parser_as_a_whole() {
    let object = |unit: &str| {
        format!(
            r#"{{"metric_name": "up", "timestamp": 1, "value": 2, "labels": {{}}, "unit": {unit}}}"#
        )
    };
    let body = |odd: usize| {
        let objects: Vec<String> = std::iter::once(object("\"s\""))
            .chain((0..odd).map(|_| object("null")))
            .chain([object("\"s\"")])
            .collect();
        format!("{{\"metrics\": [{}]}}", objects.join(","))
    };
    for odd in 0..10 {
        let body = body(odd);
        let parsed = super::super::decode(body.as_bytes(), 100).unwrap();
        assert_eq!(parsed.objects as usize, odd + 2);
        match read(&body, 100) {
            Some(plain) => assert_eq!(plain.unwrap().batch, parsed.batch, "{odd}"),
            None => assert!(odd >= usize::from(super::PATIENCE), "{odd}"),
        }
    }
    assert!(read(&body(9), 100).is_none());
}
