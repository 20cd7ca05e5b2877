use super::{Scanned, object};

fn numbers(text: &str) -> Option<(&str, &str)> {
    let Scanned { end, numbers } = object(text.as_bytes(), 0).unwrap();
    assert_eq!(end, text.len(), "{text}");
    numbers.and_then(|(time, value)| text.get(time).zip(text.get(value)))
}

#[test]
fn the_numbers_of_time_and_value_are_found_wherever_they_are() {
    let found = Some(("17", "-4.5e1"));
    for text in [
        r#"{"timestamp":17,"value":-4.5e1}"#,
        r#"{ "value" : -4.5e1 , "x": [1, {"value": 2}], "timestamp" : 17 }"#,
        r#"{"labels": {"timestamp": "}", "a\"": "\\"}, "timestamp": 17, "value": -4.5e1}"#,
    ] {
        assert_eq!(numbers(text), found, "{text}");
    }
}

#[test]
fn what_is_missing_doubled_or_no_number_is_not_found() {
    for text in [
        "{}",
        r#"{"timestamp": 1}"#,
        r#"{"timestamp": 1, "value": {"buckets": {}}}"#,
        r#"{"timestamp": 1, "value": 2, "value": 3}"#,
        r#"{"timestamp": 1, "value": 2, "value": null}"#,
        r#"{"timestamp": "1", "value": 2}"#,
    ] {
        assert_eq!(numbers(text), None, "{text}");
    }
}

#[test]
fn what_is_no_object_or_never_ends_is_none() {
    let deep = format!("{{\"a\": {}", "[".repeat(100));
    for text in [
        "",
        "[",
        "{",
        "{\"a",
        "{\"a\":",
        "{\"a\": 1",
        "{\"a\" 1}",
        "{a: 1}",
        "{\"\\",
        "{1}",
        &deep,
    ] {
        assert_eq!(object(text.as_bytes(), 0), None, "{text}");
    }
}
