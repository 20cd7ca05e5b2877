//! Fields are read as the encoding's specification says, and nothing else is.

use model::Point;

use super::*;

fn fields(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, Malformed> {
    let mut reader = Reader(bytes);
    let mut fields = Vec::new();
    while let Some(field) = reader.field()? {
        fields.push(field);
    }
    Ok(fields)
}

#[test]
fn fields_of_every_wire_type_are_read() {
    let bytes = [
        0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i', 0x25, 1, 2, 3, 4,
    ];
    assert_eq!(
        fields(&bytes),
        Ok(vec![
            (1, Value::Varint(150)),
            (2, Value::Fixed64(1)),
            (3, Value::Bytes(b"hi")),
            (4, Value::Fixed32),
        ])
    );
}

#[test]
fn every_truncation_within_a_field_is_an_error() {
    for bytes in [
        &[0x08][..],
        &[0x08, 0x80],
        &[0x11, 1, 2, 3, 4, 5, 6, 7],
        &[0x1a, 2, 1],
        &[
            0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ],
        &[0x25, 1, 2, 3],
    ] {
        assert_eq!(fields(bytes), Err(Malformed::Truncated), "{bytes:?}");
    }
}

#[test]
fn nonsense_is_refused() {
    assert_eq!(fields(&[0x0b]), Err(Malformed::WireType(3)), "a group");
    assert_eq!(fields(&[0x00, 0x00]), Err(Malformed::Number));
    let mut long = vec![0x08];
    long.extend([0xff; 9]);
    long.push(0x02);
    assert_eq!(fields(&long), Err(Malformed::Varint));
    long.pop();
    long.push(0x01);
    assert_eq!(fields(&long), Ok(vec![(1, Value::Varint(u64::MAX))]));
    assert_eq!(Value::Varint(1 << 32).uint32(), Err(Malformed::Range));
    assert_eq!(Value::Bytes(b"\xff").text(), Err(Malformed::Utf8));
    assert_eq!(Value::Fixed32.varint(), Err(Malformed::Type));
}

#[test]
fn repeated_numbers_may_be_packed_or_not() {
    let mut numbers = Vec::new();
    Value::Bytes(&[1, 0x96, 0x01])
        .each_uint32(|number| numbers.push(number))
        .unwrap();
    Value::Varint(7)
        .each_uint32(|number| numbers.push(number))
        .unwrap();
    assert_eq!(numbers, [1, 150, 7]);
}

#[test]
fn a_sample_keeps_the_bits_of_its_value() {
    for value in [0.0, -0.0, 1.5, f64::from_bits(0x7ff0_0000_0000_0002)] {
        let mut bytes = Vec::new();
        let point = Point {
            at_ms: -1,
            value,
            start_ms: 9,
        };
        put_sample(&mut bytes, &point, true);
        let (_, sample) = fields(&bytes).unwrap().remove(0);
        let sample: crate::wire::v2::Sample =
            prost::Message::decode(sample.bytes().unwrap()).unwrap();
        assert_eq!(sample.value.to_bits(), value.to_bits());
        assert_eq!((sample.timestamp, sample.start_timestamp), (-1, 9));
    }
}

#[test]
fn varints_of_every_length_are_written_and_read_as_the_library_does() {
    for bits in 0..64 {
        for number in [
            (1 << bits) - 1,
            1 << bits,
            u64::MAX >> bits,
            0x5a5a_5a5a_5a5a_5a5a >> bits,
        ] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            put_varint(&mut ours, number);
            encode_varint(number, &mut theirs);
            assert_eq!(ours, theirs, "{number:#x}");
            // With something behind it, and as the last thing there is.
            assert_eq!(Reader(&ours).varint(), Ok(number));
            ours.extend([0xff; 8]);
            let mut reader = Reader(&ours);
            assert_eq!(reader.varint(), Ok(number));
            assert_eq!(reader.0, [0xff; 8], "{number:#x}");
        }
    }
}

#[test]
fn packed_numbers_keep_their_value_whatever_their_size() {
    let many: Vec<u32> = (100..133).collect();
    let (most, more) = (&many[1..], many.as_slice());
    for numbers in [
        &[][..],
        &[1, 2, 127],
        &[1, 128, 3],
        &[u32::MAX, 0, 1 << 14],
        &[(1 << 14) - 1, 0, 127, 128],
        &[(1 << 14) - 1; 32],
        most,
        more,
    ] {
        let mut bytes = Vec::new();
        put_refs(&mut bytes, 1, numbers);
        let mut theirs = Vec::new();
        prost::encoding::uint32::encode_packed(1, numbers, &mut theirs);
        assert!(numbers.is_empty() || bytes == theirs, "{numbers:?}");
        assert_eq!(bytes.len(), delimited_len(refs_len(numbers)));
        let (_, field) = fields(&bytes).unwrap().remove(0);
        let mut read = Vec::new();
        field.each_uint32(|number| read.push(number)).unwrap();
        assert_eq!(read, numbers);
    }
}
