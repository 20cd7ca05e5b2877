//! Which offsets a replay reads.

use buffer::Bounds;

use super::{Plan, Span, parse_span};

const BOUNDS: [Bounds; 2] = [
    Bounds {
        partition: 0,
        start: 100,
        end: 200,
    },
    Bounds {
        partition: 1,
        start: 0,
        end: 0,
    },
];

fn span(partition: i32, from: i64, to: i64) -> Span {
    Span {
        partition,
        from,
        to,
    }
}

#[test]
fn everything_is_read_from_the_start_to_where_it_ends_now() {
    let plan = Plan::between(&BOUNDS, |bounds| Some(bounds.start), |bounds| bounds.end);
    assert_eq!(plan.spans, [span(0, 100, 200)]);
    assert_eq!(plan.missing, []);
    assert_eq!(plan.records(), 100);
}

#[test]
fn a_partition_without_a_start_is_not_read() {
    let plan = Plan::between(&BOUNDS, |_| None, |bounds| bounds.end);
    assert_eq!(plan, Plan::default());
}

#[test]
fn what_has_expired_or_does_not_exist_yet_is_said() {
    let plan = Plan::of(&BOUNDS, &[span(0, 50, 250)]).unwrap();
    assert_eq!(plan.spans, [span(0, 100, 200)]);
    assert_eq!(plan.missing, [span(0, 50, 100), span(0, 200, 250)]);
    let plan = Plan::of(&BOUNDS, &[span(0, 50, 60)]).unwrap();
    assert_eq!(plan.spans, []);
    assert_eq!(plan.missing, [span(0, 50, 60)]);
}

#[test]
fn an_open_range_ends_where_its_partition_ends_now() {
    let plan = Plan::of(&BOUNDS, &[span(0, 150, i64::MAX)]).unwrap();
    assert_eq!(plan.spans, [span(0, 150, 200)]);
    assert_eq!(plan.missing, []);
}

#[test]
fn a_partition_that_is_not_there_or_named_twice_is_refused() {
    let error = Plan::of(&BOUNDS, &[span(7, 0, 1)]).unwrap_err();
    assert!(error.contains("no partition 7"), "{error}");
    let error = Plan::of(&BOUNDS, &[span(0, 100, 110), span(0, 150, 160)]).unwrap_err();
    assert!(error.contains("twice"), "{error}");
}

#[test]
fn offsets_are_written_as_the_consumers_log_has_them() {
    assert_eq!(parse_span("3:1000..2000"), Ok(span(3, 1000, 2000)));
    assert_eq!(parse_span("3:1000.."), Ok(span(3, 1000, i64::MAX)));
    for wrong in [
        "3",
        "3:1000",
        "3:1000-2000",
        "3:2000..1000",
        "-1:0..1",
        "x:0..1",
        "0:-5..1",
    ] {
        let error = parse_span(wrong).unwrap_err();
        assert!(error.contains("3:1000..2000"), "{error}");
    }
}
