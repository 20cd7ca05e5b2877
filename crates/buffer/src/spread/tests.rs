//! Where series come from when the number of lanes changes.

use super::Moved;

/// Every series whose hash leads to `lane` now, and elsewhere before.
fn expected(was: u32, over: u32, lane: u32) -> Vec<u32> {
    let mut sources: Vec<u32> = (0..10_000)
        .filter(|hash| hash % over == lane && hash % was != lane)
        .map(|hash| hash % was)
        .collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

#[test]
fn a_lane_knows_every_lane_from_which_its_series_came() {
    let powers = [1, 2, 4, 8, 64];
    for was in powers {
        for over in powers {
            let moved = Moved {
                was,
                over,
                settled_at_ms: 0,
            };
            for lane in 0..over {
                let sources: Vec<u32> = moved.sources(lane).collect();
                assert_eq!(sources, expected(was, over, lane), "{was} {over} {lane}");
            }
        }
    }
}
