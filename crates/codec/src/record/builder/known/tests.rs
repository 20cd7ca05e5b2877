//! However a series is pushed, by its labels or by its number, with some samples or with one, the bytes are the same.

use foldhash::quality::RandomState;
use proptest::prelude::*;

use super::*;

use crate::decoded::Decoded;

/// Labels of the series: texts that are in every record, texts that others have too, and `__name__` in between.
const LABELS: [&[(&str, &str)]; 6] = [
    &[("Zone", "a"), ("host", "web-01")],
    &[("Zone", "b"), ("host", "web-01")],
    &[("host", "m"), ("job", "__name__")],
    &[("host", "a")],
    &[],
    &[("Zone", "a")],
];

/// A body of each series, so that a catalogue learns them by number in this order.
fn body<'l>(series: impl IntoIterator<Item = &'l [(&'l str, &'l str)]>) -> String {
    let object = |labels: &[(&str, &str)]| {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!(r#""{name}": "{value}""#))
            .collect();
        let labels = labels.join(", ");
        format!(
            r#"{{"metric_name": "m", "timestamp": 1700000000000, "value": 1, "labels": {{{labels}}}}}"#
        )
    };
    let objects: Vec<String> = series.into_iter().map(object).collect();
    format!(r#"{{"metrics": [{}]}}"#, objects.join(", "))
}

/// The numbers of the series.
fn learn(catalogue: &mut Catalogue) -> Vec<u32> {
    learn_all(catalogue, &LABELS)
}

fn learn_all(catalogue: &mut Catalogue, series: &[&[(&str, &str)]]) -> Vec<u32> {
    let body = body(series.iter().copied());
    let decode = |catalogue: &Catalogue| -> Vec<Option<u32>> {
        let decoded = crate::json::decode_with(body.as_bytes(), 30_000, catalogue).unwrap();
        decoded
            .batch
            .samples()
            .iter()
            .map(model::Sample::known)
            .collect()
    };
    assert_eq!(decode(catalogue), vec![None; series.len()]);
    {
        let mut decoded: Decoded<'_> =
            crate::json::decode_with(body.as_bytes(), 30_000, &*catalogue).unwrap();
        decoded.batch.sort_labels();
        catalogue.learn(&decoded.batch, &decoded.unknown);
    }
    decode(catalogue).into_iter().map(Option::unwrap).collect()
}

#[derive(Debug, Clone, Copy)]
enum How {
    Labels,
    LabelsPoint,
    Number,
    Point,
    /// The record ends, and another begins.
    Finish,
}

fn any_push() -> impl Strategy<Value = (How, usize, i64, bool, usize)> {
    let how = prop_oneof![
        2 => Just(How::Labels),
        4 => Just(How::LabelsPoint),
        2 => Just(How::Number),
        8 => Just(How::Point),
        1 => Just(How::Finish),
    ];
    let limit = prop_oneof![4 => Just(usize::MAX), 1 => 0_usize..300];
    (how, 0..LABELS.len(), 0_i64..3, any::<bool>(), limit)
}

proptest! {
    #[test]
    fn a_record_does_not_show_how_its_series_were_known(pushes in prop::collection::vec(any_push(), 0..40)) {
        let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
        let numbers = learn(&mut catalogue);
        let mut plain = RecordBuilder::new("m");
        let mut mixed = RecordBuilder::new("m");
        for (how, series, at_ms, has_description, limit_bytes) in pushes {
            let point = Point { at_ms, value: 0.5, start_ms: at_ms / 2 };
            let described = has_description.then_some((MetricType::Gauge, "bytes", "host"));
            let (kind, unit, help) = described.unwrap_or_default();
            let labels = LABELS[series].iter().copied();
            let number = numbers[series];
            let fits = match how {
                How::Labels => mixed.push_within(limit_bytes, labels.clone(), kind, unit, help, [point]),
                How::LabelsPoint => {
                    mixed.push_point(limit_bytes, labels.clone(), (kind, unit, help), point)
                }
                How::Number => mixed.push_known(limit_bytes, &catalogue, number, described, [point]),
                How::Point => mixed.push_known_point(limit_bytes, &catalogue, number, described, point),
                How::Finish => {
                    prop_assert_eq!(mixed.finish(), plain.finish());
                    continue;
                }
            };
            prop_assert_eq!(fits, plain.push_within(limit_bytes, labels, kind, unit, help, [point]));
            prop_assert_eq!(mixed.encoded_len(), plain.encoded_len());
            prop_assert_eq!(mixed.samples(), plain.samples());
            prop_assert_eq!(mixed.is_empty(), plain.is_empty());
        }
        prop_assert_eq!(mixed.finish(), plain.finish());
    }
}

#[test]
fn a_catalogue_that_started_anew_has_other_numbers_and_the_record_goes_on() {
    let (mut first, mut second) = (
        Catalogue::new(1 << 20, RandomState::default()),
        Catalogue::new(1 << 20, RandomState::default()),
    );
    let first_numbers = learn(&mut first);
    second.start_anew();
    let second_numbers = learn(&mut second);
    let point = |round: usize| Point {
        at_ms: i64::try_from(round).unwrap(),
        value: 0.5,
        start_ms: 0,
    };
    let mut mixed = RecordBuilder::new("m");
    let mut plain = RecordBuilder::new("m");
    for (round, (catalogue, numbers)) in (1..).zip([
        (&first, &first_numbers),
        (&second, &second_numbers),
        (&first, &first_numbers),
    ]) {
        // Another order each time.
        for series in (0..LABELS.len()).map(|series| series * round % LABELS.len()) {
            assert!(mixed.push_known_point(
                usize::MAX,
                catalogue,
                numbers[series],
                None,
                point(round)
            ));
            plain.push(
                LABELS[series].iter().copied(),
                MetricType::Unspecified,
                "",
                "",
                [point(round)],
            );
        }
    }
    assert_eq!(mixed.finish(), plain.finish());
}

/// Symbols of one, two and three bytes, and frames whose lengths have one and two.
#[test]
fn records_of_many_texts_and_series_of_many_labels_are_the_same_bytes() {
    let texts: Vec<String> = (0..17_000).map(|number| format!("{number:05}")).collect();
    let hosts = texts.iter().map(|text| vec![("host", text.as_str())]);
    let wide = (1..90).step_by(4).map(|labels| {
        let names = texts.iter().take(labels);
        names.map(|text| (text.as_str(), "v")).collect::<Vec<_>>()
    });
    let series: Vec<_> = hosts.chain(wide).collect();
    let series: Vec<&[(&str, &str)]> = series.iter().map(Vec::as_slice).collect();
    let mut catalogue = Catalogue::new(64 << 20, RandomState::default());
    let numbers: Vec<u32> = series
        .chunks(1000)
        .flat_map(|series| learn_all(&mut catalogue, series))
        .collect();
    let (mut known, mut plain) = (RecordBuilder::new("m"), RecordBuilder::new("m"));
    // The wide ones first and last, so that their texts have short numbers and long ones.
    for start in [series.len() - 23, 0] {
        for (labels, number) in series.iter().zip(&numbers).skip(start) {
            let point = Point {
                at_ms: 1_700_000_000_000,
                value: 0.5,
                start_ms: 0,
            };
            assert!(known.push_known_point(usize::MAX, &catalogue, *number, None, point));
            let labels = labels.iter().copied();
            plain.push(labels, MetricType::Unspecified, "", "", [point]);
            assert_eq!(known.encoded_len(), plain.encoded_len());
        }
    }
    assert_eq!(known.finish(), plain.finish());
}

/// Values and times that have short, long or no encodings.
#[test]
fn odd_values_and_times_are_the_same_bytes() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let numbers = learn(&mut catalogue);
    let (mut known, mut plain) = (RecordBuilder::new("m"), RecordBuilder::new("m"));
    let times = [
        0,
        1,
        0x7f,
        0x80,
        -1,
        i64::MIN,
        i64::MAX,
        1 << 55,
        1 << 56,
        (1 << 56) - 1,
    ];
    for (round, at_ms) in times.into_iter().enumerate() {
        for (value, start_ms) in [(0.0, 0), (-0.0, at_ms), (f64::NAN, 5)] {
            let series = round % LABELS.len();
            let point = Point {
                at_ms,
                value,
                start_ms,
            };
            assert!(known.push_known_point(usize::MAX, &catalogue, numbers[series], None, point));
            let labels = LABELS[series].iter().copied();
            plain.push(labels, MetricType::Unspecified, "", "", [point]);
            known.push(
                LABELS[2].iter().copied(),
                MetricType::Counter,
                "",
                "h",
                [point],
            );
            plain.push(
                LABELS[2].iter().copied(),
                MetricType::Counter,
                "",
                "h",
                [point],
            );
            assert_eq!(known.encoded_len(), plain.encoded_len());
        }
    }
    assert_eq!(known.finish(), plain.finish());
}
