//! A sample that is written in one go has the bytes that it has step by step, and is read as what it was.

use proptest::prelude::*;

use super::*;

fn any_point() -> impl Strategy<Value = Point> {
    let at_ms = prop_oneof![
        4 => 1_i64 << 34..1 << 43,
        1 => prop::sample::select(vec![0, 1, -1, i64::MAX, (1 << 35) - 1, 1 << 35, (1 << 42) - 1, 1 << 42]),
    ];
    let value = prop_oneof![4 => any::<f64>(), 1 => prop::sample::select(vec![0.0, -0.0])];
    let start_ms = prop_oneof![2 => Just(0_i64), 1 => any::<i64>()];
    (at_ms, value, start_ms).prop_map(|(at_ms, value, start_ms)| Point {
        at_ms,
        value,
        start_ms,
    })
}

/// Value and times, so that each number is itself.
fn bits(point: Point) -> (u64, i64, i64) {
    (point.value.to_bits(), point.at_ms, point.start_ms)
}

proptest! {
    #[test]
    fn what_is_written_is_what_a_pen_writes_and_what_is_read(point in any_point(), with_start: bool) {
        let mut written = vec![7];
        put_sample(&mut written, &point, with_start);
        let written = &written[1..];
        let mut place = [0; ROOM];
        let mut pen = Pen::new(&mut place, 0);
        pen.put_sample(&point, with_start);
        let end = pen.at;
        prop_assert_eq!(written, &place[..end]);
        prop_assert_eq!(sample_len(&point, with_start), end);
        if let Some(read) = only_sample(written) {
            prop_assert_eq!(bits(read), bits(Point { start_ms: 0, ..point }));
            prop_assert!(!with_start || point.start_ms == 0);
        } else {
            // A start time, a time of more than eight bytes or none, or less than a word in all.
            let is_plain = !with_start || point.start_ms == 0;
            let has_time = (1..1 << 56).contains(&point.at_ms);
            prop_assert!(!is_plain || !has_time || written.len() < 8);
        }
        let usual = usual_sample(written).map(bits);
        prop_assert_eq!(usual_content(&written[2..]).map(bits), usual);
        for end in 0..written.len() {
            prop_assert!(only_sample(&written[..end]).is_none());
        }
    }
}
