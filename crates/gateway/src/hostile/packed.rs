//! Compressed bodies, made by hand: compressing is not this crate's task.

/// A gzip member that stores `data` as it is.
pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let length = u16::try_from(data.len()).unwrap();
    packed.push(1);
    packed.extend(length.to_le_bytes());
    packed.extend((!length).to_le_bytes());
    packed.extend(data);
    packed.extend(crc32(data).to_le_bytes());
    packed.extend(u32::from(length).to_le_bytes());
    packed
}

fn crc32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// A zstd frame of so many spaces, in blocks of 128 KiB that say "this byte, that often".
pub(super) fn zstd_spaces(bytes: u32) -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    // Magic number; no content size, no checksum; a window of 1 MiB.
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let mut left = bytes;
    while left > 0 {
        let block = left.min(BLOCK);
        left -= block;
        let header = (block << 3) | (1 << 1) | u32::from(left == 0);
        packed.extend(&header.to_le_bytes()[..3]);
        packed.push(b' ');
    }
    packed
}
