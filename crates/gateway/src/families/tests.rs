//! What is said once about a family describes its series until something else is said, within a bound.

use super::*;

fn family<'a>(name: &'a str, kind: MetricType, help: &'a str) -> Family<'a> {
    Family {
        name: name.into(),
        kind,
        unit: "".into(),
        help: help.into(),
    }
}

fn learnt(said: &[Family<'_>]) -> Families {
    let families = Families::default();
    families.learn(None, said, &Limits::default());
    families
}

/// Type and help of a series of this name.
fn describes(
    families: &Families,
    tenant: Option<&str>,
    name: &str,
) -> Option<(MetricType, String)> {
    let known = families.known()?;
    let (kind, _, help) = known.describe(tenant, name)?;
    Some((kind, help.to_owned()))
}

#[test]
fn nothing_is_known_until_somebody_says_something() {
    assert!(Families::default().known().is_none());
}

#[test]
fn the_series_of_a_family_are_known_by_its_type() {
    let families = learnt(&[
        family("latency", MetricType::Histogram, "h"),
        family("requests", MetricType::Counter, "c"),
        family("temperature", MetricType::Gauge, "g"),
        family("temperature_count", MetricType::Gauge, "own"),
    ]);
    let of = |name: &str| describes(&families, None, name).map(|(_, help)| help);
    for name in ["latency", "latency_bucket", "latency_sum", "latency_count"] {
        assert_eq!(of(name).as_deref(), Some("h"), "{name}");
    }
    assert_eq!(of("requests_total").as_deref(), Some("c"));
    assert_eq!(of("temperature_count").as_deref(), Some("own"));
    for name in ["temperature_sum", "requests_bucket", "lat", "other", "_sum"] {
        assert_eq!(of(name), None, "{name}");
    }
}

#[test]
fn tenants_know_nothing_of_each_other() {
    let families = Families::default();
    let tenant: Arc<str> = "a".into();
    let said = [family("up", MetricType::Gauge, "of a")];
    families.learn(Some(&tenant), &said, &Limits::default());
    assert!(describes(&families, Some("a"), "up").is_some());
    assert_eq!(describes(&families, Some("b"), "up"), None);
    assert_eq!(describes(&families, None, "up"), None);
}

#[test]
fn the_latest_word_counts() {
    let families = learnt(&[family("up", MetricType::Gauge, "first")]);
    families.learn(
        None,
        &[family("up", MetricType::Counter, "second")],
        &Limits::default(),
    );
    assert_eq!(
        describes(&families, None, "up"),
        Some((MetricType::Counter, "second".to_owned()))
    );
    assert_eq!(families.len.load(Ordering::Relaxed), 1);
}

#[test]
fn texts_and_names_beyond_their_limits_are_not_kept() {
    let long = "x".repeat(1025);
    let families = learnt(&[
        family("up", MetricType::Gauge, &long),
        family(&long, MetricType::Gauge, "h"),
    ]);
    assert_eq!(
        describes(&families, None, "up"),
        Some((MetricType::Gauge, String::new()))
    );
    assert_eq!(describes(&families, None, &long), None);
}

#[test]
fn memory_is_bounded_and_what_is_repeated_stays() {
    let families = Families::default();
    let help = "h".repeat(1000);
    let kept = family("kept", MetricType::Gauge, "kept");
    for number in 0..60 {
        let names: Vec<String> = (0..1000).map(|at| format!("n{number}_{at}")).collect();
        let mut said: Vec<Family<'_>> = names
            .iter()
            .map(|name| family(name, MetricType::Gauge, &help))
            .collect();
        said.push(kept.clone());
        families.learn(None, &said, &Limits::default());
    }
    let known = families.known().unwrap();
    let (young, old) = (known.young.bytes, known.old.bytes);
    assert!(young <= HALF_BYTES && old <= HALF_BYTES, "{young} {old}");
    assert_eq!(describes(&families, None, "n0_0"), None);
    assert!(describes(&families, None, "n59_999").is_some());
    assert!(describes(&families, None, "kept").is_some());
}
