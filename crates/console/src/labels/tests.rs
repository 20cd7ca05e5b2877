//! Lines as the exporter writes them, hostile label values included.

use super::Line;

fn check(line: &str, name: &str, label: (&str, &str), value: f64) {
    let found = Line::of(line).unwrap();
    assert_eq!(found.name, name);
    assert_eq!(found.labels.get(label.0), label.1);
    assert!((found.value() - value).abs() < f64::EPSILON);
}

#[test]
fn a_line_has_a_name_labels_and_a_value() {
    check("up 1", "up", ("store", ""), 1.0);
    check(
        r#"lag{store="main",partition="17"} 2.5"#,
        "lag",
        ("partition", "17"),
        2.5,
    );
}

#[test]
fn label_values_may_hold_what_ends_lines_elsewhere() {
    let line = r#"x{tenant="a\"b},{=\\\n c",partition="3"} 7"#;
    check(line, "x", ("tenant", "a\"b},{=\\\n c"), 7.0);
    check(line, "x", ("partition", "3"), 7.0);
}

#[test]
fn a_comment_and_an_empty_line_are_no_samples() {
    assert!(Line::of("# HELP up Whether.").is_none());
    assert!(Line::of("").is_none());
}
