//! Counting by sender: the first ones by name, the others together, nothing for nothing.

use std::collections::BTreeMap;

use ::metrics::Label;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::Senders;
use crate::metrics::sent_by_tenant;

#[test]
fn the_first_senders_are_counted_by_name_and_the_others_together() {
    let recorder = DebuggingRecorder::new();
    ::metrics::with_local_recorder(&recorder, || {
        let senders = Senders::new(2, sent_by_tenant, "none");
        for (source, samples) in [
            (Some("a"), 3),
            (Some("b"), 4),
            (Some("c"), 5),
            (Some("a"), 10),
            (Some("d"), 1),
            (None, 7),
            (Some("e"), 0),
        ] {
            senders.count(source.map(Into::into).as_ref(), samples);
        }
    });
    let mut counted = BTreeMap::new();
    for (key, _, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let labels: Vec<&str> = key.key().labels().map(Label::value).collect();
        if let DebugValue::Counter(samples) = value {
            counted.insert(labels.join(" "), samples);
        }
    }
    let expected = [("a", 13), ("b", 4), ("none", 7), ("other", 6)];
    let expected = expected.map(|(label, samples)| (label.to_owned(), samples));
    assert_eq!(counted, BTreeMap::from(expected));
}
