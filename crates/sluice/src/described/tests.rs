//! That the admin listener's description says what is there.

use std::collections::BTreeSet;

use service::health::Health;
use service::openapi::served;
use service::telemetry::install_metrics;

use super::{all, router};
use crate::process::AdminParts;

#[test]
fn every_route_of_the_admin_listener_has_an_operation_and_every_operation_a_route() {
    let router = router(
        Health::new(),
        install_metrics(&[]),
        AdminParts::default().routes(),
    );
    let lines = |all: Vec<(http::Method, String)>| -> BTreeSet<String> {
        all.iter()
            .map(|(method, path)| format!("{method} {path}"))
            .collect()
    };
    let routes = lines(served(&router));
    assert!(routes.len() > 8, "{routes:?}");
    assert_eq!(routes, lines(all().routes()));
}
