//! A batch until all of it is settled: written, or with the dead letters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::{Batch, Lane};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lane::Cut;
use crate::ledger::Counters;
use crate::letter::{ForeignKeys, Letter};
use crate::split::Run;

/// A partition from its assignment until it goes to another reader.
#[derive(Debug, Clone)]
pub(crate) struct Tenure {
    /// Counts the assignments of this process, so that two of one partition differ.
    pub(crate) id: u64,
    /// Cancelled when the partition goes: nothing of it may be started any more.
    pub(crate) ended: CancellationToken,
}

/// Finished together with a batch: so many parts of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) count: usize,
}

/// What is to be done with a batch, and what was done.
#[derive(Debug)]
pub(crate) struct Work {
    /// What remains to be written, the next piece last.
    pub(crate) todo: Vec<Batch>,
    /// What remains to be buried.
    pub(crate) letters: Vec<Letter>,
    /// What is finished when nothing remains.
    pub(crate) parts: Vec<Part>,
    /// Of each partition in it.
    pub(crate) tenures: BTreeMap<i32, Tenure>,
    pub(crate) keys: ForeignKeys,
    /// Failures in a row.
    pub(crate) attempt: u32,
    /// No attempt before this.
    pub(crate) not_before: Option<Instant>,
    pub(crate) run: Run,
    /// Samples not settled yet; shared with whoever must know when the work is abandoned.
    pub(crate) open: Arc<AtomicUsize>,
}

impl Work {
    /// To write a batch.
    pub(crate) fn write(lane: Lane, cut: Cut, tenure: impl Fn(i32) -> Option<Tenure>) -> Self {
        let mut work = Self::empty();
        for (waiting, count) in cut.records {
            let source = waiting.record.source;
            if let Some(key) = waiting.foreign_key {
                work.keys
                    .insert((source.partition, source.offset), key.0.clone());
            }
            work.note(source.partition, source.offset, count, &tenure);
        }
        work.open = Arc::new(AtomicUsize::new(cut.samples));
        work.todo.push(Batch {
            lane,
            items: cut.items,
        });
        work
    }

    /// To bury records that cannot be decoded.
    pub(crate) fn bury(letters: Vec<Letter>, tenure: impl Fn(i32) -> Option<Tenure>) -> Self {
        let mut work = Self::empty();
        for letter in &letters {
            work.note(letter.source.partition, letter.source.offset, 1, &tenure);
        }
        work.letters = letters;
        work
    }

    fn empty() -> Self {
        Self {
            todo: Vec::new(),
            letters: Vec::new(),
            parts: Vec::new(),
            tenures: BTreeMap::new(),
            keys: ForeignKeys::new(),
            attempt: 0,
            not_before: None,
            run: Run::default(),
            open: Arc::default(),
        }
    }

    fn note(
        &mut self,
        partition: i32,
        offset: i64,
        count: usize,
        tenure: &impl Fn(i32) -> Option<Tenure>,
    ) {
        match self.parts.last_mut() {
            Some(last) if (last.partition, last.offset) == (partition, offset) => {
                last.count += count;
            }
            _ => self.parts.push(Part {
                partition,
                offset,
                count,
            }),
        }
        if !self.tenures.contains_key(&partition)
            && let Some(tenure) = tenure(partition)
        {
            self.tenures.insert(partition, tenure);
        }
    }

    /// Whether nothing remains to be done.
    pub(crate) fn is_settled(&self) -> bool {
        self.todo.is_empty() && self.letters.is_empty()
    }

    /// So many samples are written or buried.
    pub(crate) fn settled(&self, samples: usize) {
        self.open.fetch_sub(samples, Ordering::Relaxed);
    }

    /// Drops what remains of partitions that went to another reader; their records count as unfinished then.
    pub(crate) fn drop_ended(&mut self, counters: &Counters) {
        let ended: Vec<i32> = self
            .tenures
            .iter()
            .filter(|(_, tenure)| tenure.ended.is_cancelled())
            .map(|(partition, _)| *partition)
            .collect();
        for partition in ended {
            let mut dropped = 0;
            let mut any = false;
            for batch in &mut self.todo {
                batch.items.retain(|item| {
                    let stays = item.source.partition != partition;
                    if !stays {
                        dropped += item.len();
                        any = true;
                    }
                    stays
                });
            }
            self.letters.retain(|letter| {
                let stays = letter.source.partition != partition;
                if !stays {
                    dropped += letter.samples().unwrap_or(0);
                    any = true;
                }
                stays
            });
            if any {
                self.todo.retain(|batch| !batch.items.is_empty());
                self.parts.retain(|part| part.partition != partition);
                self.tenures.remove(&partition);
                self.settled(dropped);
                counters.returned(dropped);
            }
        }
    }
}
