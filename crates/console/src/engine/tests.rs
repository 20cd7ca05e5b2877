//! Snapshots that agree with the registry, made once for everybody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use service::health::Health;
use service::telemetry::install_metrics;

use super::{About, Engine};
use crate::shapes::{History, LedgerState, Overview, Role};

pub(crate) fn about(role: Role) -> About {
    About {
        role,
        version: "0.0.0",
        hostname: "here".to_owned(),
        buffer: "local",
        retention: Duration::from_secs(60),
        stores: BTreeMap::from([("main".to_owned(), "influx".to_owned())]),
    }
}

fn engine(role: Role) -> Engine {
    let metrics = install_metrics(&[crate::CATALOGUE]);
    let clock = Arc::new(|| 1_700_000_000_000);
    Engine::new(about(role), Health::new(), metrics, clock)
}

fn data<'t>(text: &'t str, event: &str) -> &'t str {
    let start = format!("event: {event}\ndata: ");
    let (_, after) = text.split_once(&start).unwrap();
    after.split_once("\n\n").unwrap().0
}

#[tokio::test]
async fn what_a_role_does_not_have_is_absent() {
    let gateway = engine(Role::Gateway).overview();
    assert!(gateway.gateway.is_some() && gateway.stores.is_none());
    assert!(gateway.ledger.stores.is_none());
    let consumer = engine(Role::Consumer).overview();
    assert!(consumer.gateway.is_none() && consumer.ledger.gateway.is_none());
    assert_eq!(consumer.stores.as_ref().unwrap()[0].kind, "influx");
}

#[tokio::test]
async fn an_empty_process_balances() {
    let overview = engine(Role::Standalone).overview();
    assert_eq!(overview.ledger.state, LedgerState::Balanced);
    assert!(overview.readiness.is_ready);
}

#[tokio::test(start_paused = true)]
async fn a_second_look_at_once_costs_no_second_reading() {
    let engine = engine(Role::Standalone);
    let first = engine.overview();
    assert!(Arc::ptr_eq(&first, &engine.overview()));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!Arc::ptr_eq(&first, &engine.overview()));
}

#[tokio::test(start_paused = true)]
async fn a_console_gets_the_history_and_then_every_snapshot_the_same_as_others() {
    let engine = engine(Role::Standalone);
    engine.overview();
    tokio::time::advance(Duration::from_secs(1)).await;
    let (first, mut one) = engine.subscribe();
    let (_, mut other) = engine.subscribe();
    let first = String::from_utf8(first.to_vec()).unwrap();
    let history: History = serde_json::from_str(data(&first, "history")).unwrap();
    assert_eq!(history.at_ms.len(), 2);
    let snapshot: Overview = serde_json::from_str(data(&first, "snapshot")).unwrap();
    for name in snapshot.point.keys() {
        assert!(history.columns.contains_key(name), "{name}");
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    engine.overview();
    let (one, other) = (one.borrow_and_update(), other.borrow_and_update());
    assert_eq!(one.as_ptr(), other.as_ptr());
    let text = String::from_utf8(one.to_vec()).unwrap();
    let next: Overview = serde_json::from_str(data(&text, "snapshot")).unwrap();
    assert_eq!(next.process.consoles, 2);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_looks_it_is_read_every_five_seconds_and_every_second_when_somebody_does() {
    let engine = Arc::new(engine(Role::Standalone));
    let stopping = service::tasks::CancellationToken::new();
    let rows = || {
        engine
            .state()
            .history
            .json()
            .matches("1700000000000")
            .count()
    };
    let runs = Arc::clone(&engine).run(stopping.clone());
    let looks = async {
        tokio::time::sleep(Duration::from_millis(20_100)).await;
        assert_eq!(rows(), 5);
        let (_, frames) = engine.subscribe();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!((10..=11).contains(&rows()), "{}", rows());
        drop(frames);
        stopping.cancel();
    };
    tokio::join!(runs, looks);
}
