//! A file's footer and the headers of its pages, looked at before the Parquet library reads them.
//!
//! They say how long their lists are. The library passes over a list of truth values that it does not know one by one,
//! without a byte for each, so that a damaged footer of a hundred bytes keeps it busy for ten seconds, and a longer one
//! for days. What is written well has a byte for each item, at the least: what has more items than bytes is refused here.
//! So is a field of another type than the format gives it, because the library takes known fields for what they should
//! be, and what follows would not be read there as it is here.

use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::ChunkReader;

mod compact;
mod format;

use compact::Walk;

/// What a file ends with: the footer's length, and these.
const MAGIC: &[u8] = b"PAR1";

/// The length and the magic bytes.
const TAIL_BYTES: usize = 8;

/// What is taken for a page's header at first: without statistics one has some twenty bytes.
const HEADER_BYTES: u64 = 128;

/// A reader of a file whose footer and pages are in order, as far as this goes.
pub(super) fn reader_of<R: ChunkReader + 'static>(
    file: R,
) -> Result<ParquetRecordBatchReaderBuilder<R>, ParquetError> {
    let metadata = metadata_of(&file)?;
    for group in metadata.metadata().row_groups() {
        pages(&file, group)?;
    }
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(
        file, metadata,
    ))
}

/// What a file's footer says, if it is in order.
pub(super) fn metadata_of(file: &impl ChunkReader) -> Result<ArrowReaderMetadata, ParquetError> {
    footer(file)?;
    ArrowReaderMetadata::load(file, ArrowReaderOptions::new())
}

/// Refuses a footer that is not laid out as the format says. Whether there is one is for the library to say.
fn footer(file: &impl ChunkReader) -> Result<(), ParquetError> {
    let Some(tail_start) = file.len().checked_sub(TAIL_BYTES as u64) else {
        return Ok(());
    };
    let tail = file.get_bytes(tail_start, TAIL_BYTES)?;
    let Some((length, magic)) = tail.split_first_chunk() else {
        return Ok(());
    };
    let length = u32::from_le_bytes(*length);
    let Some(start) = tail_start.checked_sub(u64::from(length)) else {
        return Ok(());
    };
    if magic != MAGIC {
        return Ok(());
    }
    let footer = file.get_bytes(start, length as usize)?;
    let is_read = Walk::new(&footer).structure(format::FILE);
    is_read.ok_or_else(|| damaged("its footer is damaged"))
}

/// Refuses a row group with a page whose header is not laid out as the format says.
pub(super) fn pages(file: &impl ChunkReader, group: &RowGroupMetaData) -> Result<(), ParquetError> {
    for column in group.columns() {
        let (mut at, mut left) = column.byte_range();
        while left > 0 {
            let page = page_bytes(file, at, left)?;
            let page = page.filter(|page| *page <= left);
            let page = page.ok_or_else(|| damaged("the header of a page is damaged"))?;
            at += page;
            left -= page;
        }
    }
    Ok(())
}

/// How many bytes a page and its header have; nothing of a header that is not laid out as the format says, or that does
/// not end within the `left` bytes of its column.
fn page_bytes(file: &impl ChunkReader, at: u64, left: u64) -> Result<Option<u64>, ParquetError> {
    let mut length = HEADER_BYTES.min(left);
    loop {
        let bytes = file.get_bytes(at, usize::try_from(length)?)?;
        let mut walk = Walk::new(&bytes);
        if walk.structure(format::PAGE_HEADER).is_some() {
            let header = length.checked_sub(walk.rest.len() as u64);
            return Ok(header
                .zip(walk.page_bytes)
                .and_then(|(header, page)| header.checked_add(page)));
        }
        if length == left {
            return Ok(None);
        }
        length = length.saturating_mul(4).min(left);
    }
}

fn damaged(what: &str) -> ParquetError {
    ParquetError::General(format!("{what}: it is not laid out as the format says"))
}

#[cfg(test)]
mod tests;
