//! Replacing while reading.

use super::Live;

#[test]
fn what_was_read_stays_and_who_reads_later_gets_the_new() {
    let live = Live::new("old");
    let shared = live.clone();
    let (kept, read) = (live.keep(), live.read());
    shared.replace("new");
    assert_eq!((*kept, *read, *live.read()), ("old", "old", "new"));
}
