//! The table is held to a map.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn numbers_are_found_as_in_a_map(
        rounds in prop::collection::vec(
            // Few hashes, so that things meet; more things than there are slots at first.
            prop::collection::vec((0_u64..40, 0_u32..60), 0..1500), 1..4),
        generation in prop_oneof![Just(1_u32), Just(u32::MAX - 1)],
    ) {
        let mut numbers = Numbers::new();
        numbers.generation = generation;
        for things in rounds {
            let mut known: Vec<(u64, u32)> = Vec::new();
            let mut model: HashMap<(u64, u32), u32> = HashMap::new();
            for (hash, name) in things {
                let thing = (hash << 33, name);
                let found = numbers.find(thing.0, |number| known[number as usize] == thing);
                match found {
                    Ok(number) => prop_assert_eq!(model.get(&thing), Some(&number)),
                    Err(place) => {
                        let number = u32::try_from(known.len()).unwrap();
                        prop_assert_eq!(model.insert(thing, number), None);
                        known.push(thing);
                        numbers.insert(place, number, |number| known[number as usize].0);
                    }
                }
            }
            prop_assert!(2 * numbers.taken <= numbers.slots.len());
            numbers.clear();
        }
    }
}
