//! Samples of one name are together, wherever the name is from.

use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;

use super::*;

fn body(values: &[&str]) -> String {
    let object = |value: &&str| {
        format!(r#"{{"metric_name": "up", "timestamp": 1, "value": {value}, "labels": {{}}}}"#)
    };
    let objects: Vec<String> = values.iter().map(object).collect();
    format!(r#"{{"metrics": [{}]}}"#, objects.join(","))
}

#[test]
fn samples_of_a_name_stay_in_order_when_only_some_of_its_series_are_known() {
    let hasher = RandomState::default();
    let mut catalogue = Catalogue::new(1 << 20, hasher.clone());
    let first = body(&["1"]);
    let decoded = codec::json::decode_with(first.as_bytes(), 10, &catalogue).unwrap();
    catalogue.learn(&decoded.batch, &decoded.unknown);
    // What is written with an exponent is read as if there were no catalogue.
    let second = body(&["1", "2e0", "3", "4e0"]);
    let decoded = codec::json::decode_with(second.as_bytes(), 10, &catalogue).unwrap();
    let samples = decoded.batch.samples().iter();
    let known: Vec<bool> = samples.map(|sample| sample.known().is_some()).collect();
    assert_eq!(known, [true, false, true, false]);
    for seed in [0, 7] {
        let hash = |name: &str| hasher.hash_one(name);
        let mut groups = Groups::of(&decoded.batch, &catalogue, hash, seed);
        let positions: Vec<Vec<u32>> = groups
            .by_shard(8)
            .flat_map(|(_, groups)| groups.iter().map(|(_, at)| at.to_vec()).collect::<Vec<_>>())
            .collect();
        assert_eq!(positions, [[0, 1, 2, 3]]);
    }
}
