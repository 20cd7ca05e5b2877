//! A body means the same with any catalogue: the same samples, the same refusals, the same bytes in a record.

use std::collections::BTreeSet;

use model::{Batch, Limits, Point, Refusal, Sample, Value, check_series};

use super::*;
use crate::Decoded;
use crate::record::RecordBuilder;

/// A sample with everything that its series is.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    sample: (u32, i64, i64, u64),
    name: String,
    labels: Vec<(String, String)>,
    described: (MetricType, String, String),
}

fn text(catalogue: &Catalogue, number: u32) -> String {
    String::from_utf8(catalogue.text(number).to_vec()).unwrap()
}

fn row(batch: &Batch<'_>, catalogue: &Catalogue, sample: &Sample) -> Row {
    let bits = match sample.value {
        Value::Float(value) => value.to_bits(),
        other => panic!("{other:?}"),
    };
    let sample_row = (sample.index, sample.at_ms, sample.start_ms, bits);
    if let Some(known) = sample.known() {
        let texts = catalogue.texts(known).unwrap();
        let labels = texts.refs.chunks(2);
        let name = catalogue.name(catalogue.name_of(known).unwrap()).unwrap();
        return Row {
            sample: sample_row,
            name: name.to_owned(),
            labels: labels
                .map(|pair| (text(catalogue, pair[0]), text(catalogue, pair[1])))
                .collect(),
            described: (
                texts.kind,
                text(catalogue, texts.unit),
                text(catalogue, texts.help),
            ),
        };
    }
    let series = batch.series(sample.series).unwrap();
    let labels = batch.labels(series).iter();
    Row {
        sample: sample_row,
        name: series.name.to_string(),
        labels: labels
            .map(|label| (label.name.to_string(), label.value.to_string()))
            .collect(),
        described: (
            series.kind,
            series.unit.to_string(),
            series.help.to_string(),
        ),
    }
}

fn rows(decoded: &Decoded<'_>, catalogue: &Catalogue) -> Vec<Row> {
    let batch = &decoded.batch;
    let of = |sample| row(batch, catalogue, sample);
    batch.samples().iter().map(of).collect()
}

/// The record of the samples of one name.
fn record(decoded: &Decoded<'_>, catalogue: &Catalogue, name: &str) -> bytes::Bytes {
    let mut builder = RecordBuilder::new(name);
    for sample in decoded.batch.samples() {
        let of = row(&decoded.batch, catalogue, sample);
        let Value::Float(value) = sample.value else {
            continue;
        };
        if of.name != name {
            continue;
        }
        let point = Point {
            at_ms: sample.at_ms,
            value,
            start_ms: sample.start_ms,
        };
        if let Some(known) = sample.known() {
            let is_pushed = if sample.index % 3 == 0 {
                builder.push_known(usize::MAX, catalogue, known, None, [point])
            } else {
                builder.push_known_point(usize::MAX, catalogue, known, None, point)
            };
            assert!(is_pushed);
        } else {
            let labels = of.labels.iter();
            let (kind, unit, help) = &of.described;
            builder.push(
                labels.map(|(name, value)| (name.as_str(), value.as_str())),
                *kind,
                unit,
                help,
                [point],
            );
        }
    }
    builder.finish()
}

/// Decodes with and without a catalogue, which then learns, and answers how many samples were found in it.
#[track_caller]
pub(crate) fn check_same<'a>(
    catalogue: &mut Catalogue,
    plain: Result<Decoded<'a>, Refusal>,
    with: impl Fn(Trail<'_>) -> Result<Decoded<'a>, Refusal>,
) -> usize {
    let decoded = with((&*catalogue).into());
    let (mut plain, mut decoded) = match (plain, decoded) {
        (Ok(plain), Ok(decoded)) => (plain, decoded),
        (plain, decoded) => {
            assert_eq!(plain.map(|_| ()), decoded.map(|_| ()));
            return 0;
        }
    };
    plain.batch.sort_labels();
    decoded.batch.sort_labels();
    assert_eq!(rows(&decoded, catalogue), rows(&plain, catalogue));
    assert_eq!(decoded.refused, plain.refused);
    assert_eq!(decoded.objects, plain.objects);
    assert_eq!(decoded.ignored, plain.ignored);
    // Wherever its sender's last body ended, which may have been in another catalogue. One that rests counts bodies.
    let last = u32::try_from(catalogue.len()).unwrap();
    for end in [1, last / 2 + 1, last, last + 9] {
        let end = AtomicU32::new(end);
        if catalogue.is_useful() {
            let mut decoded = with(Trail::of_sender(catalogue, Some(&end))).unwrap();
            decoded.batch.sort_labels();
            assert_eq!(rows(&decoded, catalogue), rows(&plain, catalogue));
        }
    }
    let names: BTreeSet<String> = rows(&plain, catalogue)
        .into_iter()
        .map(|row| row.name)
        .collect();
    for name in &names {
        assert_eq!(
            record(&decoded, catalogue, name),
            record(&plain, catalogue, name)
        );
    }
    let samples = decoded.batch.samples().iter();
    let found = samples.filter(|sample| sample.known().is_some()).count();
    let unknown: Vec<Unknown<'_>> = decoded
        .unknown
        .iter()
        .filter(|unknown| {
            let series = decoded.batch.series(unknown.series).unwrap();
            check_series(series, decoded.batch.labels(series), &Limits::default()).is_ok()
        })
        .copied()
        .collect();
    catalogue.learn(&decoded.batch, &unknown);
    found
}

