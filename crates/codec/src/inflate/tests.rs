//! Whole or refused: nothing of a body is lost, and nothing larger than the limit comes out.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 20;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ::zstd::bulk::compress(data, 3).unwrap()
}

fn run(encoding: Encoding, body: &[u8], limit_bytes: usize) -> Result<Vec<u8>, String> {
    inflate(encoding, &Bytes::copy_from_slice(body), limit_bytes)
        .map(|inflated| inflated.to_vec())
        .map_err(|error| error.to_string())
}

#[track_caller]
fn refused(encoding: Encoding, body: &[u8], message: &str) {
    assert_eq!(run(encoding, body, LIMIT), Err(message.to_owned()));
}

#[test]
fn the_header_is_read_leniently() {
    for (header, encoding) in [
        (None, Encoding::Identity),
        (Some(""), Encoding::Identity),
        (Some(" Identity "), Encoding::Identity),
        (Some("GZIP"), Encoding::Gzip),
        (Some("x-gzip"), Encoding::Gzip),
        (Some("deflate"), Encoding::Deflate),
        (Some("\tzstd"), Encoding::Zstd),
    ] {
        assert_eq!(Encoding::parse(header), Ok(encoding), "{header:?}");
    }
}

#[test]
fn an_unknown_encoding_is_named() {
    assert_eq!(
        Encoding::parse(Some("br")).unwrap_err().to_string(),
        r#"content-encoding "br" is not supported; use identity, gzip, deflate or zstd"#
    );
    assert_eq!(
        Encoding::parse(Some("gzip, gzip")).unwrap_err().to_string(),
        r#"content-encoding "gzip, gzip" names several encodings; use one of gzip, deflate, zstd"#
    );
}

#[test]
fn identity_shares_the_bytes() {
    let body = Bytes::from_static(b"hello");
    let inflated = inflate(Encoding::Identity, &body, 5).unwrap();
    assert_eq!(inflated.as_ptr(), body.as_ptr());
    assert_eq!(
        run(Encoding::Identity, b"hello", 4),
        Err("the body has more than 4 bytes when decompressed".to_owned())
    );
}

#[test]
fn all_gzip_members_count() {
    let mut body = gzip(b"hello ");
    body.extend(gzip(b""));
    body.extend(gzip(b"world"));
    assert_eq!(run(Encoding::Gzip, &body, LIMIT).unwrap(), b"hello world");
    body.extend([0; 512]);
    assert_eq!(
        run(Encoding::Gzip, &body, LIMIT).unwrap(),
        b"hello world",
        "padding"
    );
}

#[test]
fn gzip_headers_may_have_every_field() {
    let plain = gzip(b"hello");
    let mut header = plain[..10].to_vec();
    header[3] = 0b0001_1110;
    header.extend(b"\x03\x00abcname\0comment\0");
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    let mut body = header.clone();
    body.extend(&crc.sum().to_le_bytes()[..2]);
    body.extend(&plain[10..]);
    assert_eq!(run(Encoding::Gzip, &body, LIMIT).unwrap(), b"hello");

    let mut wrong = header.clone();
    wrong.extend([1, 2]);
    wrong.extend(&plain[10..]);
    refused(
        Encoding::Gzip,
        &wrong,
        "the body is not valid gzip: the header's checksum does not match",
    );
    refused(
        Encoding::Gzip,
        &header[..14],
        "the body is not valid gzip: truncated, the body breaks off in the header",
    );
}

#[test]
fn bytes_behind_the_end_are_not_lost_silently() {
    let mut body = gzip(b"hello");
    body.extend(b"{}");
    refused(
        Encoding::Gzip,
        &body,
        "the body is not valid gzip: 2 bytes follow the end of the last member and are not another one",
    );
    let mut body = zlib(b"hello");
    body.push(0);
    refused(
        Encoding::Deflate,
        &body,
        "the body is not valid deflate: 1 bytes follow the end of the stream",
    );
    let mut body = zstd(b"hello");
    body.extend(b"garbage");
    refused(
        Encoding::Zstd,
        &body,
        "the body is not valid zstd: Unknown frame descriptor, after 5 bytes of output",
    );
}

#[test]
fn a_body_that_is_not_compressed_is_said_so() {
    refused(
        Encoding::Gzip,
        b"{\"metrics\":[]}",
        "the body is not valid gzip: it does not start with the gzip magic 1f 8b; is it compressed at all?",
    );
    refused(
        Encoding::Zstd,
        b"{\"metrics\":[]}",
        "the body is not valid zstd: Unknown frame descriptor, after 0 bytes of output",
    );
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        refused(
            encoding,
            b"",
            &format!(
                "the body is not valid {}: truncated, the body is empty",
                encoding.as_str()
            ),
        );
    }
}

#[test]
fn every_truncation_is_an_error() {
    let data: Vec<u8> = (0..2000_u32).flat_map(u32::to_le_bytes).collect();
    for (encoding, body) in [
        (Encoding::Gzip, gzip(&data)),
        (Encoding::Deflate, zlib(&data)),
        (Encoding::Deflate, raw_deflate(&data)),
        (Encoding::Zstd, zstd(&data)),
    ] {
        for end in 0..body.len() {
            let error = run(encoding, &body[..end], LIMIT).unwrap_err();
            assert!(error.contains("truncated"), "{end}: {error}");
        }
        assert_eq!(run(encoding, &body, LIMIT).unwrap(), data);
    }
}

