//! Samples are found, put in order, and told apart by their tenant.

use super::*;
use crate::ask::selector;
use crate::budget::plenty;
use crate::labels::TENANT_LABEL;
use crate::labels::labels;
use crate::testing::{sources, sources_of};

fn selection(text: &str, tenant: Option<&str>, want: Keep) -> Selection {
    Selection {
        matching: Matching::any_of(
            vec![selector(text, &mut plenty()).unwrap()],
            tenant.map(str::to_owned),
        ),
        from_ms: 1000,
        to_ms: 3000,
        want,
    }
}

#[test]
fn samples_are_in_the_order_of_time_and_the_last_of_one_time_counts() {
    let sources = sources(&[
        (
            "x",
            &[("a", "1")],
            &[(3000, 3.0), (1000, 1.0), (2000, 2.0), (2000, 2.5)],
        ),
        ("x", &[("a", "1")], &[(999, 0.0), (3001, 4.0)]),
    ]);
    let mut budget = plenty();
    let found = sources
        .select(
            From::Both,
            &selection("x", None, Keep::Samples),
            &mut budget,
        )
        .unwrap();
    let [series] = found.series.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(series.labels, labels(&[("__name__", "x"), ("a", "1")]));
    assert_eq!(series.samples, [(1000, 1.0), (2000, 2.5), (3000, 3.0)]);
}

#[test]
fn the_same_series_of_two_tenants_are_two_unless_one_is_asked_for() {
    let x: &[crate::testing::Given<'_>] = &[("x", &[], &[(2000, 1.0)])];
    let y: &[crate::testing::Given<'_>] = &[("x", &[], &[(2000, 2.0)])];
    let sources = sources_of(&[(Some("a"), x), (Some("b"), y), (None, x)]);
    let found = |tenant| {
        let selection = selection("x", tenant, Keep::Samples);
        let found = sources.select(From::Recent, &selection, &mut plenty());
        let series = found.unwrap().series.into_iter();
        series
            .map(|series| {
                (
                    series.labels.get(TENANT_LABEL).to_owned(),
                    series.samples[0].1,
                )
            })
            .collect::<Vec<_>>()
    };
    let all = [
        ("".to_owned(), 1.0),
        ("a".to_owned(), 1.0),
        ("b".to_owned(), 2.0),
    ];
    let mut seen = found(None);
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(seen, all);
    assert_eq!(found(Some("b")), [(String::new(), 2.0)]);
    assert_eq!(found(Some("c")), []);
}

#[test]
fn a_tenant_that_a_sender_made_up_is_not_shown() {
    let claimed: &[crate::testing::Given<'_>] =
        &[("x", &[(TENANT_LABEL, "b"), ("host", "a")], &[(2000, 1.0)])];
    let sources = sources_of(&[(None, claimed), (Some("a"), claimed)]);
    let labels_of = |text: &str, tenant| {
        let selection = selection(text, tenant, Keep::Samples);
        let found = sources.select(From::Recent, &selection, &mut plenty());
        let series = found.unwrap().series.into_iter();
        let tenants = series.map(|series| series.labels.get(TENANT_LABEL).to_owned());
        tenants.collect::<Vec<_>>()
    };
    let mut all = labels_of("x", None);
    all.sort();
    assert_eq!(all, ["", "a"]);
    assert_eq!(labels_of("x", Some("a")), [""]);
    assert!(labels_of("x{__tenant_id__=\"b\"}", None).is_empty());
    assert!(labels_of("x{__tenant_id__=\"b\"}", Some("a")).is_empty());
    let selection = selection("x", Some("a"), Keep::Nothing);
    let (names, _) = sources
        .texts(&selection, TextsOf::Labels, &mut plenty())
        .unwrap();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["__name__", "host"]);
}

#[test]
fn the_newest_sample_is_kept_alone_where_that_is_all_that_is_wanted() {
    let sources = sources(&[("x", &[], &[(2000, 2.0), (1000, 1.0), (9000, 9.0)])]);
    let selection = selection("x", None, Keep::Last);
    let found = sources
        .select(From::Recent, &selection, &mut plenty())
        .unwrap();
    assert_eq!(found.series[0].samples, [(2000, 2.0)]);
}

#[test]
fn an_archive_that_is_not_there_is_said_to_be_missing() {
    let selection = selection("x", None, Keep::Last);
    let found = sources(&[]).select(From::Archive, &selection, &mut plenty());
    assert_eq!(found, Err(Error::NoArchive));
}

#[test]
fn names_and_values_are_found_without_keeping_series() {
    let sources = sources(&[
        ("x", &[("host", "b")], &[(2000, 1.0)]),
        ("y", &[("rack", "7"), ("host", "a")], &[(2000, 1.0)]),
        ("z", &[("old", "1")], &[(9000, 1.0)]),
    ]);
    let all = Selection {
        matching: Matching::default(),
        ..selection("x", None, Keep::Nothing)
    };
    let of = |of| {
        let (found, _) = sources.texts(&all, of, &mut plenty()).unwrap();
        found.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(of(TextsOf::Labels), ["__name__", "host", "rack"]);
    assert_eq!(of(TextsOf::Label("host".to_owned())), ["a", "b"]);
    assert_eq!(of(TextsOf::Label("__name__".to_owned())), ["x", "y"]);
}
