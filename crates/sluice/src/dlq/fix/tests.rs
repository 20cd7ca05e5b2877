//! Mending samples of dead letters before they are sent again.

use buffer::ContentType;
use bytes::Bytes;
use model::Limits;
use serde_json::{Value, json};

use super::super::letters::Letter;
use super::super::list::Sums;
use super::super::show;
use super::{Mend, Mended, Mending, of_letter, of_object};

const NOW_MS: i64 = 1_700_000_009_000;

fn letter(value: &str) -> Letter {
    Letter {
        id: "0:17".to_owned(),
        at_ms: 1_700_000_001_000,
        store: "main".to_owned(),
        reason: "out_of_order".to_owned(),
        message: "the store has newer ones".to_owned(),
        tenant: Some("a".into()),
        sender: None,
        from: ("metrics".to_owned(), 3, 42),
        key: Some(Bytes::from_static(b"cpu")),
        content_type: Some(Bytes::from_static(b"application/json")),
        value: Bytes::copy_from_slice(value.as_bytes()),
    }
}

const CPU: &str =
    r#"{"metric_name":"cpu","timestamp":1700000000000,"value":1.5,"labels":{"host":"a","id":"x"}}"#;

fn mended(value: &str, mending: &Mending) -> Result<Mended, String> {
    let mend = Mend::new(mending)?;
    of_letter(&letter(value), &mend, &Limits::default(), NOW_MS)
}

#[test]
fn a_letter_that_needs_no_mending_goes_as_it_was() {
    let mended = mended(CPU, &Mending::default()).unwrap();
    let [record] = mended.records.as_slice() else {
        panic!("{mended:?}");
    };
    assert_eq!(record.value, CPU.as_bytes());
    assert_eq!(record.key, "cpu");
    assert_eq!(record.content_type, ContentType::Json);
    assert_eq!(record.tenant.as_deref(), Some("a"));
    assert_eq!((record.received_at_ms, mended.samples), (NOW_MS, 1));
}

#[test]
fn labels_are_dropped_and_set_and_a_name_is_changed() {
    let mending = Mending {
        drop_labels: vec!["id".to_owned()],
        set_labels: vec!["zone=1".to_owned()],
        rename: Some("cpu_usage".to_owned()),
    };
    let mended = mended(CPU, &mending).unwrap();
    let record = &mended.records[0];
    assert_eq!(record.key, "cpu_usage");
    let value: Value = serde_json::from_slice(&record.value).unwrap();
    assert_eq!(value["labels"], json!({"host": "a", "zone": "1"}));
    assert_eq!(
        (&value["metric_name"], &value["value"]),
        (&json!("cpu_usage"), &json!(1.5))
    );
}

#[test]
fn what_a_gateway_would_refuse_is_refused() {
    let mending = Mending {
        rename: Some(String::new()),
        ..Mending::default()
    };
    let error = mended(CPU, &mending).unwrap_err();
    assert!(error.starts_with("sample 0:"), "{error}");
    let error = mended("{", &Mending::default()).unwrap_err();
    assert!(!error.is_empty());
    let wrong = Mending {
        set_labels: vec!["zone".to_owned()],
        ..Mending::default()
    };
    assert!(Mend::new(&wrong).unwrap_err().contains("NAME=VALUE"));
}

#[test]
fn what_is_shown_as_json_can_be_sent_again() {
    for sample in [
        CPU,
        r#"{"metric_name":"cpu","timestamp":1700000000000,"value":"NaN","labels":{}}"#,
    ] {
        let object = show::object(&letter(sample));
        let mended = of_object(&object, &Mend::default(), &Limits::default(), NOW_MS).unwrap();
        let record = &mended.records[0];
        let sent: Value = serde_json::from_slice(&record.value).unwrap();
        assert_eq!(sent, serde_json::from_str::<Value>(sample).unwrap());
        assert_eq!(record.tenant.as_deref(), Some("a"));
    }
    let error = of_object(&json!({}), &Mend::default(), &Limits::default(), NOW_MS).unwrap_err();
    assert!(error.contains("samples"), "{error}");
}

#[test]
fn a_letter_is_shown_with_where_it_is_from_and_why() {
    insta::assert_snapshot!(show::text(&letter(CPU)), @r#"
    letter   0:17 of 2023-11-14T22:13:21.000Z
    store    main
    reason   out_of_order
    message  the store has newer ones
    tenant   a
    from     metrics partition 3 offset 42
    2023-11-14T22:13:20.000Z              1.5  cpu{host="a",id="x"}
    "#);
    let text = show::text(&letter("nonsense"));
    assert!(
        text.contains("cannot be decoded") && text.contains("nonsense"),
        "{text}"
    );
}

#[test]
fn letters_are_counted_by_store_reason_and_name() {
    let mut sums = Sums::default();
    for value in [CPU, CPU, "nonsense"] {
        sums.add(&letter(value));
    }
    let text = sums.text();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert!(
        rows[1].trim_start().starts_with("2        2  main"),
        "{text}"
    );
    assert!(
        rows[1].ends_with("cpu") && rows[2].ends_with("(cannot be decoded)"),
        "{text}"
    );
    assert!(Sums::default().text().contains("no dead letters"));
}
