//! Counting by sender: the first ones by name, the others together, nothing for nothing.

use std::collections::BTreeMap;

use ::metrics::Label;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::Senders;
use crate::ingest::Origin;

fn origin(source: Option<&str>) -> Origin {
    Origin {
        tenant: None,
        source: source.map(Into::into),
    }
}

#[test]
fn the_first_senders_are_counted_by_name_and_the_others_together() {
    let recorder = DebuggingRecorder::new();
    ::metrics::with_local_recorder(&recorder, || {
        let senders = Senders::new(2);
        for (source, samples) in [
            (Some("a"), 3),
            (Some("b"), 4),
            (Some("c"), 5),
            (Some("a"), 10),
            (Some("d"), 1),
            (None, 7),
            (Some("e"), 0),
        ] {
            senders.count(&origin(source), samples);
        }
    });
    let mut counted = BTreeMap::new();
    for (key, _, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let labels: Vec<&str> = key.key().labels().map(Label::value).collect();
        if let DebugValue::Counter(samples) = value {
            counted.insert(labels.join(" "), samples);
        }
    }
    let expected = [("a", 13), ("b", 4), ("other", 6), ("unknown", 7)];
    let expected = expected.map(|(label, samples)| (label.to_owned(), samples));
    assert_eq!(counted, BTreeMap::from(expected));
}
