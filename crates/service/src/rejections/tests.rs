//! What is remembered, forgotten and answered.

use super::{By, Kind, Query, Rejection, Rejections, What};

const NOW_MS: i64 = 1_700_000_000_000;

fn rejection(metric: &str, source: &str, reason: &'static str) -> Rejection {
    Rejection {
        kind: Kind {
            by: By::Gateway { protocol: "json" },
            what: What::Samples,
            tenant: None,
            source: Some(source.into()),
            metric_name: metric.to_owned(),
            reason: reason.into(),
        },
        at_ms: NOW_MS,
        count: 1,
        message: "the timestamp is in seconds".to_owned(),
        sample: r#"{"metric_name":"cpu"}"#.to_owned(),
    }
}

fn late(metric: &str, source: &str) -> Rejection {
    let mut rejection = rejection(metric, source, "out_of_order");
    rejection.kind.by = By::Store {
        name: "main".into(),
    };
    rejection
}

fn query(text: &str) -> Query {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    Query::parse(pairs, NOW_MS).unwrap()
}

fn summaries(record: &Rejections, text: &str) -> Vec<String> {
    let answer = record.answer(&query(text));
    answer
        .rejections
        .into_iter()
        .map(|shown| shown.summary)
        .collect()
}

#[test]
fn like_refusals_are_one_entry_with_a_count_and_a_sentence() {
    let record = Rejections::new(1 << 20);
    for later_ms in [0, 1000, 2500] {
        let mut one = rejection("cpu", "10.0.0.7", "timestamp_in_seconds");
        one.at_ms += later_ms;
        record.note([one]);
    }
    let answer = record.answer(&Query::default());
    let [entry] = answer.rejections.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(
        entry.summary,
        "3 samples of cpu from 10.0.0.7 were refused by the gateway (json): the timestamp is in seconds"
    );
    assert_eq!(entry.first_at, "2023-11-14T22:13:20.000Z");
    assert_eq!(entry.last_at, "2023-11-14T22:13:22.500Z");
    assert_eq!(entry.sample, r#"{"metric_name":"cpu"}"#);
    assert_eq!((answer.omitted, answer.notes.len()), (0, 0));
}

#[test]
fn what_a_store_refused_says_that_it_had_been_accepted() {
    let record = Rejections::new(1 << 20);
    record.note([late("cpu", "web-01,web-02")]);
    assert_eq!(
        summaries(&record, "source=web-02"),
        [
            "1 sample of cpu from web-01,web-02 was accepted, and then refused for good by store main (out_of_order): \
             the timestamp is in seconds"
        ]
    );
}

#[test]
fn every_filter_narrows_and_a_star_stands_for_the_rest_of_a_name() {
    let record = Rejections::new(1 << 20);
    let mut tenants = rejection("cpu_idle", "a", "value_invalid");
    tenants.kind.tenant = Some("blue".into());
    record.note([
        rejection("cpu_user", "a", "value_invalid"),
        rejection("cpu_user", "b", "timestamp_too_old"),
        tenants,
    ]);
    for (text, count) in [
        ("", 3),
        ("source=a", 2),
        ("source=b", 1),
        ("source=c", 0),
        ("metric=cpu_user", 2),
        ("metric=cpu_*", 3),
        ("metric=cpu", 0),
        ("reason=value_invalid", 2),
        ("tenant=blue", 1),
        ("tenant=red", 0),
        ("source=a&metric=cpu_user", 1),
        ("since=1h", 3),
        ("since=2023-11-14T22:13:21Z", 0),
        ("since=1700000000000", 3),
    ] {
        assert_eq!(summaries(&record, text).len(), count, "{text}");
    }
}

#[test]
fn the_newest_come_first_and_the_limit_says_how_many_are_left_out() {
    let record = Rejections::new(1 << 20);
    for number in 0..5_i32 {
        let mut one = rejection(&format!("m{number}"), "a", "value_invalid");
        one.at_ms += i64::from(number);
        record.note([one]);
    }
    let answer = record.answer(&query("limit=2"));
    let names: Vec<&str> = answer
        .rejections
        .iter()
        .map(|shown| shown.metric_name.as_str())
        .collect();
    assert_eq!((names, answer.omitted), (vec!["m4", "m3"], 3));
}

#[test]
fn a_flood_of_different_ones_stays_within_the_memory_and_is_said() {
    let record = Rejections::new(64 << 10);
    for number in 0..10_000_u32 {
        record.note([rejection(&format!("m{number}"), "a", "value_invalid")]);
    }
    assert!(record.lock().bytes <= 64 << 10);
    let answer = record.answer(&query("limit=1000"));
    assert!(answer.rejections.len() > 50, "{}", answer.rejections.len());
    assert_eq!(answer.rejections[0].metric_name, "m9999");
    assert!(answer.notes[0].contains("made room"), "{:?}", answer.notes);
}

#[test]
fn what_is_added_to_stays_while_others_go() {
    let record = Rejections::new(64 << 10);
    for number in 0..10_000_u32 {
        record.note([
            rejection("steady", "a", "value_invalid"),
            rejection(&format!("m{number}"), "a", "value_invalid"),
        ]);
    }
    let answer = record.answer(&query("metric=steady"));
    assert_eq!(answer.rejections[0].count, 10_000);
}

#[test]
fn long_texts_are_cut_between_characters() {
    let record = Rejections::new(1 << 20);
    let mut one = rejection(&"ä".repeat(5000), "a", "metric_name_too_long");
    one.message = "ß".repeat(5000);
    one.sample = "x".repeat(1 << 20);
    record.note([one]);
    assert!(record.lock().bytes < 4096);
}

#[test]
fn a_question_about_a_metric_says_that_some_refusals_have_no_name() {
    let record = Rejections::new(1 << 20);
    let mut whole = rejection("", "a", "body_too_large");
    whole.kind.what = What::Requests;
    record.note([whole]);
    let answer = record.answer(&query("metric=cpu"));
    assert_eq!(answer.rejections, []);
    assert!(
        answer.notes[0].starts_with("1 more refusals have no metric name"),
        "{:?}",
        answer.notes
    );
}

#[test]
fn merged_records_count_what_both_have_once() {
    let own = Rejections::new(1 << 20);
    own.note([late("cpu", "a"), rejection("cpu", "a", "value_invalid")]);
    let topic = Rejections::new(1 << 20);
    topic.note([late("cpu", "a"), late("cpu", "a"), late("mem", "a")]);
    let all = own.copied_with(1 << 20);
    all.merge(&topic);
    let answer = all.answer(&Query::default());
    let mut counts: Vec<(String, u64)> = answer
        .rejections
        .into_iter()
        .map(|shown| (shown.metric_name + " " + shown.by, shown.count))
        .collect();
    counts.sort();
    let expected = [("cpu gateway", 1), ("cpu store", 2), ("mem store", 1)];
    assert_eq!(
        counts,
        expected.map(|(name, count)| (name.to_owned(), count))
    );
    assert_eq!(own.answer(&Query::default()).rejections.len(), 2);
}

#[test]
fn parameters_that_cannot_be_read_are_said() {
    for (text, why) in [
        ("limit=0", "limit=0 is not a number from 1 to 1000"),
        ("since=yesterday", "since=yesterday is neither"),
        ("sources=a", "unknown parameter \"sources\""),
        ("late=1", "late=1; write late=true or late=false"),
    ] {
        let pairs = [text.split_once('=').unwrap()];
        let said = Query::parse(pairs, NOW_MS).unwrap_err();
        assert!(said.starts_with(why), "{said}");
    }
}

#[test]
fn without_memory_nothing_is_kept_and_the_answer_says_why() {
    let record = Rejections::new(0);
    record.note([rejection("cpu", "a", "value_invalid")]);
    let answer = record.answer(&Query::default());
    assert_eq!(answer.rejections, []);
    assert!(answer.notes[0].contains("rejections.max_memory"));
}
