//! Numbers that only OTLP has, among them repeated ones, packed or not.

use super::{Malformed, Reader, Value};

impl Value<'_> {
    pub(crate) fn fixed64(self) -> Result<u64, Malformed> {
        match self {
            Self::Fixed64(bits) => Ok(bits),
            Self::Varint(_) | Self::Bytes(_) | Self::Fixed32 => Err(Malformed::Type),
        }
    }

    pub(crate) fn bool(self) -> Result<bool, Malformed> {
        self.varint().map(|number| number != 0)
    }

    /// An enum or an `int32`: a varint of which the lower half counts.
    pub(crate) fn int32(self) -> Result<i32, Malformed> {
        i32::try_from(self.int64()?).map_err(|_| Malformed::Range)
    }

    /// Calls `each` with every number of a repeated `uint64`.
    pub(crate) fn each_uint64(self, mut each: impl FnMut(u64)) -> Result<(), Malformed> {
        let Self::Bytes(packed) = self else {
            each(self.varint()?);
            return Ok(());
        };
        let mut reader = Reader(packed);
        while !reader.0.is_empty() {
            each(reader.varint()?);
        }
        Ok(())
    }

    /// Calls `each` with the bits of every number of a repeated `fixed64` or `double`.
    pub(crate) fn each_fixed64(self, mut each: impl FnMut(u64)) -> Result<(), Malformed> {
        let Self::Bytes(packed) = self else {
            each(self.fixed64()?);
            return Ok(());
        };
        let (numbers, rest) = packed.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Malformed::Truncated);
        }
        for number in numbers {
            each(u64::from_le_bytes(*number));
        }
        Ok(())
    }
}
