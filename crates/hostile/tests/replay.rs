//! Every target takes its seeds, and some thousands of bytes like them.

use hostile::{ALL, Mutations};

/// A handful of seconds for all of them, unoptimised.
const MUTATIONS: usize = 3000;

fn replay(share: usize, of: usize) {
    for target in ALL.iter().skip(share).step_by(of) {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for seed in &seeds {
            (target.run)(seed);
        }
        for data in Mutations::new(&seeds).take(MUTATIONS) {
            (target.run)(&data);
        }
    }
}

#[test]
fn a_third_of_the_targets_takes_what_is_like_its_seeds() {
    replay(0, 3);
}

#[test]
fn another_third_takes_it_too() {
    replay(1, 3);
}

#[test]
fn the_last_third_takes_it_too() {
    replay(2, 3);
}

#[test]
fn every_target_has_a_fuzzer_and_every_fuzzer_a_target() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/fuzz_targets");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    found.sort();
    let known: Vec<&str> = ALL.iter().map(|target| target.name).collect();
    assert_eq!(found, known);
}
