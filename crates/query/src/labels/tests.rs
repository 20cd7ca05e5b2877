//! Series are told apart and chosen by their labels.

use promql_parser::parser::{Expr, parse};

use super::*;

fn matching(selector: &str) -> Matching {
    let Ok(Expr::VectorSelector(selector)) = parse(selector) else {
        panic!("{selector} is no selector");
    };
    Matching::any_of(vec![crate::ask::matchers(&selector)], None)
}

fn check(selector: &str, wanted: &[(&str, &str)]) -> bool {
    let series = labels(wanted);
    matching(selector).want(|name| series.get(name))
}

#[test]
fn a_selector_wants_what_prometheus_would() {
    let web = [("__name__", "cpu"), ("host", "web-01"), ("region", "eu")];
    for (selector, is_wanted) in [
        ("cpu", true),
        ("mem", false),
        (r#"cpu{host="web-01"}"#, true),
        (r#"cpu{host=~"web-.*",region!="us"}"#, true),
        // Anchored on both sides.
        (r#"cpu{host=~"web"}"#, false),
        (r#"cpu{host!~"web-0[2-9]"}"#, true),
        // A label that is not there has the empty text.
        (r#"cpu{rack=""}"#, true),
        (r#"cpu{rack!=""}"#, false),
        (r#"{__name__=~"c.*",region="eu"}"#, true),
        (r#"{"cpu",region="eu"}"#, true),
    ] {
        assert_eq!(check(selector, &web), is_wanted, "{selector}");
    }
}

#[test]
fn a_name_that_is_given_is_looked_for_alone() {
    assert!(matches!(matching("cpu").names(), Names::One(name) if &*name == "cpu"));
    let names = matching(r#"{__name__=~"cpu|mem",host="a"}"#).names();
    assert!(names.want("mem") && !names.want("disk"));
    assert!(Matching::default().names().want("anything"));
}

#[test]
fn a_label_without_a_value_is_none() {
    assert_eq!(
        labels(&[("b", "2"), ("a", ""), ("c", "1")]),
        labels(&[("c", "1"), ("b", "2")])
    );
    assert_eq!(labels(&[("b", "2")]).with("b", ""), Labels::default());
}
