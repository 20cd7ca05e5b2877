//! Levels and dictionary indices as the format packs them: runs, and groups of eight values.

/// Groups in one packed run: what a header of one byte can say.
const MAX_GROUPS: usize = 63;

/// Bits that `value` needs, one at least.
pub(super) fn width_of(value: usize) -> u32 {
    (usize::BITS - value.leading_zeros()).max(1)
}

/// Numbers of one width on their way into a page.
#[derive(Debug)]
pub(super) struct Hybrid {
    bytes: Vec<u8>,
    width: u32,
    /// Packed bits that are no four bytes yet.
    bits: u64,
    filled: u32,
    /// Where the header of the open packed run is.
    header: usize,
    /// Values in the open packed run.
    packed: usize,
}

impl Hybrid {
    /// For numbers of up to `width` bits.
    pub(super) fn new(width: u32) -> Self {
        Self {
            bytes: Vec::new(),
            width,
            bits: 0,
            filled: 0,
            header: 0,
            packed: 0,
        }
    }

    /// Adds a number.
    pub(super) fn push(&mut self, value: u32) {
        if self.packed == 0 {
            self.header = self.bytes.len();
            self.bytes.push(0);
        }
        self.bits |= u64::from(value) << self.filled;
        self.filled += self.width;
        if self.filled >= 32 {
            let [a, b, c, d, ..] = self.bits.to_le_bytes();
            self.bytes.extend_from_slice(&[a, b, c, d]);
            self.bits >>= 32;
            self.filled -= 32;
        }
        self.packed += 1;
        if self.packed == MAX_GROUPS * 8 {
            self.close();
        }
    }

    /// Adds the same number again and again.
    pub(super) fn repeat(&mut self, value: u32, count: usize) {
        // A packed run ends at a full group.
        let rest = (8 - self.packed % 8) % 8;
        if count < rest + 8 {
            (0..count).for_each(|_| self.push(value));
            return;
        }
        (0..rest).for_each(|_| self.push(value));
        self.close();
        put_varint(&mut self.bytes, (count - rest) << 1);
        let width_bytes = usize::try_from(self.width.div_ceil(8)).unwrap_or(4);
        let value = value.to_le_bytes();
        self.bytes
            .extend_from_slice(value.get(..width_bytes).unwrap_or(&value));
    }

    fn close(&mut self) {
        if self.packed == 0 {
            return;
        }
        let filled_bytes = usize::try_from(self.filled.div_ceil(8)).unwrap_or(4);
        let bits = self.bits.to_le_bytes();
        self.bytes
            .extend_from_slice(bits.get(..filled_bytes).unwrap_or(&bits));
        let groups = u8::try_from(self.packed / 8).unwrap_or(u8::MAX);
        if let Some(header) = self.bytes.get_mut(self.header) {
            *header = groups << 1 | 1;
        }
        (self.bits, self.filled, self.packed) = (0, 0, 0);
    }

    /// The encoded numbers; the last group is filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        while !self.packed.is_multiple_of(8) {
            self.push(0);
        }
        self.close();
        self.bytes
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut value: usize) {
    while value > 0x7F {
        bytes.push(u8::try_from(value & 0x7F).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or_default());
}

#[cfg(test)]
mod tests;
