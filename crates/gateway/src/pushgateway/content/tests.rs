//! What of a body becomes the group's.

use codec::text;

use super::*;

fn content(body: &str) -> Content {
    let options = text::Options {
        dialect: text::Dialect::Text,
        now_ms: NO_TIME,
    };
    let decoded = text::decode(body.as_bytes(), &options, 1000).unwrap();
    let group = GroupLabels::from([("job".to_owned(), "j".to_owned())]);
    Content::of(decoded, &group, Size::mib(1)).unwrap()
}

fn families(content: &Content) -> Vec<(&str, u32, usize)> {
    let families = content.families.iter();
    families
        .map(|family| (family.name.as_str(), family.kind, family.series.len()))
        .collect()
}

#[test]
fn a_family_is_what_its_type_names() {
    let body = "\
# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1
# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1
# TYPE c_total counter\nc_total 1\nmy_count 3\n";
    let content = content(body);
    assert_eq!(
        families(&content),
        [
            ("c_total", 1, 1),
            ("h", 3, 4),
            ("my_count", 0, 1),
            ("s", 5, 3)
        ]
    );
    assert!(content.refused.is_empty(), "{:?}", content.refused);
    assert_eq!(content.samples.len(), 9);
}

#[test]
fn the_last_time_of_a_series_is_what_the_group_keeps() {
    let content = content("a 1 1700000000000\na 3 1700000002000\na 2 1700000001000\nb 1\nb 2 1\n");
    let kept: Vec<_> = content
        .families
        .iter()
        .flat_map(|family| &family.series)
        .map(|series| (series.value, series.at_ms))
        .collect();
    assert_eq!(kept, [(3.0, Some(1_700_000_002_000)), (1.0, None)]);
    assert_eq!(content.samples.len(), 5);
}

#[test]
fn the_paths_labels_are_every_samples() {
    let content = content("a{x=\"1\",job=\"own\",empty=\"\"} 1\n");
    let series = content.series((0, 0)).unwrap().1;
    assert_eq!(shown(series), r#"a{job="j",x="1"}"#);
}

#[test]
fn the_paths_labels_do_not_make_much_of_little() {
    let body: String = (0..10_000).map(|n| format!("a{{n=\"{n}\"}} 1\n")).collect();
    let options = text::Options {
        dialect: text::Dialect::Text,
        now_ms: NO_TIME,
    };
    let decoded = text::decode(body.as_bytes(), &options, 10_000).unwrap();
    let long = "x".repeat(60_000);
    let group = GroupLabels::from([("job".to_owned(), long)]);
    let refusal = Content::of(decoded, &group, Size(512 << 10)).unwrap_err();
    assert_eq!(refusal.code, Code::BodyTooLarge);
    assert!(refusal.message.contains("pushgateway.max_group"));
}
