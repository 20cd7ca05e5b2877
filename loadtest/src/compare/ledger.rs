//! Which samples are in Kafka, by their places in the sequence of values.

use crate::ledger::Ranges;

/// A set of places that begins near 0, a bit for each.
#[derive(Debug, Default)]
pub(crate) struct Places {
    words: Vec<u64>,
}

impl Places {
    /// Whether it is new.
    pub(crate) fn insert(&mut self, place: u64) -> bool {
        let Ok(word) = usize::try_from(place / 64) else {
            return false;
        };
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let Some(bits) = self.words.get_mut(word) else {
            return false;
        };
        let before = *bits;
        *bits |= 1 << (place % 64);
        before != *bits
    }

    /// How many of these are not in the set.
    pub(crate) fn missing(&self, wanted: &Ranges) -> u64 {
        let has = |place: u64| {
            usize::try_from(place / 64)
                .ok()
                .and_then(|word| self.words.get(word))
                .is_some_and(|bits| bits & (1 << (place % 64)) != 0)
        };
        wanted.iter().flatten().filter(|&place| !has(place)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Places;
    use crate::ledger::Ranges;

    #[test]
    fn what_was_acknowledged_and_is_not_there_is_missing() {
        let mut places = Places::default();
        for place in (0..10).chain([63, 64, 1000]) {
            assert!(places.insert(place));
        }
        assert!(!places.insert(7));
        let mut acknowledged = Ranges::default();
        acknowledged.add(0..6);
        acknowledged.add(60..66);
        // 60, 61, 62 and 65.
        assert_eq!(places.missing(&acknowledged), 4);
    }
}
