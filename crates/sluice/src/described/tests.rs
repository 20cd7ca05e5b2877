//! That descriptions say what is there: on the admin listener of each role, and beside a gateway's own routes.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use http::Method;
use service::health::Health;
use service::openapi::{describing, served};
use service::tasks::Tasks;
use service::telemetry::install_metrics;
use store::recent::Recent;

use super::{always, queries, with};
use crate::process::AdminParts;
use crate::settings::{Role, Settings};

fn lines(all: Vec<(Method, String)>) -> BTreeSet<String> {
    all.iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect()
}

#[tokio::test]
async fn every_route_of_the_admin_listener_has_an_operation_and_every_operation_a_route() {
    let (health, metrics, tasks) = (Health::new(), install_metrics(&[]), Tasks::new());
    let settings = Settings::defaults(Role::Standalone);
    let clock = Arc::new(service::clock::now_ms);
    let about = crate::console::about(Role::Standalone, &settings);
    let console = ::console::Console::start(about, health.clone(), metrics.clone(), clock, &tasks);
    let routes = service::admin::router(health, metrics).merge(AdminParts::default().routes());
    let router = with(routes, Role::Standalone);
    let address = "127.0.0.1:8081".parse().unwrap();
    let (index, nowhere) = (service::admin::index, service::admin::not_found);
    let router = console.router(router, address, &[], index, nowhere);
    let routes = lines(served(&router));
    assert!(routes.len() > 12, "{routes:?}");
    assert_eq!(routes, lines(always().and(describing()).routes()));
}

#[test]
fn every_question_has_an_operation_and_every_operation_answers_one() {
    let settings = Settings::defaults(Role::Standalone);
    let answers = crate::queries::queries(&settings, Recent::new(&settings.recent), None);
    let router: Router = query::router(answers);
    let routes = lines(served(&router));
    assert!(routes.len() > 15, "{routes:?}");
    assert_eq!(routes, lines(queries().routes()));
}
