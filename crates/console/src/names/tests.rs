//! Several who know something of the same names.

use super::{KnownNames, Search, found};
use crate::shapes::Name;

struct Knows(Vec<Name>);

impl KnownNames for Knows {
    fn names(&self, search: &Search) -> (Vec<Name>, usize) {
        let names = self
            .0
            .iter()
            .filter(|name| search.is_about(&name.metric_name));
        (names.cloned().collect(), self.0.len())
    }
}

fn name(name: &str) -> Name {
    Name {
        metric_name: name.to_owned(),
        ..Name::default()
    }
}

fn sources() -> [Box<dyn KnownNames>; 2] {
    let gateway = Knows(vec![
        Name {
            samples_per_s: Some(5.0),
            tenants: vec!["a".to_owned()],
            ..name("cpu_usage_percent")
        },
        Name {
            samples_per_s: Some(50.0),
            ..name("http_requests_total")
        },
    ]);
    let recent = Knows(vec![
        Name {
            kind: Some("gauge".to_owned()),
            series: Some(7),
            tenants: vec!["a".to_owned(), "b".to_owned()],
            ..name("cpu_usage_percent")
        },
        name("memory_bytes"),
    ]);
    [Box::new(gateway), Box::new(recent)]
}

fn search(query: &str) -> Vec<String> {
    let search = Search::parse(query).unwrap();
    let names = found(&sources(), &search).names.into_iter();
    names.map(|name| name.metric_name).collect()
}

#[test]
fn what_is_sent_most_comes_first() {
    assert_eq!(
        search(""),
        ["http_requests_total", "cpu_usage_percent", "memory_bytes"]
    );
}

#[test]
fn every_word_must_be_in_the_name_whatever_its_case() {
    assert_eq!(search("search=PERCENT+cpu"), ["cpu_usage_percent"]);
    assert!(search("search=cpu+disk").is_empty());
}

#[test]
fn the_answer_says_how_many_match_and_how_many_there_are() {
    let search = Search::parse("search=s&limit=1").unwrap();
    let names = found(&sources(), &search);
    assert_eq!((names.names.len(), names.matching, names.known), (1, 3, 3));
}

#[test]
fn one_adds_what_the_other_does_not_know() {
    let search = Search::parse("search=cpu").unwrap();
    let names = found(&sources(), &search).names;
    let cpu = &names[0];
    assert_eq!(cpu.samples_per_s, Some(5.0));
    assert_eq!((cpu.kind.as_deref(), cpu.series), (Some("gauge"), Some(7)));
    assert_eq!(cpu.tenants, ["a", "b"]);
}

#[test]
fn a_parameter_that_cannot_be_is_named() {
    for (query, expected) in [
        ("limit=0", "limit=0 is not a number from 1 to 1000"),
        ("limit=x", "limit=x is not a number from 1 to 1000"),
        (
            "find=x",
            "unknown parameter \"find\"; known are search and limit",
        ),
    ] {
        assert_eq!(Search::parse(query).unwrap_err(), expected);
    }
    let long = format!("search={}", "x".repeat(257));
    assert_eq!(
        Search::parse(&long).unwrap_err(),
        "search has 257 bytes, the limit is 256"
    );
}
