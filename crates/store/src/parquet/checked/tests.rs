//! Footers and page headers that say more than they can hold, or something else than the format, are refused at once;
//! those of real files are not.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use ::parquet::basic::Compression;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use arrow_array::RecordBatch;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, StringBuilder, TimestampMillisecondBuilder, UInt8Builder,
};
use bytes::Bytes;

use super::compact::MOST_DEPTH;
use super::*;

/// A file that is nothing but this footer.
fn file(footer: &[u8]) -> Bytes {
    let mut file = b"PAR1".to_vec();
    file.extend_from_slice(footer);
    file.extend_from_slice(&u32::try_from(footer.len()).unwrap().to_le_bytes());
    file.extend_from_slice(b"PAR1");
    file.into()
}

fn is_refused(bytes: &[u8]) -> bool {
    footer(&file(bytes)).is_err()
}

/// Two billions of truth values, and the end of the structure.
const ENDLESS: &[u8] = &[0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0];

/// A file with columns of several types, some rows, and this many of them in a page.
fn written(rows: usize, rows_in_page: usize, version: WriterVersion) -> Bytes {
    let mut texts = StringBuilder::new();
    let mut times = TimestampMillisecondBuilder::new();
    let mut values = Float64Builder::new();
    let mut flags = BooleanBuilder::new();
    let mut small = UInt8Builder::new();
    for row in 0..rows {
        texts.append_value(format!("name {}", row % 7));
        times.append_value(row.try_into().unwrap());
        values.append_option((row % 3 != 0).then_some(0.5));
        flags.append_value(row % 2 == 0);
        small.append_value(u8::try_from(row % 200).unwrap());
    }
    let rows = RecordBatch::try_from_iter([
        ("text", Arc::new(texts.finish()) as _),
        ("time", Arc::new(times.finish()) as _),
        ("value", Arc::new(values.finish()) as _),
        ("flag", Arc::new(flags.finish()) as _),
        ("small", Arc::new(small.finish()) as _),
    ])
    .unwrap();
    let properties = WriterProperties::builder()
        .set_writer_version(version)
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_write_page_header_statistics(true)
        .set_data_page_row_count_limit(rows_in_page)
        .set_write_batch_size(rows_in_page)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    bytes.into()
}

fn rows_of(file: Bytes) -> Result<usize, ParquetError> {
    let reader: ParquetRecordBatchReader = reader_of(file)?.build()?;
    let mut rows = 0;
    for batch in reader {
        rows += batch?.num_rows();
    }
    Ok(rows)
}

#[test]
fn whatever_the_library_writes_is_read() {
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for (rows, rows_in_page) in [(1, 1), (1000, 10), (5000, 5000)] {
            let file = written(rows, rows_in_page, version);
            assert_eq!(rows_of(file).unwrap(), rows);
        }
    }
}

#[test]
fn lists_and_maps_of_more_items_than_bytes_are_refused() {
    // Field 9 of the structure, which nobody knows: a list, a set, a map; two billions of truth values, bytes, or structures.
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
    let many = [&[0x99][..], &[0x19, 0xf1, 0x20].repeat(20), &[0]].concat();
    assert!(is_refused(&many));
    // Within a list of structures.
    assert!(is_refused(&[
        0x99, 0x1c, 0x99, 0xf2, 0xff, 0xff, 0x7f, 0, 0
    ]));
}

#[test]
fn what_is_too_deep_is_refused() {
    // Field 9, and structures in it.
    let nested = |depth| [&[0x9c][..], &[0x1c].repeat(depth), &vec![0; depth + 2]].concat();
    assert!(is_refused(&nested(MOST_DEPTH)));
    assert!(!is_refused(&nested(MOST_DEPTH - 2)));
}

#[test]
fn fields_of_other_types_than_the_format_gives_them_are_refused() {
    // The version as some text: by its type the list is in the text, by its number behind the version.
    let hidden = [&[0x18, 0x08, 0xe9][..], ENDLESS, &[0]].concat();
    assert!(is_refused(&hidden));
    assert!(!is_refused(&[0x15, 0x08, 0xe9, 0x21, 0]));
    // Deeper: a schema's element has its name as a number, a row group its columns as a list of numbers.
    assert!(is_refused(&[0x29, 0x1c, 0x45, 0x02, 0, 0]));
    assert!(!is_refused(&[0x29, 0x1c, 0x48, 0x01, b'm', 0, 0]));
    assert!(is_refused(&[0x49, 0x1c, 0x19, 0x15, 0x02, 0, 0]));
    assert!(!is_refused(&[0x49, 0x1c, 0x19, 0x1c, 0, 0, 0]));
}

#[test]
fn what_breaks_off_or_is_another_protocol_is_refused() {
    for footer in [
        &b""[..],
        &[0x15],
        &[0x18, 0xff, 0xff, 0x03],
        &[0x1e, 0x00],
        &[0xff; 12],
        &[
            0x15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        ],
        // Numbers of fields that do not fit: 40,000; and 32,767 and one.
        &[0x05, 0x80, 0xf1, 0x04, 0x00, 0x00],
        &[0x05, 0xfe, 0xff, 0x03, 0x00, 0x15, 0x00, 0x00],
    ] {
        assert!(is_refused(footer), "{footer:x?}");
    }
    assert!(!is_refused(&[0]));
}

#[test]
fn what_has_no_footer_is_left_to_the_library() {
    footer(&Bytes::from_static(b"PAR1")).unwrap();
    footer(&Bytes::from_static(b"PAR1\xff\xff\xff\xffPAR1")).unwrap();
    footer(&Bytes::from_static(b"PAR1\0\0\0\0nope")).unwrap();
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
    assert!(footer(&file).is_err());
}

#[test]
fn page_headers_with_lists_that_do_not_end_are_refused() {
    let good = written(1000, 10, WriterVersion::PARQUET_1_0);
    let reader = SerializedFileReader::new(good.clone()).unwrap();
    let group = reader.metadata().row_group(0);
    pages(&good, group).unwrap();
    for column in group.columns() {
        let (start, length) = column.byte_range();
        let (start, length) = (
            usize::try_from(start).unwrap(),
            usize::try_from(length).unwrap(),
        );
        let second = start
            + usize::try_from(
                page_bytes(&good, start as u64, length as u64)
                    .unwrap()
                    .unwrap(),
            )
            .unwrap();
        for at in [start, second] {
            let mut bad = good.to_vec();
            // Field 14, which nobody knows.
            let header = [&[0xe9][..], ENDLESS].concat();
            bad.splice(at..at + header.len(), header);
            let bad = Bytes::from(bad);
            pages(&bad, group).unwrap_err();
            let error = rows_of(bad).unwrap_err().to_string();
            assert!(error.contains("header of a page is damaged"), "{error}");
        }
    }
}

#[test]
fn page_headers_are_read_to_their_end_however_long_they_are() {
    let mut header = vec![0x15, 0, 0x15, 0x0a, 0x15, 0x0a];
    // A data page whose statistics have a long text.
    header.extend([0x2c, 0x5c, 0x18, 0x80, 0x40]);
    header.extend([b'm'; 8192]);
    header.extend([0, 0, 0]);
    let bytes = Bytes::from([&header[..], b"value"].concat());
    let whole = bytes.len() as u64;
    assert_eq!(page_bytes(&bytes, 0, whole).unwrap(), Some(whole));
    // Cut, and with a size below zero.
    assert_eq!(page_bytes(&bytes, 0, 4000).unwrap(), None);
    assert_eq!(
        page_bytes(&Bytes::from_static(&[0x35, 0x01, 0]), 0, 3).unwrap(),
        None
    );
}
