//! How long the room of a crowd is kept.

use super::*;

#[test]
fn the_room_of_a_crowd_is_kept_while_it_comes_and_given_up_when_it_has_gone() {
    let mut crowd = Crowd::default();
    assert_eq!(crowd.most_room(), MOST_SEALED);
    for _ in 0..10 {
        crowd.came(9000);
        // A window of few between two of many.
        crowd.came(3);
        assert!(crowd.most_room() > 60_000);
    }
    for _ in 0..50 {
        crowd.came(3);
    }
    assert_eq!(crowd.most_room(), MOST_SEALED);
}
