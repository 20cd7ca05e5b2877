//! Any items in, the same samples out.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::{Series, batch, expected, give_to, open, read_all, read_file, visible};
use crate::{Item, Write as _};

const DAY_MS: i64 = 86_400_000;

fn at_ms() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => super::MIDNIGHT - 3 * DAY_MS..super::MIDNIGHT + 3 * DAY_MS,
        1 => -DAY_MS..DAY_MS,
        1 => -62_135_596_800_000_i64..253_402_300_800_000,
    ]
}

fn value() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits)
}

fn series() -> impl Strategy<Value = (Series, Option<String>)> {
    let text = || prop_oneof!["[a-c]{1,2}", "\\PC{1,8}"];
    let samples = (
        vec((at_ms(), value()), 0..6),
        vec((at_ms(), vec(any::<u8>(), 0..9)), 0..3),
    );
    let identity = (text(), btree_map(text(), "\\PC{0,5}", 0..4));
    let tenant = proptest::option::of("[a-b]");
    (identity, samples, tenant).prop_map(|((name, labels), (points, histograms), tenant)| {
        let series = Series {
            name,
            labels: labels.into_iter().collect(),
            points,
            histograms,
            ..Series::default()
        };
        (series, tenant)
    })
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    vec(series(), 0..12).prop_map(|series| {
        (0_i64..)
            .zip(series)
            .map(|(offset, (series, tenant))| {
                let mut item = series.at(0, offset);
                give_to(&mut item, tenant.as_deref());
                item
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_items_are_read_back_as_they_were(items in items(), cut in 0_usize..12) {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(dir.path());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (first, second) = items.split_at(cut.min(items.len()));
        for part in [first, second] {
            runtime.block_on(archive.write(&batch(0, part.to_vec()))).unwrap();
        }
        prop_assert_eq!(read_all(dir.path()), expected(&items));
        for path in visible(dir.path()) {
            let rows = read_file(&dir.path().join(&path));
            let keys: Vec<_> = rows
                .iter()
                .map(|row| (&row.metric, row.labels.iter().collect::<Vec<_>>(), row.at_ms))
                .collect();
            prop_assert!(keys.is_sorted());
            let folder = path.parent().unwrap().display().to_string();
            for row in &rows {
                prop_assert_eq!(super::Day::of(row.at_ms).folder(), folder.as_str());
            }
        }
    }
}
