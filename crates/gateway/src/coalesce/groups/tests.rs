//! Samples of one name are together, wherever the name is from.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;
use proptest::prelude::*;

use super::*;

fn body<'s>(samples: impl Iterator<Item = (usize, &'s str)>) -> String {
    let objects: Vec<String> = samples
        .map(|(name, value)| {
            format!(
                r#"{{"metric_name": "m{name}", "timestamp": 1, "value": {value}, "labels": {{}}}}"#
            )
        })
        .collect();
    format!(r#"{{"metrics": [{}]}}"#, objects.join(","))
}

/// The positions of each group's samples.
fn grouped(
    batch: &Batch<'_>,
    catalogue: &Catalogue,
    hasher: &RandomState,
    seed: u64,
) -> BTreeSet<Vec<u32>> {
    let hash = |name: &str| hasher.hash_one(name);
    let mut groups = Groups::of(batch, catalogue, hash, seed);
    let of_shard = |(_, groups): (usize, ShardGroups<'_>)| -> Vec<Vec<u32>> {
        groups.iter().map(|(_, at)| at.to_vec()).collect()
    };
    groups.by_shard(8).flat_map(of_shard).collect()
}

/// A name, and whether its series is read by its labels: what is written with an exponent is read as if there were no
/// catalogue.
type Sent = (usize, bool);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// More names than samples, few and many of them: each way of finding a name's group.
    #[test]
    fn every_name_has_one_group_in_the_order_of_its_samples(
        sent in proptest::collection::vec((0..60_usize, any::<bool>()), 1..80),
        names in prop_oneof![Just(30_usize), Just(60), Just(300)],
        seed in prop_oneof![Just(0_u64), any::<u64>()],
    ) {
        let sent: Vec<Sent> = sent;
        let hasher = RandomState::default();
        let mut catalogue = Catalogue::new(1 << 20, hasher.clone());
        let first = body((0..names).map(|name| (name, "1")));
        let decoded = codec::json::decode_with(first.as_bytes(), names, &catalogue).unwrap();
        catalogue.learn(&decoded.batch, &decoded.unknown);
        let value = |by_labels: bool| if by_labels { "2e0" } else { "1" };
        let second = body(sent.iter().map(|(name, by_labels)| (*name, value(*by_labels))));
        let decoded = codec::json::decode_with(second.as_bytes(), sent.len(), &catalogue).unwrap();
        let mut expected: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (position, (name, _)) in (0_u32..).zip(&sent) {
            expected.entry(*name).or_default().push(position);
        }
        let expected: BTreeSet<Vec<u32>> = expected.into_values().collect();
        prop_assert_eq!(grouped(&decoded.batch, &catalogue, &hasher, seed), expected);
    }
}

#[test]
fn samples_of_a_name_stay_in_order_when_only_some_of_its_series_are_known() {
    let hasher = RandomState::default();
    let mut catalogue = Catalogue::new(1 << 20, hasher.clone());
    let first = body([(0, "1")].into_iter());
    let decoded = codec::json::decode_with(first.as_bytes(), 10, &catalogue).unwrap();
    catalogue.learn(&decoded.batch, &decoded.unknown);
    // What is written with an exponent is read as if there were no catalogue.
    let second = body(["1", "2e0", "3", "4e0"].map(|value| (0, value)).into_iter());
    let decoded = codec::json::decode_with(second.as_bytes(), 10, &catalogue).unwrap();
    let samples = decoded.batch.samples().iter();
    let known: Vec<bool> = samples.map(|sample| sample.known().is_some()).collect();
    assert_eq!(known, [true, false, true, false]);
    for seed in [0, 7] {
        let groups = grouped(&decoded.batch, &catalogue, &hasher, seed);
        assert_eq!(groups, BTreeSet::from([vec![0, 1, 2, 3]]));
    }
}
