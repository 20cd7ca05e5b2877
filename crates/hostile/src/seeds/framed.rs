//! Compressed bodies and connections.

use super::owned;
use super::texts::JSON;

/// A gzip member that stores its data as it is.
fn gzip(data: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    packed.extend(stored(data));
    packed.extend(crc32(data).to_le_bytes());
    packed.extend(u32::try_from(data.len()).unwrap_or(0).to_le_bytes());
    packed
}

/// A block of DEFLATE that is the last one and not compressed.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(0);
    let mut block = vec![1];
    block.extend(length.to_le_bytes());
    block.extend((!length).to_le_bytes());
    block.extend(data);
    block
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

fn zlib(data: &[u8]) -> Vec<u8> {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in data {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    [
        &[0x78, 0x01][..],
        &stored(data),
        &((high << 16) | low).to_be_bytes(),
    ]
    .concat()
}

/// A frame of one raw block and one that says "this byte, 1000 times".
fn zstd(data: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let length = u32::try_from(data.len()).unwrap_or(0);
    packed.extend(&(length << 3).to_le_bytes()[..3]);
    packed.extend(data);
    packed.extend(&((1000_u32 << 3) | 3).to_le_bytes()[..3]);
    packed.push(b' ');
    packed
}

pub(crate) fn inflate() -> Vec<Vec<u8>> {
    let data = JSON.as_bytes();
    let framed = [
        b"\xff\x06\0\0sNaPpY\x01\x06\0\0".as_slice(),
        // The masked CRC-32C is wrong in most of what the fuzzer makes of it; it need not be right here either.
        &[0, 0, 0, 0, b'a', b'b'],
    ];
    vec![
        gzip(data),
        [gzip(b"{\"metrics\""), gzip(b":[]}")].concat(),
        zlib(data),
        stored(data),
        zstd(data),
        [
            zstd(b"a"),
            b"\x50\x2a\x4d\x18\x02\0\0\0xx".to_vec(),
            zstd(b"b"),
        ]
        .concat(),
        framed.concat(),
        codec::snappy::compress(data),
    ]
}

pub(crate) fn snappy() -> Vec<Vec<u8>> {
    vec![
        codec::snappy::compress(JSON.as_bytes()),
        codec::snappy::compress(&[b'x'; 3000]),
        codec::snappy::compress(b""),
    ]
}

pub(crate) fn connection() -> Vec<Vec<u8>> {
    let mut all = owned([
        "GET / HTTP/1.1\r\nhost: x\r\n\r\nPOST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntrailer: t\r\n\r\n3;ext=1\r\nabc\r\n0\r\nt: v\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\nconnection: keep-alive, upgrade\r\nupgrade: h2c\r\n\r\nabc",
    ]);
    let mut http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let frame = |length: u8, kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
    };
    http2.extend(frame(0, 4, 0, 0, &[]));
    // GET / on http, and a host.
    let head = [&[0x82, 0x84, 0x86, 0x41, 0x01][..], b"x"].concat();
    http2.extend(frame(6, 1, 5, 1, &head));
    http2.extend(frame(8, 6, 0, 0, &[0; 8]));
    http2.extend(frame(6, 1, 4, 3, &head));
    http2.extend(frame(3, 0, 1, 3, b"abc"));
    http2.extend(frame(4, 3, 0, 1, &[0, 0, 0, 8]));
    http2.extend(frame(4, 8, 0, 0, &[0, 0, 1, 0]));
    all.push(http2);
    all
}