#[test]
fn checksums_are_checked() {
    let mut body = gzip(b"hello");
    let crc = body.len() - 8;
    body[crc] ^= 1;
    refused(
        Encoding::Gzip,
        &body,
        "the body is not valid gzip: the checksum does not match",
    );
    let mut body = gzip(b"hello");
    let length = body.len() - 1;
    body[length] ^= 1;
    refused(
        Encoding::Gzip,
        &body,
        "the body is not valid gzip: the length in the trailer does not match",
    );
    let mut body = zlib(b"hello");
    let last = body.len() - 1;
    body[last] ^= 1;
    assert!(run(Encoding::Deflate, &body, LIMIT).is_err());
}

#[test]
fn raw_deflate_is_taken_for_deflate() {
    assert_eq!(
        run(Encoding::Deflate, &raw_deflate(b"hello"), LIMIT).unwrap(),
        b"hello"
    );
}

#[test]
fn several_zstd_frames_count() {
    let mut body = zstd(b"hello ");
    // A skippable frame.
    body.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    body.extend(zstd(b"world"));
    assert_eq!(run(Encoding::Zstd, &body, LIMIT).unwrap(), b"hello world");
}

#[test]
fn a_zstd_window_beyond_8_mib_is_refused() {
    // A frame header with a window of 16 MiB (exponent 14, mantissa 0) and one empty raw block.
    let body = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 14 << 3, 0x01, 0x00, 0x00];
    let error = run(Encoding::Zstd, &body, LIMIT).unwrap_err();
    assert_eq!(
        error,
        "the body is not valid zstd: Frame requires too much memory for decoding, after 0 bytes of output"
    );
    let body = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3, 0x01, 0x00, 0x00];
    assert_eq!(run(Encoding::Zstd, &body, LIMIT).unwrap(), b"");
}

#[test]
fn a_bomb_costs_no_more_than_the_limit() {
    let zeros = vec![0; 8 << 20];
    for (encoding, body) in [
        (Encoding::Gzip, gzip(&zeros)),
        (Encoding::Deflate, zlib(&zeros)),
        (Encoding::Zstd, zstd(&zeros)),
    ] {
        assert_eq!(
            run(encoding, &body, LIMIT),
            Err("the body has more than 1048576 bytes when decompressed".to_owned())
        );
        assert_eq!(run(encoding, &body, zeros.len()).unwrap(), zeros);
        assert!(run(encoding, &body, zeros.len() - 1).is_err());
    }
}

#[test]
fn the_output_buffer_never_outgrows_the_limit() {
    let mut output = Vec::new();
    while output.len() <= 100_000 {
        reserve(&mut output, 100_000);
        assert!(output.capacity() <= 100_001, "{}", output.capacity());
        output.resize(output.capacity(), 0);
    }
}

#[test]
fn a_body_under_the_name_of_snappy_may_be_zstd() {
    for body in [crate::snappy::compress(b"hello"), zstd(b"hello")] {
        assert_eq!(run(Encoding::Snappy, &body, 5), Ok(b"hello".to_vec()));
        assert_eq!(
            run(Encoding::Snappy, &body, 4),
            Err("the body has more than 4 bytes when decompressed".to_owned())
        );
    }
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        Just(Encoding::Gzip),
        Just(Encoding::Deflate),
        Just(Encoding::Zstd),
        Just(Encoding::Snappy)
    ]
}

fn compress(encoding: Encoding, data: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Identity => data.to_vec(),
        Encoding::Gzip => gzip(data),
        Encoding::Deflate => zlib(data),
        Encoding::Zstd => zstd(data),
        Encoding::Snappy => crate::snappy::compress(data),
        Encoding::SnappyFramed => {
            let mut encoder = snap::write::FrameEncoder::new(Vec::new());
            encoder.write_all(data).unwrap();
            encoder.into_inner().unwrap()
        }
    }
}

proptest! {
    #[test]
    fn what_was_compressed_comes_back(
        encoding in any_encoding(),
        data in prop::collection::vec(0_u8..4, 0..40_000),
    ) {
        prop_assert_eq!(run(encoding, &compress(encoding, &data), data.len()), Ok(data));
    }

    #[test]
    fn mutated_bodies_never_panic_and_keep_the_limit(
        encoding in any_encoding(),
        data in prop::collection::vec(any::<u8>(), 0..400),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut body = compress(encoding, &data);
        for (at, byte) in flips {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok(inflated) = run(encoding, &body, 200) {
            prop_assert!(inflated.len() <= 200);
        }
    }

    #[test]
    fn random_bytes_never_panic(encoding in any_encoding(), body: Vec<u8>) {
        if let Ok(inflated) = run(encoding, &body, 1000) {
            prop_assert!(inflated.len() <= 1000);
        }
    }
}

#[test]
fn nothing_between_a_gzip_member_and_the_end_is_passed_over() {
    let member = gzip(b"{\"metrics\":[]}");
    let (stream, trailer) = member.split_at(member.len() - 8);
    for between in [
        b"x".as_slice(),
        b"lost samples",
        trailer,
        &[trailer, b"lost"].concat(),
        &[0; 20],
    ] {
        let body = [stream, between, trailer].concat();
        assert!(run(Encoding::Gzip, &body, LIMIT).is_err(), "{between:?}");
    }
    let again = [member.as_slice(), &member].concat();
    assert_eq!(
        run(Encoding::Gzip, &again, LIMIT).unwrap(),
        b"{\"metrics\":[]}{\"metrics\":[]}"
    );
}
