//! What happens to a group while nobody pushes to it.

use std::sync::Arc;
use std::time::Duration;

use service::units::Period;
use tokio::time::sleep;

use super::JOB;
use crate::PushgatewayConfig;
use crate::pushgateway::fake::{FakeTable, Pushed};

/// The tests' clock starts 20 s after a full minute.
const FIRST: &str = "@40";

fn of<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(name))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn last_values_are_stored_again_at_full_intervals() {
    let gateway = Pushed::start();
    let body = "# TYPE a counter\na 1\nb 2 1699999000000\n";
    gateway.expect(200, "PUT", JOB, body).await;
    gateway.stored();
    sleep(Duration::from_secs(41)).await;
    assert_eq!(gateway.stored(), [""; 0], "other gateways may not know yet");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(
        gateway.stored(),
        [
            format!("a{{job=nightly}} 1 {FIRST}"),
            format!("push_failure_time_seconds{{job=nightly}} 0 {FIRST}"),
            format!("push_time_seconds{{job=nightly}} t0 {FIRST}"),
        ],
        "what came with its own time is not said of another"
    );
    sleep(Duration::from_secs(120)).await;
    assert_eq!(
        of(&gateway.stored(), "a{job=nightly}"),
        [" 1 @100", " 1 @160"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_pushed_since_is_not_stored_with_an_older_time() {
    let gateway = Pushed::start();
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    sleep(Duration::from_secs(41)).await;
    gateway.expect(200, "PUT", JOB, "a 2\n").await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(of(&gateway.stored(), "a{job=nightly}"), [" 1 @0", " 2 @41"]);
}

#[tokio::test(start_paused = true)]
async fn without_repetition_only_pushes_are_stored() {
    let gateway = Pushed::with(PushgatewayConfig {
        repeat: Period::secs(0),
        ..PushgatewayConfig::default()
    });
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    let expecting = "/metrics/job/hourly?expect_every=1h";
    gateway.expect(200, "PUT", expecting, "b 1\n").await;
    gateway.stored();
    sleep(Duration::from_secs(61)).await;
    assert_eq!(
        gateway.stored(),
        ["sluice_push_overdue{job=hourly} 0 @40"],
        "but a missing push must be seen"
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_ends_when_its_time_is_over() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", "/metrics/job/nightly?ttl=90s", "a 1\n")
        .await;
    gateway.stored();
    sleep(Duration::from_secs(89)).await;
    assert_eq!(of(&gateway.stored(), "a{job=nightly}"), [" 1 @40"]);
    gateway.expect(200, "GET", JOB, "").await;
    sleep(Duration::from_secs(2)).await;
    gateway.expect(404, "GET", JOB, "").await;
    sleep(Duration::from_secs(20)).await;
    assert_eq!(
        gateway.stored(),
        [
            "a{job=nightly} ended @90",
            "push_failure_time_seconds{job=nightly} ended @90",
            "push_time_seconds{job=nightly} ended @90",
        ]
    );
    sleep(Duration::from_secs(200)).await;
    assert_eq!(gateway.stored(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_push_to_a_group_whose_time_is_over_ends_what_it_replaces() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", "/metrics/job/nightly?ttl=50s", "a 1\nb 1\n")
        .await;
    sleep(Duration::from_secs(51)).await;
    gateway.stored();
    gateway.expect(200, "PUT", JOB, "a 2\n").await;
    assert_eq!(
        gateway.stored_of_others(),
        [
            "a{job=nightly} 2 @51",
            "a{job=nightly} ended @50",
            "b{job=nightly} ended @50"
        ]
    );
    sleep(Duration::from_secs(30)).await;
    gateway.expect(200, "GET", JOB, "").await;
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_does_not_come_back() {
    let gateway = Pushed::start();
    for job in ["posted", "failed", "deleted"] {
        let path = format!("/metrics/job/{job}?ttl=50s");
        gateway.expect(200, "PUT", &path, "a 1\n").await;
    }
    sleep(Duration::from_secs(51)).await;
    gateway.stored();
    gateway
        .expect(200, "POST", "/metrics/job/posted", "b 1\n")
        .await;
    gateway
        .expect(400, "POST", "/metrics/job/failed", "nonsense\n")
        .await;
    gateway
        .expect(202, "DELETE", "/metrics/job/deleted", "")
        .await;
    assert_eq!(
        gateway.stored_of_others(),
        [
            "a{job=deleted} ended @50",
            "a{job=failed} ended @50",
            "a{job=posted} ended @50",
            "b{job=posted} 1 @51",
        ]
    );
    sleep(Duration::from_secs(110)).await;
    assert_eq!(
        gateway.stored_of_others(),
        ["b{job=posted} 1 @100"],
        "and nothing was said to live for so long only"
    );
    let shown = gateway.ask("GET", "/metrics/job/failed", "").await.json();
    assert_eq!(shown["families"], serde_json::json!({}));
}

#[tokio::test(start_paused = true)]
async fn ends_that_cannot_be_stored_do_not_hold_repetition_up() {
    let table = FakeTable::default();
    let gateway = Pushed::over(&table, Arc::default(), PushgatewayConfig::default());
    gateway.expect(200, "PUT", JOB, "b 1\n").await;
    for number in 0..300 {
        let path = format!("/metrics/job/{number}?ttl=30s");
        gateway.expect(200, "PUT", &path, "a 1\n").await;
    }
    gateway.stored();
    table.delay(Duration::from_secs(8));
    sleep(Duration::from_secs(300)).await;
    assert_eq!(
        of(&gateway.stored(), "b{job=nightly}"),
        [" 1 @100", " 1 @160", " 1 @220", " 1 @280", " 1 @40"]
    );
    assert_eq!(table.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_setting_ends_groups_that_do_not_say_when() {
    let gateway = Pushed::with(PushgatewayConfig {
        ttl: Period::secs(60),
        ..PushgatewayConfig::default()
    });
    gateway
        .expect(200, "PUT", "/metrics/job/one", "a 1\n")
        .await;
    gateway
        .expect(200, "PUT", "/metrics/job/two?ttl=0", "a 1\n")
        .await;
    gateway
        .expect(200, "PUT", "/metrics/job/three?expect_every=1h", "a 1\n")
        .await;
    sleep(Duration::from_secs(61)).await;
    gateway.expect(404, "GET", "/metrics/job/one", "").await;
    gateway.expect(200, "GET", "/metrics/job/two", "").await;
    gateway.expect(200, "GET", "/metrics/job/three", "").await;
}

#[tokio::test(start_paused = true)]
async fn a_push_that_does_not_come_is_seen() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", "/metrics/job/nightly?expect_every=2m", "a 1\n")
        .await;
    sleep(Duration::from_secs(170)).await;
    let series = "sluice_push_overdue{job=nightly}";
    assert_eq!(
        of(&gateway.stored(), series),
        [" 0 @0", " 0 @100", " 0 @40", " 1 @160"]
    );
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(shown["overdue"], true);
    assert_eq!(shown["next_push_due"], "2023-11-14T22:15:20.000Z");
    // The next one says nothing new, so it is expected as before.
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    assert_eq!(of(&gateway.stored(), series), [" 0 @170"]);
    // A refused one is not the one that was expected.
    sleep(Duration::from_secs(120)).await;
    gateway.expect(400, "PUT", JOB, "nonsense\n").await;
    sleep(Duration::from_secs(60)).await;
    assert!(of(&gateway.stored(), series).contains(&" 1 @340"));
    gateway
        .expect(200, "POST", "/metrics/job/nightly?expect_every=0", "")
        .await;
    assert_eq!(of(&gateway.stored(), series), [" ended @350"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_must_live_longer_than_it_is_waited_for() {
    let gateway = Pushed::start();
    let path = "/metrics/job/nightly?expect_every=25h&ttl=1h";
    let text = gateway.expect(400, "PUT", path, "a 1\n").await;
    assert!(text.contains("gone before it is overdue"), "{text}");
    for (query, part) in [
        ("ttl=5", "has no unit"),
        ("ttl=soon", "is not a duration"),
        ("expect_every=1000y", "at most 10 years"),
    ] {
        let text = gateway
            .expect(400, "PUT", &format!("{JOB}?{query}"), "")
            .await;
        assert!(text.contains(part), "{text}");
    }
}
