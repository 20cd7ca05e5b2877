//! Footers that say more than they can hold are refused at once; those of real files are not.

use bytes::Bytes;

use super::*;

/// A file that is nothing but this footer.
fn file(footer: &[u8]) -> Bytes {
    let mut file = b"PAR1".to_vec();
    file.extend_from_slice(footer);
    file.extend_from_slice(&u32::try_from(footer.len()).unwrap().to_le_bytes());
    file.extend_from_slice(b"PAR1");
    file.into()
}

fn is_refused(footer: &[u8]) -> bool {
    let refused = check(&file(footer)).is_err();
    assert_eq!(refused, !is_bounded(footer));
    refused
}

#[test]
fn lists_and_maps_of_more_items_than_bytes_are_refused() {
    // Field 9 of the structure: a list, a set, a map; two billions of truth values, bytes, or structures.
    for kind in [0x99, 0x9a] {
        for item in [0xf1, 0xf2, 0xf3, 0xfc] {
            assert!(is_refused(&[
                kind, item, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0
            ]));
        }
    }
    assert!(is_refused(&[
        0x9b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x11, 0, 0
    ]));
    // Many lists, each of which alone would do.
    let mut many = [0x19, 0xf1, 0x20].repeat(20);
    many.push(0);
    assert!(is_refused(&many));
    // Within a list of structures.
    assert!(is_refused(&[
        0x19, 0x1c, 0x19, 0xf2, 0xff, 0xff, 0x7f, 0, 0
    ]));
}

#[test]
fn what_is_too_deep_is_refused() {
    assert!(is_refused(&[0x1c].repeat(MOST_DEPTH + 1)));
    assert!(!is_refused(&[0x1c].repeat(MOST_DEPTH - 1)));
}

#[test]
fn what_breaks_off_or_is_another_protocol_is_left_to_the_library() {
    for footer in [
        &b""[..],
        &[0],
        &[0x15],
        &[0x18, 0xff, 0xff, 0x03],
        &[0x1e, 0x00],
        &[0x19, 0x11, 0x00],
        &[0xff; 12],
        &[
            0x15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        ],
    ] {
        assert!(!is_refused(footer), "{footer:x?}");
    }
    check(&Bytes::from_static(b"PAR1")).unwrap();
    check(&Bytes::from_static(b"PAR1\xff\xff\xff\xffPAR1")).unwrap();
    check(&Bytes::from_static(b"PAR1\0\0\0\0nope")).unwrap();
}

/// Found by fuzzing: the library was busy with it for ten seconds.
#[test]
fn a_file_that_the_library_would_not_come_to_an_end_with() {
    let file = Bytes::from_static(
        b"PAR1res\xc9\xc9aaaa\x09\x09\x09\x09\x0dbatc\x00\x09\x09\x09\x09\x09\x09\x09\x09\x0dbatc\
          \x00\x09\x09\x09\x09\x09\x09\x09\x0d\x09\x09\x09;;;;;;;;;;;;;;;;;;;;;;;;;\xcf\xc4\xc4\xc4\
          \xc4\x01\x11\x00\x00\xc4\xf6\xf6\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\
          \x09\x09\x09\x0dbatc\x00\x00\x00PAR1",
    );
    assert!(check(&file).is_err());
}
