//! The grammar of group paths: the cases that the Pushgateway tests, and those that it forgot.

use super::*;

#[track_caller]
fn is(path: &str, expected: &[(&str, &str)]) {
    let labels = group(path).unwrap();
    let found: Vec<(&str, &str)> = labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, expected, "{path}");
}

#[track_caller]
fn refused(path: &str, part: &str) {
    let why = group(path).unwrap_err();
    assert!(why.contains(part), "{path}: {why}");
}

#[test]
fn labels_and_values_come_in_pairs() {
    is("/metrics/job/nightly", &[("job", "nightly")]);
    is("/metrics/job/nightly/", &[("job", "nightly")]);
    is(
        "/metrics/job/x/label_name1/label_value1/label_name2/label_value2",
        &[
            ("job", "x"),
            ("label_name1", "label_value1"),
            ("label_name2", "label_value2"),
        ],
    );
    is("/tenants/t1/metrics/job/x/a/1", &[("a", "1"), ("job", "x")]);
    refused("/metrics/job/x/a/b/c", "come in pairs");
    refused("/metrics/job/x/name/label/value2", "come in pairs");
    refused("/metrics/job/x/a/1/", "come in pairs");
}

#[test]
fn a_value_may_be_base64() {
    is(
        "/metrics/job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl",
        &[("instance", "testinstance"), ("job", "test/job")],
    );
    let slashes = [
        ("job", "x"),
        ("name1", "label/value1"),
        ("name2", "label_value2"),
    ];
    is(
        "/metrics/job/x/name1@base64/bGFiZWwvdmFsdWUx/name2/label_value2",
        &slashes,
    );
    // As the Pushgateway, any amount of padding.
    is(
        "/metrics/job/x/name1@base64/bGFiZWwvdmFsdWUx==/name2/label_value2",
        &slashes,
    );
    is(
        "/metrics/job/x/a@base64/Pz8_",
        &[("a", "???"), ("job", "x")],
    );
    is(
        "/metrics/job/x/a@base64/dGVzdC9qb2I%3D",
        &[("a", "test/job"), ("job", "x")],
    );
    refused("/metrics/job/x/a@base64/foo.bar", "not URL-safe base64");
    refused("/metrics/job/x/a@base64/Pz8/", "come in pairs");
    refused("/metrics/job/x/a@base64/_w", "not UTF-8");
}

#[test]
fn the_empty_value_is_an_equals_sign() {
    is("/metrics/job/x/a@base64/=", &[("a", ""), ("job", "x")]);
    is(
        "/metrics/job/x/a/b@base64",
        &[("a", "b@base64"), ("job", "x")],
    );
}

#[test]
fn a_job_has_a_name() {
    refused("/metrics/job", "missing");
    refused("/metrics/job/", "empty");
    refused("/metrics/job//a/b", "empty");
    refused("/metrics/job@base64/=", "empty");
    is("/metrics/job/x/job/y", &[("job", "x")]);
}

#[test]
fn what_is_percent_encoded_is_decoded_after_the_slashes_were_seen() {
    is(
        "/metrics/job/a%2Fb%20c/path/%C3%A4+1",
        &[("job", "a/b c"), ("path", "ä+1")],
    );
    refused("/metrics/job/%ff", "not UTF-8");
}

#[test]
fn a_name_is_classic_or_escaped() {
    refused("/metrics/job/x/a=b/1", "a=b");
    refused("/metrics/job/x/a=b@base64/1", "a=b");
    refused("/metrics/job/x/__reserved/1", "reserved");
    refused("/metrics/job/x/1a/1", "1a");
    refused("/metrics/job/x//1", "empty");
    is(
        "/metrics/job/x/U__dotted_2e_label_2e_name/v",
        &[("dotted.label.name", "v"), ("job", "x")],
    );
    is(
        "/metrics/job/x/U__label_2e_name2@base64/bGFiZWwvdmFsdWUy",
        &[("job", "x"), ("label.name2", "label/value2")],
    );
    is("/metrics/job/x/U__a__b/v", &[("a_b", "v"), ("job", "x")]);
    // Not an escape after all.
    is(
        "/metrics/job/x/U__a_zz_/v",
        &[("U__a_zz_", "v"), ("job", "x")],
    );
    is("/metrics/job/x/U___/v", &[("U___", "v"), ("job", "x")]);
}

proptest::proptest! {
    #[test]
    fn any_path_is_an_answer(path in ".*") {
        drop(group(&format!("/metrics/{path}")));
    }

    #[test]
    fn any_value_comes_back_from_base64(value in ".*") {
        let text = base64::engine::general_purpose::URL_SAFE.encode(&value);
        let text = if text.is_empty() { "=".to_owned() } else { text };
        let labels = group(&format!("/metrics/job/x/a@base64/{text}")).unwrap();
        proptest::prop_assert_eq!(labels.get("a"), Some(&value));
    }
}
