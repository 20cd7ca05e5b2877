//! A receiver that knows lines takes, refuses and adds up what one takes that knows none.

use std::sync::Arc;

use codec::statsd::{Found, Parts, Reading, decode};
use metrics_util::debugging::DebuggingRecorder;
use model::{Clock, Limits, ManualClock};
use proptest::prelude::*;

use super::super::aggregate::{Aggregator, Scratch};
use super::super::intake::Intake;
use super::super::rules::Rules;
use super::super::series::Identity;
use super::super::tests::counters;
use super::KnownLines;
use crate::config::{RecordFormat, StatsdConfig};

const NOW_MS: i64 = 1_700_000_000_000;

fn aggregator(config: &StatsdConfig) -> Arc<Aggregator> {
    let rules = Rules::of(
        config,
        &Limits::default(),
        RecordFormat::Protobuf,
        "gw-1".to_owned(),
    );
    Arc::new(Aggregator::new(rules, config.max_memory.bytes()))
}

/// What packets come to, and every counter, with so much memory for lines.
fn outcome(rounds: &[Vec<String>], known_bytes: usize) -> (Vec<String>, Vec<String>) {
    let config = StatsdConfig {
        // Some lines find no room.
        max_memory: "4KiB".parse().unwrap(),
        ..StatsdConfig::default()
    };
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let mut said = Vec::new();
    metrics::with_local_recorder(&recorder, || {
        let aggregator = aggregator(&config);
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW_MS));
        let mut intake = Intake::new(&aggregator, &clock, "udp", known_bytes);
        for (number, packets) in rounds.iter().enumerate() {
            for packet in packets {
                intake.packet(packet.as_bytes());
            }
            intake.tell();
            // Every other time all series end in between.
            let hours = i64::try_from(number % 2).unwrap() * 2;
            let at_ms = NOW_MS + hours * 3_600_000;
            for part in 0..aggregator.parts() {
                let items = aggregator.snapshot(part, at_ms);
                for item in &items {
                    let Identity {
                        name, labels, at_s, ..
                    } = &*item.identity;
                    let value = &item.value;
                    said.push(format!("{number} {name} {labels:?} {at_s} {value:?}"));
                }
                aggregator.confirm(part, &items);
            }
        }
    });
    said.sort();
    (said, counters(&snapshotter))
}

fn line() -> impl Strategy<Value = String> {
    let head = prop::sample::select(vec!["a", "b", "b,x=1", "b[x=1]c", "", "_e{1,1}", "é"]);
    let value = prop::sample::select(vec![
        "1", "2.5", "-1", "+3", "1:2", "1:x", "", "inf", "1e308", "word", "é", "1e400",
    ]);
    let tail = prop::sample::select(vec![
        "|c",
        "|g",
        "|ms|@0.5",
        "|h|#x:1,y",
        "|s",
        "|s|#x:1",
        "|c|#y,x:1",
        "|c|@0.1|#gateway:z",
        "|c|T1700000000",
        "|d|c:abc|e:it",
        "|c:2|g",
        "|m|@2",
        "|q",
        "|",
        "",
    ]);
    (head, value, tail).prop_map(|(head, value, tail)| format!("{head}:{value}{tail}"))
}

proptest! {
    #[test]
    fn knowing_a_line_changes_nothing_but_its_cost(
        rounds in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(line(), 1..4), 1..12),
            1..5,
        ),
    ) {
        let packets = |round: &Vec<Vec<String>>| round.iter().map(|lines| lines.join("\n")).collect();
        let rounds: Vec<Vec<String>> = rounds.iter().map(packets).collect();
        let without = outcome(&rounds, 0);
        prop_assert_eq!(&outcome(&rounds, 1 << 20), &without);
        // With room for a few lines only, those that are known change all the time.
        prop_assert_eq!(&outcome(&rounds, 1000), &without);
    }
}

fn read(line: &str) -> (Reading<'static>, Arc<Identity>) {
    let aggregator = aggregator(&StatsdConfig::default());
    let mut read = None;
    decode(line.as_bytes(), |_, found| {
        if let Found::Sample(sample) = found {
            let identity = aggregator.add(&sample, &mut Scratch::default(), NOW_MS);
            read = Some((sample.reading.with_value(b"1").unwrap(), identity.unwrap()));
        }
    });
    read.unwrap()
}

fn learn(known: &mut KnownLines, line: &str) {
    let (reading, identity) = read(line);
    known.learn(&Parts::of(line.as_bytes()).unwrap(), reading, identity);
}

#[track_caller]
fn check(known: &KnownLines, line: &str, name: Option<&str>) {
    let found = known.find(&Parts::of(line.as_bytes()).unwrap());
    assert_eq!(found.map(|line| &*line.identity.name), name);
}

#[test]
fn a_line_is_known_with_any_value() {
    let mut known = KnownLines::new(1 << 20);
    check(&known, "hits:1|c", None);
    learn(&mut known, "hits:1|c");
    check(&known, "hits:27:3|c", Some("hits"));
    check(&known, "hits:1|c|@0.5", None);
    check(&known, "hit:1|c", None);
}

#[test]
fn what_ends_where_another_begins_is_not_taken_for_it() {
    let mut known = KnownLines::new(1 << 20);
    learn(&mut known, "a|c:1|c");
    check(&known, "a:1|c|c", None);
}

#[test]
fn memory_is_bounded_and_goes_to_the_lines_that_come() {
    let mut known = KnownLines::new(4096);
    for number in 0..1000 {
        learn(&mut known, &format!("name_{number}:1|c"));
        assert!(known.used_bytes < 4096 + 500);
    }
    for _ in 0..200 {
        learn(&mut known, "hits:1|c");
    }
    check(&known, "hits:1|c", Some("hits"));
}
