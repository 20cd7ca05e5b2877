//! What is packed is what the specification reads.

use proptest::prelude::*;

use super::{Hybrid, width_of};

/// As the format's specification says, written for nothing but this.
fn decode(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (mut header, mut shift) = (0_usize, 0);
        loop {
            let byte = bytes[0];
            bytes = &bytes[1..];
            header |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if header & 1 == 1 {
            let len = (header >> 1) * width as usize;
            let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
            for value in 0..(header >> 1) * 8 {
                let bits = (0..width as usize).map(|at| bit(value * width as usize + at) << at);
                values.push(bits.sum());
            }
            bytes = &bytes[len..];
        } else {
            let len = width.div_ceil(8) as usize;
            let mut value = [0; 4];
            value[..len].copy_from_slice(&bytes[..len]);
            bytes = &bytes[len..];
            values.extend(std::iter::repeat_n(u32::from_le_bytes(value), header >> 1));
        }
    }
    assert!(values.len() >= count && values.len() < count + 8);
    assert!(values[count..].iter().all(|value| *value == 0));
    values.truncate(count);
    values
}

proptest! {
    #[test]
    fn numbers_are_read_back(
        width in 1_u32..=32,
        runs in proptest::collection::vec((any::<u32>(), 1_usize..700, any::<bool>()), 0..20),
    ) {
        let mut hybrid = Hybrid::new(width);
        let mut expected = Vec::new();
        for (value, count, one_by_one) in runs {
            let value = value >> (32 - width);
            if one_by_one {
                (0..count).for_each(|_| hybrid.push(value));
            } else {
                hybrid.repeat(value, count);
            }
            expected.extend(std::iter::repeat_n(value, count));
        }
        prop_assert_eq!(decode(&hybrid.finish(), width, expected.len()), expected);
    }
}

#[test]
fn a_width_is_enough_for_its_number() {
    for (value, width) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (255, 8), (256, 9)] {
        assert_eq!(width_of(value), width, "of {value}");
    }
}
