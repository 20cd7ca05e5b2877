//! Several gateways over one table, restarts, and a table that does not answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::JOB;
use crate::PushgatewayConfig;
use crate::pushgateway::fake::{FakeTable, Pushed};

fn gateway(table: &FakeTable) -> Pushed {
    Pushed::over(table, Arc::default(), PushgatewayConfig::default())
}

/// Until what one gateway did is known to the other.
async fn told() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn groups_survive_a_restart_with_everything_they_owe() {
    let table = FakeTable::default();
    let first = gateway(&table);
    first
        .expect(
            200,
            "PUT",
            "/metrics/job/nightly?expect_every=1h&ttl=2h",
            "a 1\nb 2\n",
        )
        .await;
    drop(first);
    let second = gateway(&table);
    second.expect(200, "PUT", JOB, "a 3\n").await;
    let stored = second.stored_of_others();
    assert_eq!(stored.len(), 2, "{stored:?}");
    assert!(
        stored
            .iter()
            .any(|line| line.starts_with("b{job=nightly} ended"))
    );
    let shown = second.ask("GET", JOB, "").await.json();
    assert_eq!(
        (&shown["ttl"], &shown["expect_every"]),
        (&"2h".into(), &"1h".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_may_be_pushed_to_deleted_and_read_at_any_gateway() {
    let table = FakeTable::default();
    let (one, two) = (gateway(&table), gateway(&table));
    one.expect(200, "PUT", JOB, "a 1\n").await;
    told().await;
    two.expect(200, "GET", JOB, "").await;
    two.expect(202, "DELETE", JOB, "").await;
    assert_eq!(two.stored_of_others().len(), 1);
    told().await;
    one.expect(404, "GET", JOB, "").await;
    assert_eq!(table.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn gateways_side_by_side_repeat_identical_samples() {
    let table = FakeTable::default();
    let (one, two) = (gateway(&table), gateway(&table));
    one.expect(200, "PUT", "/metrics/job/nightly?expect_every=10s", "a 1\n")
        .await;
    two.expect(200, "PUT", "/metrics/job/other?ttl=45s", "b 2\n")
        .await;
    told().await;
    one.stored();
    two.stored();
    sleep(Duration::from_secs(110)).await;
    let (mut first, mut second) = (one.stored(), two.stored());
    assert!(
        first
            .iter()
            .any(|line| line.starts_with("b{job=other} ended @45"))
    );
    assert!(
        first
            .iter()
            .any(|line| line == "sluice_push_overdue{job=nightly} 1 @40")
    );
    // The end of a group may be written by one of them before the other comes to it.
    for lines in [&mut first, &mut second] {
        lines.retain(|line| !line.contains("ended"));
    }
    assert_eq!(first, second);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), first.len());
    assert_eq!(table.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_the_table_does_not_have_is_answered_with_503() {
    let table = FakeTable::default();
    let gateway = gateway(&table);
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    table.fail(true);
    let answer = gateway.ask("PUT", JOB, "a 2\n").await;
    assert_eq!(answer.status, 503);
    assert!(matches!(
        answer.header("retry-after"),
        Some("1" | "2" | "3" | "4")
    ));
    let answer = gateway.ask("DELETE", JOB, "").await;
    assert_eq!(answer.status, 503);
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(shown["families"]["a"]["metrics"][0]["value"], "1");
    table.fail(false);
    gateway.expect(200, "PUT", JOB, "a 2\n").await;
}

#[tokio::test(start_paused = true)]
async fn an_own_push_counts_before_the_table_tells_of_it() {
    let table = FakeTable::default();
    let gateway = gateway(&table);
    gateway.expect(200, "PUT", JOB, "").await;
    table.silence(true);
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    gateway.expect(200, "POST", JOB, "b 1\n").await;
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(shown["families"].as_object().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_another_gateway_did_counts_even_if_an_own_push_is_never_told_of() {
    let table = FakeTable::default();
    let (one, two) = (gateway(&table), gateway(&table));
    one.expect(200, "PUT", JOB, "").await;
    table.silence(true);
    one.expect(200, "PUT", JOB, "a 1\n").await;
    table.silence(false);
    two.expect(200, "PUT", JOB, "b 1\n").await;
    sleep(Duration::from_secs(120)).await;
    let shown = one.ask("GET", JOB, "").await.json();
    assert_eq!(
        shown["families"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["b"]
    );
}
