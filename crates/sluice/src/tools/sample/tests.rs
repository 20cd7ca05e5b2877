//! Samples for people and for programs.

use bytes::Bytes;

use super::{Format, Origin, Style};
use crate::tools::filter::Filter;

const ORIGIN: Origin<'_> = Origin {
    partition: 3,
    offset: 17,
    received_at_ms: 1_700_000_000_500,
    tenant: Some("team-a"),
    sender: None,
};

fn written(format: Format, has_colours: bool, sample: &'static str) -> String {
    let block = codec::record::decode(None, &Bytes::from_static(sample.as_bytes())).unwrap();
    let style = Style {
        format,
        has_colours,
    };
    let mut text = String::new();
    style.record(&mut text, ORIGIN, &block, &Filter::default(), u64::MAX);
    text
}

const SAMPLE: &str = r#"{"metric_name":"cpu","timestamp":1700000000000,"value":42.5,"labels":{"host":"a\"b","x":"1"}}"#;

#[test]
fn a_row_has_time_value_and_series() {
    assert_eq!(
        written(Format::Table, false, SAMPLE),
        "2023-11-14T22:13:20.000Z             42.5  cpu{host=\"a\\\"b\",x=\"1\"}  tenant team-a\n"
    );
    let bare = r#"{"metric_name":"up","timestamp":1700000000000,"value":1,"labels":{}}"#;
    assert_eq!(
        written(Format::Table, false, bare),
        "2023-11-14T22:13:20.000Z                1  up  tenant team-a\n"
    );
}

#[test]
fn colours_are_for_terminals_alone() {
    assert!(written(Format::Table, true, SAMPLE).contains("\x1b[1mcpu\x1b[0m"));
    assert!(!written(Format::Table, false, SAMPLE).contains('\x1b'));
    assert!(!written(Format::Json, true, SAMPLE).contains('\x1b'));
}

#[test]
fn a_line_of_json_is_the_sample_and_where_it_is() {
    let line = written(Format::Json, false, SAMPLE);
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        value,
        serde_json::json!({
            "metric_name": "cpu", "timestamp": 1_700_000_000_000_i64, "value": 42.5,
            "labels": {"host": "a\"b", "x": "1"},
            "tenant": "team-a", "partition": 3, "offset": 17, "received_at": 1_700_000_000_500_i64,
        })
    );
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn what_a_sender_chose_moves_no_cursor() {
    let sample =
        r#"{"metric_name":"up","timestamp":1700000000000,"value":1,"labels":{"a":"\u001b[2J\n"}}"#;
    let row = written(Format::Table, false, sample);
    assert_eq!(row.lines().count(), 1);
    assert!(!row.contains('\x1b'), "{row:?}");
}

#[test]
fn a_record_that_nobody_can_read_is_a_line_too() {
    for format in [Format::Table, Format::Json] {
        let style = Style {
            format,
            has_colours: false,
        };
        let mut text = String::new();
        style.undecodable(&mut text, ORIGIN, "bad\nbytes");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("17"), "{text}");
    }
}
