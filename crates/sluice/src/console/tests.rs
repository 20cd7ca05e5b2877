//! The console's view of the binary agrees with what the binary declares.

use std::collections::BTreeSet;

use crate::process::CATALOGUES;
use crate::settings::{Role, Settings};

#[test]
fn every_metric_that_the_console_reads_is_declared() {
    let declared: BTreeSet<&str> = CATALOGUES
        .iter()
        .flat_map(|(_, catalogue)| *catalogue)
        .map(|metric| metric.name)
        .collect();
    for name in ::console::names_read() {
        assert!(declared.contains(name.as_str()), "{name}");
    }
}

#[test]
fn a_role_has_the_stores_that_it_writes_to() {
    let settings = Settings::defaults(Role::Standalone);
    let stores = |role| {
        let stores = super::about(role, &settings).stores;
        stores.into_iter().collect::<Vec<_>>()
    };
    let own = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    assert!(stores(Role::Gateway).is_empty());
    assert_eq!(stores(Role::Consumer), [own("archive", "parquet")]);
    assert_eq!(
        stores(Role::Standalone),
        [own("archive", "parquet"), own("recent", "recent")]
    );
}
