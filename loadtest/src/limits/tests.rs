//! Limits do the work that they say, on bodies of every protocol.

use std::time::Duration;

use codec::wire::v2;
use prost::Message as _;

use super::bodies::Bodies;
use super::pipeline::Records;
use super::{decode, inflate, stopwatch};
use crate::outcome::Outcome;
use crate::protocol::{Compression, Protocol};

/// Enough for one turn through the bodies.
const SHORT: Duration = Duration::from_micros(1);

fn check_all_found(protocol: Protocol, batch: usize, expected: &[&str]) {
    let bodies = Bodies::new(protocol, batch).unwrap();
    let outcomes = decode::measure(&bodies, SHORT).unwrap();
    let subjects: Vec<_> = outcomes.iter().map(|line| line.subject.as_str()).collect();
    assert_eq!(subjects, expected);
    for line in outcomes {
        // The stopwatch itself checks that as many samples were found as were sent.
        assert_eq!(line.samples, line.requests * batch as u64);
        assert!(line.cpu_s.unwrap() > 0.0);
    }
}

#[test]
fn every_library_finds_every_sample() {
    for batch in [1, 10, 1000] {
        check_all_found(
            Protocol::Json,
            batch,
            &["sonic-rs decode", "serde_json decode"],
        );
    }
    let remote_write = [
        "buffa views decode",
        "prost decode",
        "snap + buffa views decode",
        "snap + prost decode",
    ];
    check_all_found(Protocol::RemoteWrite1, 100, &remote_write);
    check_all_found(Protocol::RemoteWrite2, 100, &remote_write);
    check_all_found(Protocol::Otlp, 100, &["buffa views decode", "prost decode"]);
    check_all_found(Protocol::Influx, 100, &["influxdb-line-protocol decode"]);
    check_all_found(Protocol::Text, 100, &["a trusting reader's decode"]);
}

#[test]
fn every_inflater_gives_back_every_sample() {
    let bodies = Bodies::new(Protocol::Json, 100).unwrap();
    let outcomes = inflate::measure(&bodies, SHORT).unwrap();
    assert!(outcomes.iter().all(|line| line.scenario == "json-gzip-100"));
    let of_stage = |stage: &str| {
        let has = |line: &&Outcome| line.parameters["stage"] == stage;
        outcomes.iter().filter(has).count()
    };
    assert_eq!((of_stage("inflate"), of_stage("decode+inflate")), (2, 2));
}

#[test]
fn no_body_is_like_another() {
    let bodies = Bodies::new(Protocol::RemoteWrite2, 100).unwrap();
    let mut plain = bodies.plain.clone();
    plain.sort();
    plain.dedup();
    assert_eq!(plain.len(), bodies.plain.len());
    assert_eq!(
        bodies.compressed(Compression::Snappy).unwrap().len(),
        plain.len()
    );
}

#[test]
fn the_straightforward_way_makes_a_record_per_name_with_all_samples() {
    let bodies = Bodies::new(Protocol::Json, 1000).unwrap();
    let mut records = Records::default();
    let pushed: usize = bodies.plain.iter().map(|body| records.add(body)).sum();
    let records = records.finish();
    assert_eq!((records.len(), pushed), (50, 16_000));
    let samples = records.iter().map(|(name, record)| {
        let request = v2::Request::decode(record.as_ref()).unwrap();
        assert!(request.symbols.contains(name));
        let series = request.timeseries.iter();
        series.map(|series| series.samples.len()).sum::<usize>()
    });
    assert_eq!(samples.sum::<usize>(), pushed);
}

#[test]
fn a_line_says_what_it_did_and_how_much_it_moved() {
    let bodies = Bodies::new(Protocol::Json, 10).unwrap();
    let titles = ("json-10".to_owned(), "nothing", "decode");
    let line = stopwatch::measure(&bodies, titles, &bodies.plain, SHORT, |_| 10);
    assert_eq!(line.scenario, "json-10");
    assert_eq!(line.parameters["protocol"], "json");
    assert_eq!(line.parameters["names"], "10");
    assert!(line.note.starts_with("one thread; "), "{}", line.note);
}

#[test]
#[should_panic(expected = "saw other samples than were sent")]
fn a_limit_that_skips_samples_is_no_limit() {
    let bodies = Bodies::new(Protocol::Json, 10).unwrap();
    let titles = ("json-10".to_owned(), "a skipping decoder", "decode");
    stopwatch::measure(&bodies, titles, &bodies.plain, SHORT, |_| 9);
}
