//! Labels that several series share.

use super::*;

/// All fields of a line have the labels of the line; a line of a few megabytes has a hundred thousand of both.
#[test]
fn labels_that_series_share_are_sorted_once() {
    const MANY: usize = 100_000;
    let mut batch = Batch::default();
    batch.push_label("z", "1");
    batch.push_label("b", "");
    for _ in 0..MANY {
        batch.push_label("a", "2");
    }
    for _ in 0..MANY {
        batch.close_series("x", 0);
    }
    let from = batch.open_labels();
    batch.push_label("d", "3");
    batch.push_label("c", "4");
    batch.close_series("y", from);
    batch.sort_labels();
    let names = |number| -> Vec<&str> {
        let series = batch.series(number).unwrap();
        let labels = batch.labels(series).iter();
        labels.map(|label| label.name.as_ref()).collect()
    };
    assert_eq!(names(u32::try_from(MANY).unwrap()), ["c", "d"]);
    for number in [0, 1, u32::try_from(MANY).unwrap() - 1] {
        let names = names(number);
        assert_eq!(names.len(), MANY + 1);
        assert_eq!((names.first(), names.last()), (Some(&"a"), Some(&"z")));
    }
}
