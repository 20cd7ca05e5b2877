//! The newest records are there, without a gap, and within the bound.

use bytes::Bytes;

use super::Memory;

fn memory(offsets: std::ops::Range<u64>) -> Memory {
    let mut memory = Memory::new(50);
    for offset in offsets {
        memory.push(offset, Bytes::from_static(b"0123456789"));
    }
    memory
}

fn offsets(memory: &Memory, from: u64, to: u64, max_bytes: usize) -> Vec<u64> {
    let read = memory.read(from, to, max_bytes);
    read.iter().map(|kept| kept.offset).collect()
}

#[test]
fn the_newest_records_are_kept() {
    let memory = memory(100..110);
    assert_eq!(offsets(&memory, 105, 110, 1000), [105, 106, 107, 108, 109]);
    assert_eq!(offsets(&memory, 107, 109, 1000), [107, 108]);
    assert_eq!(offsets(&memory, 105, 110, 15), [105, 106]);
}

#[test]
fn what_is_not_kept_is_not_answered() {
    let memory = memory(100..110);
    assert_eq!(offsets(&memory, 104, 110, 1000), [0_u64; 0]);
    assert_eq!(offsets(&memory, 110, 120, 1000), [0_u64; 0]);
}

#[test]
fn a_gap_makes_it_forget_what_was_before() {
    let mut memory = memory(0..3);
    memory.push(7, Bytes::from_static(b"a"));
    assert_eq!(offsets(&memory, 0, 8, 1000), [0_u64; 0]);
    assert_eq!(offsets(&memory, 7, 8, 1000), [7]);
}
