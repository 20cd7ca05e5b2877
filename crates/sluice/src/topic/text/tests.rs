//! Topics in words.

use buffer::Bounds;
use buffer::kafka::{Description, Difference, PartitionLayout, Purpose};

use super::{checked, description};

fn found() -> Description {
    Description {
        partitions: vec![PartitionLayout {
            partition: 0,
            leader: 1,
            replicas: vec![1, 2, 3],
            in_sync: vec![1, 3],
        }],
        settings: [("retention.ms".to_owned(), "3600000".to_owned())].into(),
        differences: vec![Difference {
            setting: "retention",
            found: "3600000 ms".to_owned(),
            wanted: "86400000 ms".to_owned(),
            why: "records expire sooner than the settings promise",
        }],
    }
}

#[test]
fn a_topic_is_described_with_what_is_wrong_about_it() {
    let bounds = [Bounds {
        partition: 0,
        start: 5,
        end: 1234,
    }];
    insta::assert_snapshot!(description("metrics", &found(), &bounds), @r"
    topic metrics, 1 partitions

    partition  leader  replicas      in sync       first offset    next offset
            0       1  1,2,3         1,3                      5           1234

    1 partitions have replicas that are not in sync

    retention.ms = 3600000

      retention is 3600000 ms, wanted 86400000 ms: records expire sooner than the settings promise
    ");
}

#[test]
fn a_check_says_of_each_topic_whether_it_is_right() {
    let missing = checked("metrics", Purpose::Samples, None);
    assert_eq!(missing, "metrics (samples) is missing\n");
    let mut right = found();
    right.differences.clear();
    let right = checked("groups", Purpose::Table, Some(&right));
    assert_eq!(right, "groups (a table) is as the settings want it\n");
    let wrong = checked("metrics", Purpose::Samples, Some(&found()));
    assert!(wrong.contains("\n  retention is 3600000 ms"), "{wrong}");
}
