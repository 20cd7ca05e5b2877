//! What has most is found among many others.

use bytes::Bytes;

use super::{Frequent, Load};

fn load(bytes: u64) -> Load {
    Load {
        bytes,
        samples: bytes / 10,
    }
}

fn key(number: u64) -> Bytes {
    format!("metric_{number}").into()
}

#[test]
fn as_long_as_there_is_room_everything_is_exact() {
    let mut frequent = Frequent::new(16);
    for round in 1..=3 {
        for number in 0..16 {
            frequent.add(&key(number), load(round * 10 * (number + 1)));
        }
    }
    let top = frequent.take(2);
    assert_eq!(top, [(key(15), load(960)), (key(14), load(900))]);
    assert!(frequent.take(2).is_empty(), "counting begins anew");
}

#[test]
fn what_has_most_is_found_among_ten_thousand_and_never_overstated() {
    let mut frequent = Frequent::new(200);
    let mut all = 0;
    for round in 0..50_u64 {
        for number in 0..10_000_u64 {
            // Only a few have more than their share.
            let bytes = if number % 1000 == 0 {
                5000 + number
            } else {
                10
            };
            if bytes > 10 || (number + round) % 10 == 0 {
                frequent.add(&key(number), load(bytes));
                all += bytes;
            }
        }
    }
    let top = frequent.take(10);
    assert_eq!(top.len(), 10);
    for (found, load) in top {
        let name = String::from_utf8_lossy(&found).into_owned();
        let number: u64 = name.trim_start_matches("metric_").parse().unwrap();
        assert_eq!(number % 1000, 0, "{name} has little");
        let came = 50 * (5000 + number);
        assert!(load.bytes <= came, "{name}: {} of {came}", load.bytes);
        assert!(
            load.bytes >= came - all / 50,
            "{name}: {} of {came}",
            load.bytes
        );
    }
}
