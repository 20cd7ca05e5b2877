//! A column of texts that repeat: each text once in a dictionary, then their numbers.
//!
//! Who writes a row group knows its series, so a text is looked for once per series and not once per
//! row, and what comes out is what the general encoder would write.

use std::hash::BuildHasher as _;
use std::io::Write as _;

use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::column::page::{CompressedPage, Page, PageWriter as _};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::statistics::Statistics;
use ::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use ::parquet::schema::types::ColumnDescPtr;
use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::hybrid::{Hybrid, width_of};

/// Different texts of a column, numbered, and already as their page wants them.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// Length and bytes of each.
    page: Vec<u8>,
    /// Where each begins.
    starts: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Dictionary {
    /// The number of a text, which is added if it is new.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        let Self {
            page,
            starts,
            numbers,
            hasher,
        } = self;
        let hash = hasher.hash_one(text.as_bytes());
        let found = numbers.find(hash, |number| {
            text_at(page, starts, *number) == text.as_bytes()
        });
        if let Some(number) = found {
            return *number;
        }
        let number = u32::try_from(starts.len()).unwrap_or(u32::MAX);
        starts.push(u32::try_from(page.len()).unwrap_or(u32::MAX));
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        page.extend_from_slice(&len.to_le_bytes());
        page.extend_from_slice(text.as_bytes());
        numbers.insert_unique(hash, number, |number| {
            hasher.hash_one(text_at(page, starts, *number))
        });
        number
    }

    /// The number of a text that is more often than not the one of `guess`.
    pub(super) fn number_near(&mut self, text: &str, guess: Option<u32>) -> u32 {
        match guess {
            Some(guess) if self.text(guess) == text.as_bytes() => guess,
            _ => self.number(text),
        }
    }

    /// The text with this number.
    pub(super) fn text(&self, number: u32) -> &[u8] {
        text_at(&self.page, &self.starts, number)
    }

    /// Memory of the texts.
    pub(super) fn bytes(&self) -> usize {
        self.page.len()
    }

    /// Bits that every number fits into.
    pub(super) fn width(&self) -> u32 {
        width_of(self.starts.len().saturating_sub(1))
    }

    /// The smallest and the largest text.
    fn bounds(&self) -> Option<(&[u8], &[u8])> {
        /// Nobody skips rows by a text that is longer.
        const LONGEST: usize = 128;
        let texts = || (0..).zip(&self.starts).map(|(number, _)| self.text(number));
        let bounds = (texts().min()?, texts().max()?);
        (bounds.0.len().max(bounds.1.len()) <= LONGEST).then_some(bounds)
    }
}

fn text_at<'p>(page: &'p [u8], starts: &[u32], number: u32) -> &'p [u8] {
    let start = starts
        .get(number as usize)
        .map_or(0, |start| *start as usize);
    let Some((len, rest)) = page.get(start..).and_then(<[u8]>::split_first_chunk) else {
        return &[];
    };
    rest.get(..u32::from_le_bytes(*len) as usize)
        .unwrap_or_default()
}

/// Rows and values of a column, as its page wants them.
#[derive(Debug)]
pub(super) struct Values {
    /// Repetition and definition levels, each with its length, where the column has them.
    pub(super) levels: Vec<u8>,
    /// The numbers of the texts.
    pub(super) numbers: Hybrid,
    /// Rows.
    pub(super) rows: usize,
    /// Values, empty places included.
    pub(super) places: usize,
    /// Empty places.
    pub(super) nulls: usize,
}

/// Adds levels to a page's beginning.
pub(super) fn put_levels(page: &mut Vec<u8>, levels: &[u8]) {
    let len = u32::try_from(levels.len()).unwrap_or(u32::MAX);
    page.extend_from_slice(&len.to_le_bytes());
    page.extend_from_slice(levels);
}

/// Turns columns into what a row group takes.
pub(super) struct Encoder {
    level: ZstdLevel,
    zstd: zstd::bulk::Compressor<'static>,
}

/// A column that is ready to be appended.
pub(super) type Chunk = (Bytes, ColumnCloseResult);

impl Encoder {
    /// With the archive's level.
    pub(super) fn new(level: ZstdLevel) -> Result<Self, ParquetError> {
        let zstd = zstd::bulk::Compressor::new(level.compression_level())?;
        Ok(Self { level, zstd })
    }

    /// The column's dictionary and its one data page.
    pub(super) fn encode(
        &mut self,
        column: ColumnDescPtr,
        dictionary: &Dictionary,
        values: Values,
    ) -> Result<Chunk, ParquetError> {
        let mut sink = TrackedWrite::new(Vec::new());
        let mut pages = SerializedPageWriter::new(&mut sink);
        let Values {
            levels: mut page,
            numbers,
            rows,
            places,
            nulls,
        } = values;
        let texts = self.compress(&dictionary.page)?;
        let first = pages.write_page(CompressedPage::new(
            Page::DictionaryPage {
                buf: texts,
                num_values: narrow(dictionary.starts.len())?,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            },
            dictionary.page.len(),
        ))?;
        page.push(u8::try_from(dictionary.width()).unwrap_or(32));
        page.extend(numbers.finish());
        let second = pages.write_page(CompressedPage::new(
            Page::DataPage {
                buf: self.compress(&page)?,
                num_values: narrow(places)?,
                encoding: Encoding::RLE_DICTIONARY,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            },
            page.len(),
        ))?;
        sink.flush()?;
        let (smallest, largest) = dictionary.bounds().unzip();
        let bound = |text: Option<&[u8]>| text.map(|text| ByteArray::from(text.to_vec()));
        let metadata = ColumnChunkMetaData::builder(column)
            .set_compression(Compression::ZSTD(self.level))
            .set_encodings(vec![
                Encoding::PLAIN,
                Encoding::RLE,
                Encoding::RLE_DICTIONARY,
            ])
            .set_num_values(i64::try_from(places).unwrap_or(i64::MAX))
            .set_total_compressed_size(size(first.compressed_size + second.compressed_size))
            .set_total_uncompressed_size(size(first.uncompressed_size + second.uncompressed_size))
            .set_dictionary_page_offset(Some(size(0)))
            .set_data_page_offset(i64::try_from(second.offset).unwrap_or(i64::MAX))
            .set_statistics(Statistics::byte_array(
                bound(smallest),
                bound(largest),
                None,
                Some(nulls as u64),
                false,
            ))
            .build()?;
        let bytes = sink.into_inner()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((bytes.into(), close))
    }

    fn compress(&mut self, page: &[u8]) -> Result<Bytes, ParquetError> {
        Ok(self.zstd.compress(page)?.into())
    }
}

fn narrow(count: usize) -> Result<u32, ParquetError> {
    u32::try_from(count).map_err(|_| ParquetError::General(format!("{count} values in a page")))
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
