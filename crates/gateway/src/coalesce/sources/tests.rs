//! A record names its senders, but not all of a fleet.

use std::sync::Arc;

use super::Sources;

fn joined(names: &[&str]) -> Option<Arc<str>> {
    let mut sources = Sources::default();
    for name in names {
        sources.add(Some(&Arc::from(*name)));
    }
    sources.joined()
}

#[test]
fn each_sender_is_named_once() {
    assert_eq!(joined(&[]), None);
    assert_eq!(joined(&["a"]).as_deref(), Some("a"));
    assert_eq!(joined(&["a", "b", "a"]).as_deref(), Some("a,b"));
}

#[test]
fn a_fleet_is_cut_short() {
    let names: Vec<String> = (0..50).map(|number| format!("host-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let joined = joined(&names).unwrap();
    assert!(joined.ends_with("host-7,…"), "{joined}");
}
