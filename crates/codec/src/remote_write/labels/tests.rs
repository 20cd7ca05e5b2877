//! Labels that are made from those before are the labels that are made from nothing.

use model::{Block, BlockBuilder};
use proptest::prelude::*;

use super::*;

/// Series of texts by their numbers.
type Series = Vec<[u32; 2]>;

fn block(texts: &[String], series: &[Series]) -> Block {
    let mut builder = BlockBuilder::new();
    for text in [String::new(), "__name__".to_owned(), "m".to_owned()]
        .iter()
        .chain(texts)
    {
        builder.symbol(text);
    }
    for refs in series {
        builder.label_refs([1, 2]);
        builder.label_refs(refs.iter().flatten().map(|number| number + 3));
        builder.end_series();
    }
    builder.build().unwrap()
}

fn any_texts() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        6 => "[a-c]{2}",
        2 => "[a-cé]{0,9}",
        1 => prop::sample::select(vec![50_usize, 99, 101, 118, 127, 128, 16_400])
            .prop_map(|len| "x".repeat(len)),
    ];
    prop::collection::vec(text, 8)
}

fn any_series() -> impl Strategy<Value = Vec<Series>> {
    prop::collection::vec(prop::collection::vec([0_u32..8, 0_u32..8], 0..5), 1..8)
}

proptest! {
    #[test]
    fn nothing_is_left_of_the_labels_before(
        records in prop::collection::vec((any_texts(), any_series(), any::<bool>()), 1..5),
        seed in any::<u64>(),
    ) {
        let mut labels = Labels::new(seed);
        let mut seen: Vec<(Vec<u8>, u64)> = Vec::new();
        for (texts, series, by_text) in records {
            let block = block(&texts, &series);
            for view in block.iter() {
                let before = labels.current().encoded.clone();
                if by_text {
                    labels.set(view.labels().map(<[&str; 2]>::from));
                } else {
                    labels.change_to(view);
                }
                let mut plain = Vec::new();
                for (name, value) in view.labels() {
                    put_label(&mut plain, [name.as_bytes(), value.as_bytes()]);
                }
                prop_assert_eq!(&labels.current().encoded, &plain);
                if let Some(changed) = labels.current().changed.clone() {
                    prop_assert_eq!(before.len(), plain.len());
                    for (at, (before, byte)) in before.iter().zip(&plain).enumerate() {
                        prop_assert!(before == byte || changed.contains(&at), "{}", at);
                    }
                }
                let mut fresh = Labels::new(seed);
                fresh.set(view.labels().map(<[&str; 2]>::from));
                prop_assert_eq!(labels.current().hash, fresh.current().hash);
                prop_assert_eq!(value_of(&labels.current().encoded, b"__name__"), Some(&b"m"[..]));
                seen.push((plain, labels.current().hash));
            }
        }
        // Others have another hash, but for the order.
        for (first, hash) in &seen {
            for (second, other) in &seen {
                prop_assert!(first != second || hash == other);
            }
        }
    }
}

#[test]
fn labels_that_need_much_room_are_forgotten() {
    let long = "x".repeat(1000);
    let texts = ["a".to_owned(), long];
    let of = block(&texts, &[vec![[0, 1]], vec![[0, 0]]]);
    let mut labels = Labels::new(1);
    let views: Vec<_> = of.iter().collect();
    labels.change_to(views[1]);
    let (short, hash) = (labels.current().encoded.clone(), labels.current().hash);
    labels.shrink_to(1000);
    assert_eq!(labels.current().encoded, short);
    labels.change_to(views[0]);
    labels.shrink_to(1000);
    assert_eq!(labels.current.encoded.capacity(), 0);
    labels.change_to(views[1]);
    assert_eq!(
        (&labels.current().encoded, labels.current().hash),
        (&short, hash)
    );
}
