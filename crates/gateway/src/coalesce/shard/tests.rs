//! One large crowd is paid for once: what it needed is not kept for the few that come after it.

use std::hash::BuildHasher as _;

use codec::catalogue::Catalogue;
use codec::record::RecordBuilder;
use foldhash::quality::RandomState;
use model::Batch;

use super::*;
use crate::coalesce::groups::Groups;
use crate::fake::NOW_MS;
use crate::metrics::SampleMeters;

const MANY: usize = 20_000;

/// Far more than a few records need, and far less than the crowd did.
const LITTLE: usize = 64 << 10;

fn shards(count: usize, format: RecordFormat) -> Vec<Shard> {
    let shapes = Arc::new(Shapes::new(format, 1 << 20, 1 << 20));
    let shard = || Shard::new(Arc::clone(&shapes), Arc::default());
    (0..count).map(|_| shard()).collect()
}

/// Adds samples of so many names to a shard. Nobody waits for them.
fn add(shard: &Shard, names: usize) {
    let hasher = RandomState::default();
    let mut batch = Batch::default();
    for (index, name) in (0_u32..).zip(0..names) {
        let from = batch.open_labels();
        batch.push_label("host", "a");
        let series = batch.close_series(format!("metric_{name}"), from);
        batch.push_float(index, series, NOW_MS, 1.0);
    }
    let catalogue = Catalogue::new(0, hasher.clone());
    let origin = Origin {
        tenant: None,
        source: None,
    };
    let ticket = Ticket::new(&Arc::new(SampleMeters::of("test")));
    let addition = Addition {
        batch: &batch,
        knowledge: Knowledge {
            catalogue: &catalogue,
            families: None,
        },
        origin: &origin,
        received_at_ms: NOW_MS,
        ticket: &ticket,
        plan: None,
    };
    let mut groups = Groups::of(&batch, &catalogue, |name| hasher.hash_one(name), 0);
    for (_, groups) in groups.by_shard(1) {
        shard.add(&addition, groups);
    }
}

/// What a window keeps, in bytes, about.
fn kept(window: &Window) -> usize {
    let builders = window.spare.iter();
    let builders = builders.map(|builder| size_of::<RecordBuilder>() + builder.capacity());
    window.table.capacity() * size_of::<u32>()
        + window.open.capacity() * size_of::<Open>()
        + window.sealed.capacity() * size_of::<Sealed>()
        + window.spare.capacity() * size_of::<usize>()
        + builders.sum::<usize>()
}

fn kept_in_all(shards: &[Shard], taken: &Taken) -> usize {
    let shards = shards.iter().map(|shard| kept(&shard.window()));
    shards.sum::<usize>() + kept(&taken.window) + taken.sealed.capacity() * size_of::<Sealed>()
}

/// As a lane does it.
fn take_all(shards: &[Shard], taken: &mut Taken) -> usize {
    let mut records = 0;
    for shard in shards {
        shard.take(taken);
        records += taken.sealed.drain(..).count();
    }
    records
}

/// A crowd in each of the first `crowded` shards, then rounds in which only the first `busy` shards get a few.
fn kept_after_a_crowd(format: RecordFormat, crowded: usize, busy: usize) -> usize {
    let shards = shards(8, format);
    let mut taken = Taken::default();
    for shard in shards.iter().take(crowded) {
        add(shard, MANY);
        assert_eq!(take_all(&shards, &mut taken), MANY);
    }
    for round in 0..20 {
        // Windows change places, wherever one shard is left out.
        let left_out = usize::from(round % 3 == 0 && busy > 1);
        for shard in shards.iter().take(busy).skip(left_out) {
            add(shard, 2);
        }
        let records = 2 * (busy - left_out);
        assert_eq!(take_all(&shards, &mut taken), records);
    }
    kept_in_all(&shards, &taken)
}

#[test]
fn a_crowd_leaves_nothing_behind() {
    for format in [RecordFormat::Protobuf, RecordFormat::Json] {
        // Everywhere, in one place, and where nothing comes any more.
        for (crowded, busy) in [(8, 8), (1, 8), (8, 1)] {
            let kept = kept_after_a_crowd(format, crowded, busy);
            assert!(kept < LITTLE, "{format:?}, {crowded}, {busy}: {kept} bytes");
        }
    }
}