fn body(hosts: std::ops::Range<u32>, at: u32) -> String {
    let object = |host| {
        format!(
            r#"{{"metric_name": "cpu", "timestamp": {}, "value": {at}.5, "labels": {{"host": "h{host}", "A": "é"}}}}"#,
            1_700_000_000_000_u64 + u64::from(at)
        )
    };
    let objects: Vec<String> = hosts.map(object).collect();
    format!(r#"{{"metrics": [{}]}}"#, objects.join(", "))
}

fn push(catalogue: &mut Catalogue, body: &str) -> usize {
    let plain = crate::json::decode(body.as_bytes(), 10_000);
    check_same(catalogue, plain, |catalogue| {
        crate::json::decode_with(body.as_bytes(), 10_000, catalogue)
    })
}

#[test]
fn what_a_sender_repeats_is_found_in_any_order() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    assert_eq!(push(&mut catalogue, &body(0..20, 1)), 0);
    assert_eq!(catalogue.len(), 20);
    assert_eq!(push(&mut catalogue, &body(0..20, 2)), 20);
    assert_eq!(push(&mut catalogue, &body(10..30, 3)), 10);
    assert_eq!(push(&mut catalogue, &body(5..30, 4)), 25);
}

#[test]
fn a_senders_body_is_expected_to_begin_where_its_last_one_did() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    push(&mut catalogue, &body(0..3, 1));
    let end = AtomicU32::new(0);
    let trail = || Trail::of_sender(&catalogue, Some(&end));
    let expected = || {
        let expected = Walk::along(trail()).unwrap().expected();
        expected.map(|(series, ..)| series)
    };
    assert_eq!(expected(), None);
    for at in 2..4 {
        crate::json::decode_with(body(0..3, at).as_bytes(), 10, trail()).unwrap();
    }
    assert_eq!(expected(), Some(0));
    crate::json::decode_with(body(0..2, 4).as_bytes(), 10, trail()).unwrap();
    assert_eq!(expected(), Some(2));
    crate::json::decode_with(body(7..8, 5).as_bytes(), 10, trail()).unwrap();
    assert_eq!(expected(), None, "what it sent last is not known");
}

#[test]
fn nothing_is_learned_without_room() {
    let mut catalogue = Catalogue::new(0, RandomState::default());
    assert_eq!(push(&mut catalogue, &body(0..20, 1)), 0);
    assert_eq!(push(&mut catalogue, &body(0..20, 2)), 0);
    assert!(catalogue.is_empty());
}

/// Pushes new series until there is no more room, each body so many times.
fn fill(catalogue: &mut Catalogue, times: u32) -> u32 {
    let mut series = 0;
    while catalogue.generation() == 0 {
        for at in 0..times {
            push(catalogue, &body(series..series + 50, at));
        }
        series += 50;
        assert!(catalogue.bytes() < 48 << 10, "{}", catalogue.bytes());
    }
    series
}

#[test]
fn a_full_catalogue_starts_anew_and_rests_when_it_was_of_no_use() {
    let mut catalogue = Catalogue::new(32 << 10, RandomState::default());
    let series = fill(&mut catalogue, 1);
    assert!(catalogue.is_empty());
    assert!(!catalogue.is_useful(), "it learned and found nothing");
    let bodies = u64::from(series) * REST / 50;
    let waited = (0..bodies).take_while(|_| {
        push(&mut catalogue, &body(0..50, 2));
        !catalogue.is_useful()
    });
    assert!(waited.count() > 20, "it has rested");
    assert!(catalogue.is_useful());
    push(&mut catalogue, &body(0..20, 3));
    assert_eq!(push(&mut catalogue, &body(0..20, 4)), 20);
}

#[test]
fn a_catalogue_that_was_of_use_is_filled_again_at_once() {
    let mut catalogue = Catalogue::new(32 << 10, RandomState::default());
    fill(&mut catalogue, 8);
    assert!(catalogue.is_useful());
}

#[test]
fn a_series_of_many_bytes_is_no_news() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let body = |bytes: usize| {
        let text = "x".repeat(bytes);
        format!(
            r#"{{"metrics": [{{"metric_name":"a","timestamp":1,"value":1,"labels":{{}},"?":"{text}"}}]}}"#
        )
    };
    for (bytes, is_news) in [(100, true), (100_000, false)] {
        let body = body(bytes);
        let decoded = crate::json::decode_with(body.as_bytes(), 10, &catalogue).unwrap();
        let [unknown] = decoded.unknown.as_slice() else {
            panic!("{:?}", decoded.unknown);
        };
        assert_eq!(catalogue.is_news(&decoded.batch, unknown), is_news);
    }
    catalogue.start_anew();
}
