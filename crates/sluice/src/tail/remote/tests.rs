//! Lines of JSON from a running standalone.

use super::{Format, Lines, Style, row};

#[test]
fn lines_are_whole_however_they_come() {
    let mut lines = Lines::default();
    assert_eq!(lines.take(b"a\nb"), "a\n");
    assert_eq!(lines.take(b""), "");
    assert_eq!(lines.take(b"c\nd\n"), "bc\nd\n");
}

#[test]
fn a_line_of_json_becomes_a_row() {
    let style = Style {
        format: Format::Table,
        has_colours: false,
    };
    let line = r#"{"metric_name":"up","timestamp":1700000000000,"value":1,"labels":{"host":"a"},"offset":7,"partition":0,"received_at":1}"#;
    let mut text = String::new();
    row(&mut text, line, style);
    assert!(text.ends_with("1  up{host=\"a\"}\n"), "{text}");
}
