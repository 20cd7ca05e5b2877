//! Every decoder reads what is written: the library, and one that was written from the format's description.

use proptest::prelude::*;

use super::*;

/// Reads a block as the format's description says, and refuses what it does not allow.
pub(crate) fn decoded(block: &[u8]) -> Option<Vec<u8>> {
    let (mut claimed, mut at) = (0_usize, 0);
    loop {
        let byte = *block.get(at)?;
        claimed |= usize::from(byte & 0x7f) << (7 * at);
        at += 1;
        if byte < 0x80 {
            break;
        }
    }
    let number = |at: usize, bytes: usize| {
        let bytes = block.get(at..at + bytes)?;
        Some(
            bytes
                .iter()
                .rfold(0, |all, byte| all << 8 | usize::from(*byte)),
        )
    };
    let mut data = Vec::new();
    while let Some(tag) = block.get(at) {
        at += 1;
        let (kind, upper) = (tag & 3, usize::from(tag >> 2));
        let (distance, bytes) = match kind {
            0 => {
                let more = upper.saturating_sub(59);
                let len = if more == 0 { upper } else { number(at, more)? } + 1;
                at += more;
                data.extend_from_slice(block.get(at..at + len)?);
                at += len;
                continue;
            }
            1 => (upper >> 3 << 8 | number(at, 1)?, (upper & 7) + 4),
            2 => (number(at, 2)?, upper + 1),
            _ => (number(at, 4)?, upper + 1),
        };
        at += [0, 1, 2, 4][usize::from(kind)];
        if distance == 0 {
            return None;
        }
        for _ in 0..bytes {
            data.push(*data.get(data.len().checked_sub(distance)?)?);
        }
    }
    (data.len() == claimed).then_some(data)
}

#[derive(Debug, Clone)]
enum Step {
    Add(usize),
    /// Bytes, and where from, as a part of what there is.
    Repeat(usize, u16),
    Both(usize, u16, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let bytes = || {
        prop_oneof![
            6 => 0_usize..20,
            4 => 56_usize..72,
            3 => 120_usize..260,
            1 => 65_530_usize..65_542,
            1 => 131_000_usize..132_000,
        ]
    };
    prop_oneof![
        bytes().prop_map(Step::Add),
        (bytes(), any::<u16>()).prop_map(|(bytes, from)| Step::Repeat(bytes, from)),
        (bytes(), any::<u16>(), 0_usize..20)
            .prop_map(|(bytes, from, added)| Step::Both(bytes, from, added)),
    ]
}

/// Patternless, so that a copy from elsewhere shows.
fn bytes_of(count: usize, seed: usize) -> Vec<u8> {
    let byte = |at: usize| (at + 7 * seed).wrapping_mul(0x9e37_79b9).to_le_bytes()[2];
    (0..count).map(byte).collect()
}

fn repeat(data: &mut Vec<u8>, bytes: usize, distance: usize) {
    for _ in 0..bytes {
        data.push(data[data.len() - distance]);
    }
}

proptest! {
    #[test]
    fn a_block_is_what_was_added(
        before in 0_usize..300,
        blocks in prop::collection::vec(prop::collection::vec(any_step(), 0..20), 1..3),
    ) {
        // Used again, as an encoder uses them.
        let mut elements = Elements::default();
        let mut compressor = Compressor::default();
        for steps in blocks {
            let before = bytes_of(before, 1);
            let mut data = before.clone();
            let start = data.len();
            for (seed, step) in steps.into_iter().enumerate() {
                let distance = |from: u16| {
                    1 + usize::from(from) * REACH.min(data.len() - 1) / usize::from(u16::MAX)
                };
                match step {
                    Step::Repeat(..) | Step::Both(..) if data.is_empty() => {}
                    Step::Add(count) => {
                        let added = bytes_of(count, seed);
                        elements.literal(&added);
                        data.extend_from_slice(&added);
                    }
                    Step::Repeat(bytes, from) => {
                        let distance = distance(from).min(data.len());
                        elements.repeat(bytes, distance);
                        repeat(&mut data, bytes, distance);
                    }
                    Step::Both(bytes, from, count) => {
                        let distance = distance(from).min(data.len());
                        // With some bytes behind, or without.
                        let of = bytes_of(count + 3 * usize::from(from % 8), seed);
                        elements.repeat_and_add(bytes, distance, &of, 0..count);
                        repeat(&mut data, bytes, distance);
                        data.extend_from_slice(&of[..count]);
                    }
                }
            }
            let block = elements.block(&mut compressor, &before, data.len() - start);
            elements.clear();
            prop_assert!(crate::snappy::decompress(&block, data.len()).unwrap() == data);
            prop_assert!(decoded(&block) == Some(data));
        }
    }
}

#[test]
fn copies_are_as_short_as_the_format_allows() {
    let block = |bytes: usize, distance: usize| {
        let mut elements = Elements::default();
        elements.literal(&[7; 2100]);
        elements.repeat(bytes, distance);
        let block = elements.block(&mut Compressor::default(), &[], 2100 + bytes);
        block[2 + 3 + 2100..].to_vec()
    };
    assert_eq!(block(3, 5), [2 << 2 | 2, 5, 0]);
    assert_eq!(block(4, 5), [1, 5]);
    assert_eq!(block(11, 2047), [7 << 5 | 7 << 2 | 1, 255]);
    assert_eq!(block(11, 2048), [10 << 2 | 2, 0, 8]);
    assert_eq!(block(12, 5), [11 << 2 | 2, 5, 0]);
    assert_eq!(block(64, 5), [63 << 2 | 2, 5, 0]);
    assert_eq!(block(65, 5), [59 << 2 | 2, 5, 0, 1 << 2 | 1, 5]);
    assert_eq!(block(68, 5), [63 << 2 | 2, 5, 0, 1, 5]);
    assert_eq!(block(128, 5), [63 << 2 | 2, 5, 0, 63 << 2 | 2, 5, 0]);
    assert_eq!(block(129, 5).len(), 8);
}

#[test]
fn what_a_large_block_needed_is_given_back() {
    let mut elements = Elements::default();
    elements.literal(&[7; KEPT_BYTES / 2]);
    elements.clear();
    assert!(elements.place.capacity() > 0);
    elements.literal(&[7; KEPT_BYTES + 1]);
    elements.clear();
    assert_eq!(elements.place.capacity(), 0);
}
