//! Tests of the stored form of records and dead letters.

use proptest::prelude::*;

use super::*;

fn record(key: &[u8], value: &[u8], tenant: Option<&str>, source: Option<&str>) -> Record {
    Record {
        key: Bytes::copy_from_slice(key),
        value: Bytes::copy_from_slice(value),
        content_type: ContentType::Json,
        tenant: tenant.map(Arc::from),
        source: source.map(Arc::from),
        received_at_ms: 1_700_000_000_000,
        spread: crate::Spread::default(),
    }
}

#[test]
fn the_bytes_of_a_record_are_those_of_older_versions() {
    let stored = encode_record(&record(b"up", b"{}", Some("a"), None), 2);
    let mut expected = vec![1, 0, 0, 0, 0, 0, 0, 0, 2];
    expected.extend(1_700_000_000_000_i64.to_be_bytes());
    expected.extend(b"\x02\x00\x00\x00\x03up\x00\x00\x00\x02a{}");
    assert_eq!(stored, expected);
    assert_eq!(times(&stored), Ok((2, 1_700_000_000_000)));
}

#[test]
fn a_source_stands_behind_the_tenant() {
    let stored = encode_record(&record(b"up", b"{}", None, Some("web-01")), 2);
    let mut expected = vec![3, 0, 0, 0, 0, 0, 0, 0, 2];
    expected.extend(1_700_000_000_000_i64.to_be_bytes());
    expected.extend(b"\x02\x00\x00\x00\x03up\x00\x00\x00\x00\x00\x00\x00\x07web-01{}");
    assert_eq!(stored, expected);
    assert_eq!(times(&stored), Ok((2, 1_700_000_000_000)));
}

#[test]
fn an_entry_of_an_older_version_has_no_source() {
    // Written by a version that knew none: a record of tenant `a` and a dead letter.
    let mut stored = vec![1, 0, 0, 0, 0, 0, 0, 0, 2];
    stored.extend(1_700_000_000_000_i64.to_be_bytes());
    stored.extend(b"\x02\x00\x00\x00\x03up\x00\x00\x00\x02a{}");
    let read = RecordDecoder::default().decode(7, stored.into()).unwrap();
    assert_eq!(read.tenant.as_deref(), Some("a"));
    assert_eq!((read.source, read.value), (None, Bytes::from_static(b"{}")));

    let mut stored = vec![2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0];
    stored.extend(41_i64.to_be_bytes());
    for text in ["out_of_order", "late", "local", "main", "up"] {
        stored.extend([0, 0, 0, u8::try_from(text.len() + 1).unwrap()]);
        stored.extend(text.as_bytes());
    }
    // No content type, tenant `a`, the value.
    stored.extend(b"\x00\x00\x00\x00\x00\x00\x00\x02a{}");
    assert_eq!(times(&stored), Ok((5, 5)));
    let buried = decode_dead_letter(3, stored.into()).unwrap();
    assert_eq!(buried.tenant.as_deref(), Some("a"));
    assert_eq!(
        (buried.source, buried.value),
        (None, Bytes::from_static(b"{}"))
    );
}

#[test]
fn neighbours_of_one_tenant_and_source_share_their_names() {
    let mut decoder = RecordDecoder::default();
    let stored = Bytes::from(encode_record(
        &record(b"k", b"v", Some("acme"), Some("web-01")),
        0,
    ));
    let first = decoder.decode(0, stored.clone()).unwrap();
    let second = decoder.decode(1, stored).unwrap();
    for (first, second) in [(first.tenant, second.tenant), (first.source, second.source)] {
        assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    }
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

fn letter(source: Option<&str>) -> DeadLetter {
    DeadLetter {
        key: None,
        value: Bytes::from_static(b"\x00\xff"),
        content_type: Some(Bytes::from_static(b"application/json")),
        tenant: Some(Arc::from("acme")),
        source: source.map(Arc::from),
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
    check_dead_letter(None);
    check_dead_letter(Some("web-01"));
}

fn check_dead_letter(source: Option<&str>) {
    let stored = Bytes::from(encode_dead_letter(&letter(source), 5));
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
            source: source.map(Arc::from),
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
        source in prop::option::of("\\PC{0,8}"),
        offset in 0..i64::MAX,
        appended_ms: i64,
    ) {
        let record = record(&key, &value, tenant.as_deref(), source.as_deref());
        let stored = encode_record(&record, appended_ms);
        prop_assert_eq!(stored.len(), record_bytes(&record));
        let read = RecordDecoder::default().decode(offset, Bytes::from(stored)).unwrap();
        prop_assert_eq!(read.offset, offset);
        prop_assert_eq!(read.received_at_ms, 1_700_000_000_000);
        prop_assert_eq!(read.key.as_deref(), Some(key.as_slice()));
        prop_assert_eq!(read.value.as_ref(), value.as_slice());
        prop_assert_eq!(read.tenant.as_deref(), tenant.as_deref());
        prop_assert_eq!(read.source.as_deref(), source.as_deref());
        prop_assert_eq!(read.content_type.as_deref(), Some(ContentType::Json.as_str().as_bytes()));
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0_usize..120) {
        let mut stored = encode_dead_letter(&letter((cut % 2 == 0).then_some("web-01")), 5);
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
