//! Which partition a record goes to when its key has several, and what has to be read before it.
//!
//! A key has one partition, the one where every Kafka client puts it. A hot one may have more: *lanes*, which
//! are the partitions that follow it. Which series has which lane is up to whoever makes the records.

/// The place of a record among the partitions of its key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Spread {
    /// So many partitions behind the key's own, past the last one on from the first. 0 is the key's own. Where there
    /// are fewer partitions, it is taken modulo the largest power of two of them.
    pub lane: u32,
    /// The last change of the number of lanes, if it may have brought series to this one.
    pub moved: Option<Moved>,
}

/// A change of how many lanes a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moved {
    /// Lanes before; it divides `over`, or the other way round.
    pub was: u32,
    /// Lanes since.
    pub over: u32,
    /// From when on nothing is written as before: the change, and as long as a record may be under way. Milliseconds
    /// since the Unix epoch.
    pub settled_at_ms: i64,
}

impl Moved {
    /// The lanes in which series were before that have this lane now.
    pub fn sources(self, lane: u32) -> impl Iterator<Item = u32> {
        let common = self.was.min(self.over).max(1);
        (lane % common..self.was)
            .step_by(usize::try_from(common).unwrap_or(1))
            .filter(move |source| *source != lane)
    }
}

#[cfg(test)]
mod tests;
