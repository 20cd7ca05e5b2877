//! Which series are meant.

use bytes::Bytes;

use super::{Chosen, Filter, Pattern};

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, text, fits) in [
        ("cpu", "cpu", true),
        ("cpu", "cpu_usage", false),
        ("cpu*", "cpu_usage", true),
        ("*usage", "cpu_usage", true),
        ("*_*", "cpu_usage", true),
        ("a*b*c", "a_b_b_c", true),
        ("a*a", "a", false),
        ("*", "", true),
        ("", "", true),
        ("", "x", false),
    ] {
        assert_eq!(
            Pattern::new(pattern).fits(text),
            fits,
            "{pattern} on {text}"
        );
    }
}

fn chosen(names: &[&str], labels: &[&str], tenants: &[&str]) -> Result<Filter, String> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Filter::new(&Chosen {
        names: owned(names),
        labels: owned(labels),
        tenants: owned(tenants),
    })
}

#[track_caller]
fn check(names: &[&str], labels: &[&str], expected: bool) {
    let sample =
        br#"{"metric_name":"cpu","timestamp":1700000000000,"value":1,"labels":{"host":"web-01"}}"#;
    let block = codec::record::decode(None, &Bytes::from_static(sample)).unwrap();
    let filter = chosen(names, labels, &[]).unwrap();
    let view = block.iter().next().unwrap();
    assert_eq!(filter.has_series(view), expected, "{names:?} {labels:?}");
}

#[test]
fn any_of_the_names_and_all_of_the_labels_must_fit() {
    check(&[], &[], true);
    check(&["mem*", "cpu"], &[], true);
    check(&["mem*"], &[], false);
    check(&[], &["host=web-*"], true);
    check(&[], &["host=web-*", "region=eu"], false);
    check(&["cpu"], &["host!=web-02"], true);
    check(&["cpu"], &["host!=web-01"], false);
    check(&[], &["region="], true);
    check(&[], &["region=*"], true);
    check(&[], &["region!="], false);
}

#[test]
fn tenants_are_chosen_by_name_and_nobody_by_an_empty_one() {
    let filter = chosen(&[], &[], &["team-a", ""]).unwrap();
    assert!(filter.has_tenant(Some("team-a")));
    assert!(filter.has_tenant(None));
    assert!(!filter.has_tenant(Some("team-b")));
    assert!(filter.has_every_series());
}

#[test]
fn a_label_without_a_value_is_refused() {
    let error = chosen(&[], &["host"], &[]).unwrap_err();
    assert!(error.contains("--label host=web-01"), "{error}");
}
