//! Everything that is in a buffer now, Kafka's or the embedded log's.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use buffer::{Commit as _, Consumed, Drain, DrainError, Event};
use tokio::time::timeout;

use super::tally::Tally;

/// A reader that is told nothing for so long is asked whether it is at the end.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// And after so many times it is given up.
const PATIENCE: u32 = 60;

/// Reads until every partition's end. Nothing is committed.
pub(super) async fn all(mut reader: impl Drain, tally: &mut Tally) -> anyhow::Result<()> {
    let committer = reader.committer();
    let mut positions: HashMap<i32, i64> = HashMap::new();
    let mut silences = 0;
    loop {
        match timeout(LOOK_EVERY, reader.next()).await {
            Ok(Ok(Event::Records(records))) => {
                silences = 0;
                for record in records {
                    positions.insert(record.partition, record.offset + 1);
                    take(&record, tally)?;
                }
            }
            Ok(Ok(Event::Assigned { partition, offset })) => {
                positions.insert(partition, offset);
            }
            Ok(Ok(Event::Revoked { handover, .. })) => handover.done(),
            Ok(Ok(Event::Lost { .. })) => {}
            Ok(Ok(Event::Expired {
                partition,
                from,
                to,
            })) => {
                eprintln!("partition {partition}: records {from} to {to} have expired");
                positions.insert(partition, to);
            }
            Ok(Err(DrainError::Unavailable(why))) => eprintln!("{why}; trying again"),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {
                let state = committer.state();
                let is_read = |partition: i32, end: Option<i64>| {
                    end.is_some_and(|end| positions.get(&partition).is_some_and(|at| *at >= end))
                };
                let mut partitions = state.iter();
                if !state.is_empty()
                    && partitions.all(|state| is_read(state.partition, state.end_offset))
                {
                    break;
                }
                silences += 1;
                anyhow::ensure!(silences < PATIENCE, "the end is not reached: {state:?}");
            }
        }
    }
    reader.close().await;
    Ok(())
}

fn take(record: &Consumed, tally: &mut Tally) -> anyhow::Result<()> {
    let block = codec::record::decode(record.content_type.as_deref(), &record.value);
    let block = block
        .with_context(|| format!("partition {}, offset {}", record.partition, record.offset))?;
    for series in block.iter() {
        for point in series.points() {
            tally.see(point.value);
        }
    }
    Ok(())
}
