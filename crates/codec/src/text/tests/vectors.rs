//! The cases of the OpenMetrics project's own parser tests, and where we are more lenient than they are.
//!
//! Its repository (prometheus/OpenMetrics, Apache-2.0) has them in `tests/testdata/parsers`. "Bad" there is a body that
//! a parser refuses; here it is one of which a line is refused, or an exemplar dropped, or that is refused whole.

use std::collections::BTreeSet;

use model::{Limits, check_series};

use super::{Dialect, decode, options};

mod cases;
use cases::{BAD, GOOD};

/// What is bad there and taken here. Prometheus takes all of it.
const LENIENT: [(&str, &[&str]); 5] = [
    (
        "a sum or a quantile may be negative or NaN, because observations may be",
        &[
            "bad_counter_values_13",
            "bad_counter_values_14",
            "bad_counter_values_15",
            "bad_counter_values_17",
            "bad_counter_values_19",
            "bad_counter_values_2",
            "bad_counter_values_5",
            "bad_counter_values_8",
            "bad_counter_values_9",
            "bad_histograms_7",
        ],
    ),
    (
        "a line is judged alone, not whether a histogram's lines fit together",
        &[
            "bad_histograms_0",
            "bad_histograms_1",
            "bad_histograms_10",
            "bad_histograms_11",
            "bad_histograms_12",
            "bad_histograms_13",
            "bad_histograms_14",
            "bad_histograms_2",
            "bad_histograms_3",
            "bad_histograms_6",
            "bad_histograms_8",
            "bad_histograms_9",
        ],
    ),
    (
        "within a family, series and times may come in any order",
        &[
            "bad_grouping_or_ordering_0",
            "bad_grouping_or_ordering_10",
            "bad_grouping_or_ordering_2",
            "bad_grouping_or_ordering_3",
            "bad_grouping_or_ordering_4",
            "bad_grouping_or_ordering_5",
            "bad_grouping_or_ordering_6",
            "bad_grouping_or_ordering_7",
            "bad_grouping_or_ordering_8",
            "bad_grouping_or_ordering_9",
        ],
    ),
    (
        "an unknown sample beside a family's may have an exemplar",
        &["bad_exemplars_on_unallowed_samples_1"],
    ),
    (
        "a comma after the last label is harmless",
        &["bad_missing_or_extra_commas_2"],
    ),
];

/// Whether something of a body was not taken as it is, by the decoder or by the rules for names and labels.
fn is_refused(body: &str) -> bool {
    let Ok(mut decoded) = decode(body.as_bytes(), &options(Dialect::OpenMetrics), 1000) else {
        return true;
    };
    decoded.batch.sort_labels();
    let limits = Limits::default();
    let batch = &decoded.batch;
    let is_bad_series = |series| check_series(series, batch.labels(series), &limits).is_err();
    !decoded.refused.is_empty()
        || !decoded.ignored.is_empty()
        || batch.all_series().iter().any(is_bad_series)
        || has_long_exemplar(batch)
}

/// The pipeline drops those.
fn has_long_exemplar(batch: &model::Batch<'_>) -> bool {
    batch.samples().iter().any(|sample| {
        let model::Value::Exemplar(number) = sample.value else {
            return false;
        };
        let (_, labels) = batch.exemplar(number).unwrap();
        let chars =
            |label: &model::Label<'_>| label.name.chars().count() + label.value.chars().count();
        labels.iter().map(chars).sum::<usize>() > 128
    })
}

#[test]
fn every_good_body_is_taken_whole() {
    let refused: Vec<&str> = GOOD
        .iter()
        .filter(|(_, body)| is_refused(body))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(refused, [""; 0]);
}

#[test]
fn every_bad_body_is_refused_unless_its_fault_is_harmless() {
    let taken: BTreeSet<&str> = BAD
        .iter()
        .filter(|(_, body)| !is_refused(body))
        .map(|(name, _)| *name)
        .collect();
    let lenient = LENIENT.iter().flat_map(|(_, names)| names.iter().copied());
    assert_eq!(taken, lenient.collect());
}
