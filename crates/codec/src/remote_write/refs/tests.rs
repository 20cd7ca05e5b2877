//! References that are made from those before are the references that are made from nothing.

use model::{Block, BlockBuilder};
use proptest::prelude::*;

use super::*;
use crate::protobuf::Reader;

/// Series of texts by their numbers.
type Series = Vec<[u32; 2]>;

/// A record of texts, of which so many may be its own.
fn block(own: u32, texts: u32, series: &[Series]) -> Block {
    let mut builder = BlockBuilder::new();
    for text in ["", "__name__", "m"] {
        builder.symbol(text);
    }
    for text in own..own + texts {
        builder.symbol(&format!("text {text}"));
    }
    for refs in series {
        builder.label_refs([1, 2]);
        builder.label_refs(refs.iter().flatten().map(|number| number % texts + 3));
        builder.end_series();
    }
    builder.build().unwrap()
}

fn any_series() -> impl Strategy<Value = Vec<Series>> {
    let text = || prop_oneof![3 => 0_u32..6, 1 => 0_u32..300];
    prop::collection::vec(
        prop::collection::vec((0_u32..6, text()).prop_map(<[u32; 2]>::from), 0..5),
        1..12,
    )
}

/// The texts that encoded references name.
fn texts_of(encoded: &[u8], symbols: &Symbols) -> Vec<String> {
    let (field, value) = Reader(encoded).field().unwrap().unwrap();
    assert_eq!(field, u32::from(LABELS));
    let mut texts = Vec::new();
    let text = |number| String::from_utf8(symbols.text(number).to_vec()).unwrap();
    value
        .each_uint32(|number| texts.push(text(number)))
        .unwrap();
    texts
}

proptest! {
    #[test]
    fn nothing_is_left_of_the_references_before(
        records in prop::collection::vec(
            (0_u32..200, prop::sample::select(vec![6_u32, 130, 300]), any_series(), any::<bool>()), 1..5),
        seed in any::<u64>(),
    ) {
        let mut symbols = Symbols::default();
        symbols.intern("");
        let mut refs = Refs::new(seed);
        for (own, texts, series, by_number) in records {
            let block = block(own, texts, &series);
            let mut before: Option<Vec<u8>> = None;
            for view in block.iter() {
                let labels = view.labels();
                let texts: Vec<&str> = labels.flat_map(|(name, value)| [name, value]).collect();
                if by_number {
                    let (pairs, _) = texts.as_chunks::<2>();
                    let pairs = pairs.iter().map(|pair| pair.map(|text| symbols.intern(text)));
                    refs.set(pairs.collect::<Vec<_>>().into_iter());
                } else {
                    refs.change_to(view, &mut symbols);
                }
                prop_assert_eq!(&texts_of(&refs.current().encoded, &symbols), &texts);
                let mut fresh = Refs::new(seed);
                fresh.change_to(view, &mut symbols);
                prop_assert_eq!(&refs.current().encoded, &fresh.current().encoded);
                prop_assert_eq!(refs.current().hash, fresh.current().hash);
                if let (Some(before), Some(changed)) = (before, refs.current().changed.clone()) {
                    prop_assert_eq!(before.len(), refs.current().encoded.len());
                    for (at, pair) in before.iter().zip(&refs.current().encoded).enumerate() {
                        prop_assert!(pair.0 == pair.1 || changed.contains(&at));
                    }
                }
                before = Some(refs.current().encoded.clone());
            }
        }
    }
}
