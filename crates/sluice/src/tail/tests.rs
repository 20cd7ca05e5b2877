//! Records become lines, as many as are wanted.

use buffer::{Consumed, Memo};
use bytes::Bytes;

use super::{Filter, Format, Printer, Style};

fn record(offset: i64, value: &'static str) -> Consumed {
    Consumed {
        partition: 0,
        offset,
        received_at_ms: 1000 * offset,
        key: None,
        value: Bytes::from_static(value.as_bytes()),
        content_type: None,
        tenant: None,
        source: None,
        spread: buffer::Spread::default(),
        memo: Memo::default(),
    }
}

const UP: &str = r#"{"metric_name":"up","timestamp":1700000000000,"value":1,"labels":{}}"#;

fn printer(from_ms: i64, left: u64) -> Printer {
    Printer {
        style: Style {
            format: Format::Json,
            has_colours: false,
        },
        filter: Filter::default(),
        from_ms,
        left,
    }
}

#[test]
fn no_more_is_shown_than_was_asked_for() {
    let mut printer = printer(i64::MIN, 2);
    let records = [record(1, UP), record(2, UP), record(3, UP)];
    assert_eq!(printer.text(&records).lines().count(), 2);
    assert_eq!(printer.left, 0);
}

#[test]
fn what_was_received_before_is_not_shown() {
    let mut printer = printer(2000, 9);
    let text = printer.text(&[record(1, UP), record(2, UP)]);
    assert!(
        text.contains("\"offset\":2") && text.lines().count() == 1,
        "{text}"
    );
}

#[test]
fn a_record_that_cannot_be_decoded_is_said_and_does_not_count() {
    let mut printer = printer(i64::MIN, 1);
    let text = printer.text(&[record(1, "x"), record(2, UP)]);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert_eq!(printer.left, 0);
}
