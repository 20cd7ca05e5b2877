//! When reading stands still.

use super::*;

#[test]
fn fetching_is_paused_only_when_there_is_no_room_for_long() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let mut hold = Hold::default();
    assert!(hold.is_on(at(10)));
    assert!(hold.is_on(at(509)));
    assert!(!hold.is_on(at(510)), "it is time to pause");
    hold.end();
    assert!(hold.is_on(at(1000)), "each time anew");
    hold.end();
    assert!(hold.is_on(at(1600)), "there was room in time");
}
