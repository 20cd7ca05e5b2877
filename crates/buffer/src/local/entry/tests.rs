//! Tests of the stored form of records and dead letters.

use proptest::prelude::*;

use super::*;

fn record(key: &[u8], value: &[u8], tenant: Option<&str>) -> Record {
    Record {
        key: Bytes::copy_from_slice(key),
        value: Bytes::copy_from_slice(value),
        content_type: ContentType::Json,
        tenant: tenant.map(Arc::from),
        source: None,
        received_at_ms: 1_700_000_000_000,
    }
}

#[test]
fn the_bytes_of_a_record_are_those_of_older_versions() {
    let stored = encode_record(&record(b"up", b"{}", Some("a")), 2);
    let mut expected = vec![1, 0, 0, 0, 0, 0, 0, 0, 2];
    expected.extend(1_700_000_000_000_i64.to_be_bytes());
    expected.extend(b"\x02\x00\x00\x00\x03up\x00\x00\x00\x02a{}");
    assert_eq!(stored, expected);
    assert_eq!(times(&stored), Ok((2, 1_700_000_000_000)));
}

#[test]
fn neighbours_of_one_tenant_share_its_name() {
    let mut decoder = RecordDecoder::default();
    let stored = Bytes::from(encode_record(&record(b"k", b"v", Some("acme")), 0));
    let first = decoder.decode(0, stored.clone()).unwrap().tenant.unwrap();
    let second = decoder.decode(1, stored).unwrap().tenant.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_record_of_a_later_format_is_refused_by_name() {
    let error = RecordDecoder::default()
        .decode(0, Bytes::from_static(&[9, 0, 0]))
        .unwrap_err();
    assert_eq!(error, EntryError::Unknown(9));
    assert_eq!(
        times(&[9, 0, 0, 0, 0, 0, 0, 0, 0]),
        Err(EntryError::Unknown(9))
    );
}

fn letter() -> DeadLetter {
    DeadLetter {
        key: None,
        value: Bytes::from_static(b"\x00\xff"),
        content_type: Some(Bytes::from_static(b"application/json")),
        tenant: Some(Arc::from("acme")),
        reason: "out_of_order",
        message: "schläft".to_owned(),
        source_topic: "local".to_owned(),
        source_partition: 0,
        source_offset: 41,
        store: "main".to_owned(),
    }
}

#[test]
fn a_dead_letter_reads_back_as_it_was() {
    let stored = Bytes::from(encode_dead_letter(&letter(), 5));
    assert_eq!(times(&stored), Ok((5, 5)));
    let buried = decode_dead_letter(3, stored).unwrap();
    assert_eq!(
        buried,
        Buried {
            number: 3,
            buried_at_ms: 5,
            key: None,
            value: Bytes::from_static(b"\x00\xff"),
            content_type: Some(Bytes::from_static(b"application/json")),
            tenant: Some(Arc::from("acme")),
            reason: "out_of_order".to_owned(),
            message: "schläft".to_owned(),
            source_topic: "local".to_owned(),
            source_partition: 0,
            source_offset: 41,
            store: "main".to_owned(),
        }
    );
}

proptest! {
    #[test]
    fn a_record_reads_back_as_it_was(
        key in prop::collection::vec(any::<u8>(), 0..20),
        value in prop::collection::vec(any::<u8>(), 0..200),
        tenant in prop::option::of("\\PC{0,8}"),
        offset in 0..i64::MAX,
        appended_ms: i64,
    ) {
        let record = record(&key, &value, tenant.as_deref());
        let stored = encode_record(&record, appended_ms);
        prop_assert_eq!(stored.len(), record_bytes(&record));
        let read = RecordDecoder::default().decode(offset, Bytes::from(stored)).unwrap();
        prop_assert_eq!(read.offset, offset);
        prop_assert_eq!(read.received_at_ms, 1_700_000_000_000);
        prop_assert_eq!(read.key.as_deref(), Some(key.as_slice()));
        prop_assert_eq!(read.value.as_ref(), value.as_slice());
        prop_assert_eq!(read.tenant.as_deref(), tenant.as_deref());
        prop_assert_eq!(read.content_type.as_deref(), Some(ContentType::Json.as_str().as_bytes()));
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0_usize..120) {
        let mut stored = encode_dead_letter(&letter(), 5);
        stored.truncate(cut);
        for bytes in [bytes, stored] {
            let bytes = Bytes::from(bytes);
            // What they answer does not matter here.
            times(&bytes).ok();
            RecordDecoder::default().decode(0, bytes.clone()).ok();
            decode_dead_letter(0, bytes).ok();
        }
    }
}
