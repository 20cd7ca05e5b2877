//! What a dry run says.

use std::sync::Arc;

use buffer::{Consumed, Memo};
use bytes::Bytes;

use super::super::drain::Wanted;
use super::{Count, Plan, Span};
use crate::tools::filter::{Chosen, Filter};

fn record(name: &str, offset: i64, tenant: Option<&str>) -> Consumed {
    let at_ms = 1_700_000_000_000 + offset * 1000;
    let value =
        format!(r#"{{"metric_name":"{name}","timestamp":{at_ms},"value":1,"labels":{{}}}}"#);
    Consumed {
        partition: 0,
        offset,
        received_at_ms: at_ms + 500,
        key: None,
        value: Bytes::from(value),
        content_type: Some(Bytes::from_static(b"application/json")),
        tenant: tenant.map(Arc::from),
        source: None,
        spread: buffer::Spread::default(),
        memo: Memo::default(),
    }
}

fn wanted(chosen: &Chosen) -> Wanted {
    Wanted {
        received_ms: (i64::MIN, 1_700_000_004_000),
        filter: Filter::new(chosen).unwrap(),
    }
}

#[test]
fn what_is_wanted_is_counted_by_name() {
    let wanted = wanted(&Chosen::default());
    let mut count = Count::default();
    for (offset, name) in [(0, "cpu"), (1, "cpu"), (2, "mem"), (9, "late")] {
        count.add(&record(name, offset, None), &wanted);
    }
    let mut broken = record("cpu", 3, None);
    broken.value = Bytes::from_static(b"{");
    count.add(&broken, &wanted);
    let span = Span {
        partition: 0,
        from: 0,
        to: 10,
    };
    let plan = Plan {
        spans: vec![span],
        missing: Vec::new(),
    };
    insta::assert_snapshot!(count.text(&plan, Some(2)), @r"
    offsets      10 in 1 partitions
    records      3 of 207 bytes
    samples      3
    names        2
    received     2023-11-14T22:13:20.500Z to 2023-11-14T22:13:22.500Z
    sampled      2023-11-14T22:13:20.000Z to 2023-11-14T22:13:22.000Z
    undecodable  1 records
    takes        1s at 2 samples/s

         samples  name
               2  cpu
               1  mem
    ");
}

#[test]
fn other_tenants_and_names_are_not_counted() {
    let chosen = Chosen {
        names: vec!["cpu".to_owned()],
        tenants: vec!["a".to_owned()],
        ..Chosen::default()
    };
    let wanted = wanted(&chosen);
    let mut count = Count::default();
    count.add(&record("cpu", 0, Some("a")), &wanted);
    count.add(&record("cpu", 1, None), &wanted);
    count.add(&record("mem", 2, Some("a")), &wanted);
    assert_eq!((count.records, count.samples), (1, 1));
}
