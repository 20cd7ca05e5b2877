//! Doors for `crates/hostile` alone: a record from the buffer on its way to the dead letters.

use std::num::NonZeroUsize;

use buffer::{Consumed, DeadLetter};
use store::{Batching, Item, Lanes};

use crate::decode::{Decoding, decode};
use crate::letter::{ForeignKeys, Letter};
use crate::route::Router;

/// The dead letters of a record of which every sample is refused, and how many samples it has.
///
/// `parts` is how often a letter that is too large is halved.
#[must_use]
pub fn dead_letters(record: Consumed, parts: usize) -> (Vec<DeadLetter>, usize) {
    let Decoding::Done(mut decoded) = decode(vec![record]) else {
        return (Vec::new(), 0);
    };
    let Some(decoded) = decoded.pop() else {
        return (Vec::new(), 0);
    };
    let record = match decoded.content {
        Ok(record) => record,
        Err(poison) => {
            let whose = (decoded.tenant, decoded.sender);
            let letter = Letter::of_record(decoded.source, decoded.key, whose, poison);
            return (vec![letter.seal("main", "metrics")], 0);
        }
    };
    let lanes = NonZeroUsize::new(4).map_or(Lanes::ByPartition, Lanes::BySeries);
    let batching = Batching {
        max_samples: 10,
        max_bytes: 1 << 20,
        max_age: std::time::Duration::from_secs(1),
    };
    let picks = Router::new(lanes, batching).picks(&record.block);
    let samples = picks.iter().map(|pick| pick.samples.len()).sum();
    let items = picks.into_iter().map(|pick| Item {
        record: std::sync::Arc::clone(&record),
        series: pick.series,
        samples: pick.samples,
    });
    let keys = ForeignKeys::default();
    let mut letters = Letter::of_samples(items.collect(), "fuzzed", "fuzzed", &keys);
    for _ in 0..parts {
        letters = letters.into_iter().flat_map(Letter::halve).collect();
    }
    let sealed = letters.iter().map(|letter| letter.seal("main", "metrics"));
    (sealed.collect(), samples)
}
