//! Bytes like those that there are, the same ones in every run.

/// An endless number of bytes like the seeds.
#[derive(Debug)]
pub struct Mutations<'s> {
    seeds: &'s [Vec<u8>],
    state: u64,
}

/// What breaks readers more often than other bytes do.
const TELLING: [u8; 12] = [
    0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'\\', b'{', b'=', b' ', b'9',
];

impl<'s> Mutations<'s> {
    /// Bytes like these.
    #[must_use]
    pub fn new(seeds: &'s [Vec<u8>]) -> Self {
        Self {
            seeds,
            state: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        // Marsaglia's xorshift.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or(0) % limit
    }

    fn seed(&mut self) -> &'s [u8] {
        let at = self.below(self.seeds.len().max(1));
        self.seeds.get(at).map_or(&[], Vec::as_slice)
    }

    fn byte(&mut self) -> u8 {
        let at = self.below(2 * TELLING.len());
        TELLING.get(at).copied().unwrap_or_else(|| {
            let byte = self.below(256);
            u8::try_from(byte).unwrap_or(0)
        })
    }

    fn change(&mut self, data: &mut Vec<u8>) {
        let at = self.below(data.len() + 1);
        let end = at + self.below(data.len() - at + 1).min(1 << self.below(9));
        match self.below(6) {
            0 => data.truncate(at),
            1 => drop(data.drain(at..end)),
            2 => data.insert(at, self.byte()),
            3 => {
                let again = data.get(at..end).unwrap_or_default().to_vec();
                drop(data.splice(at..at, again));
            }
            4 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                data.truncate(at);
                data.extend_from_slice(other.get(from..).unwrap_or_default());
            }
            _ => {
                let byte = self.byte();
                if let Some(changed) = data.get_mut(at) {
                    *changed = byte;
                }
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut data = self.seed().to_vec();
        for _ in 0..=self.below(3) {
            self.change(&mut data);
        }
        data.truncate(64 << 10);
        Some(data)
    }
}
