//! Which samples were acknowledged, and which of them are there.

use std::collections::BTreeSet;

/// A set of sample numbers, a bit for each.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    words: Vec<u64>,
}

impl Numbers {
    /// Whether it is new.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let Ok(word) = usize::try_from(number / 64) else {
            return false;
        };
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let Some(bits) = self.words.get_mut(word) else {
            return false;
        };
        let before = *bits;
        *bits |= 1 << (number % 64);
        before != *bits
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        usize::try_from(number / 64)
            .ok()
            .and_then(|word| self.words.get(word))
            .is_some_and(|bits| bits & (1 << (number % 64)) != 0)
    }
}

/// The requests that were acknowledged, by the number of their first sample.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    pub firsts: BTreeSet<u64>,
    pub batch: u64,
}

impl Acknowledged {
    pub(crate) fn samples(&self) -> u64 {
        self.firsts.len() as u64 * self.batch
    }

    /// How many of them are not among `arrived`.
    pub(crate) fn missing_in(&self, arrived: &Numbers) -> u64 {
        let numbers = self.firsts.iter().flat_map(|&first| first..first + self.batch);
        numbers.filter(|&number| !arrived.contains(number)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::{Acknowledged, Numbers};

    #[test]
    fn what_was_acknowledged_and_is_not_there_is_missing() {
        let mut arrived = Numbers::default();
        for number in (0..10).chain([63, 64, 1000]) {
            assert!(arrived.insert(number));
        }
        assert!(!arrived.insert(7));
        assert!(arrived.contains(64) && !arrived.contains(65) && !arrived.contains(1 << 40));
        let acknowledged = Acknowledged {
            firsts: [0, 60].into(),
            batch: 6,
        };
        assert_eq!(acknowledged.samples(), 12);
        // 60, 61, 62 and 65.
        assert_eq!(acknowledged.missing_in(&arrived), 4);
    }
}
