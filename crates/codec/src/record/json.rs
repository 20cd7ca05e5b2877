//! Not written yet.
use bytes::Bytes;
use model::Block;

use super::RecordError;

pub(super) fn decode(_value: &Bytes) -> Result<Block, RecordError> {
    todo!()
}
