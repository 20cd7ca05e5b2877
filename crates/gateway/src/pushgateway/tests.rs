//! What pushes do to groups and to the stream: the rules of the Pushgateway, and where ours are better.

mod life;
mod shared;

use super::fake::Pushed;
use crate::PushgatewayConfig;
use service::units::Size;

const JOB: &str = "/metrics/job/nightly";

#[tokio::test(start_paused = true)]
async fn a_push_is_stored_at_its_time_with_the_paths_labels() {
    let gateway = Pushed::start();
    let body = "# TYPE rows counter\nrows{instance=\"i1\",job=\"other\"} 3\n";
    assert_eq!(gateway.expect(200, "PUT", JOB, body).await, "");
    assert_eq!(
        gateway.stored(),
        [
            "push_failure_time_seconds{job=nightly} 0 @0",
            "push_time_seconds{job=nightly} t0 @0",
            "rows{instance=i1,job=nightly} 3 @0",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_value_in_the_path_takes_the_label_away() {
    let gateway = Pushed::start();
    let path = "/metrics/job/nightly/instance@base64/=";
    gateway
        .expect(200, "PUT", path, "up{instance=\"i1\"} 1\n")
        .await;
    assert_eq!(gateway.stored_of_others(), ["up{job=nightly} 1 @0"]);
}

#[tokio::test(start_paused = true)]
async fn put_replaces_everything_and_marks_what_ended() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", JOB, "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n")
        .await;
    gateway.stored();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    gateway.expect(200, "PUT", JOB, "a{x=\"2\"} 4\nc 5\n").await;
    assert_eq!(
        gateway.stored_of_others(),
        [
            "a{job=nightly,x=1} ended @1",
            "a{job=nightly,x=2} 4 @1",
            "b{job=nightly} ended @1",
            "c{job=nightly} 5 @1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn post_replaces_families_of_the_same_names_only() {
    let gateway = Pushed::start();
    let first =
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\na{x=\"1\"} 1\nb 2\n";
    gateway.expect(200, "POST", JOB, first).await;
    gateway.stored();
    let second = "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 2\nh_count 2\na{x=\"2\"} 3\n";
    gateway.expect(200, "POST", JOB, second).await;
    let stored = gateway.stored_of_others();
    assert_eq!(stored.len(), 6, "{stored:#?}");
    assert!(stored.contains(&"a{job=nightly,x=1} ended @0.001".to_owned()));
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(shown["families"]["b"]["metrics"][0]["value"], "2");
    assert_eq!(shown["families"]["h"]["metrics"][0]["buckets"]["1"], "2");
    assert_eq!(shown["families"]["h"]["metrics"][0]["count"], "2");
    assert_eq!(shown["families"]["a"]["metrics"][0]["labels"]["x"], "2");
}

#[tokio::test(start_paused = true)]
async fn an_empty_push_updates_the_push_time_and_a_put_clears_the_group() {
    let gateway = Pushed::start();
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    gateway.stored();
    gateway.expect(200, "POST", JOB, "").await;
    assert_eq!(
        gateway.stored(),
        [
            "push_failure_time_seconds{job=nightly} 0 @0.001",
            "push_time_seconds{job=nightly} t0.001 @0.001",
        ]
    );
    gateway.expect(200, "PUT", JOB, "").await;
    assert_eq!(gateway.stored_of_others(), ["a{job=nightly} ended @0.002"]);
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(shown["families"], serde_json::json!({}));
}

#[tokio::test(start_paused = true)]
async fn delete_ends_exactly_the_group_of_the_path() {
    let gateway = Pushed::start();
    let other = "/metrics/job/nightly/instance/i1";
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    gateway.expect(200, "PUT", other, "a 2\n").await;
    gateway.stored();
    gateway.expect(202, "DELETE", JOB, "").await;
    assert_eq!(
        gateway.stored(),
        [
            "a{job=nightly} ended @0.001",
            "push_failure_time_seconds{job=nightly} ended @0.001",
            "push_time_seconds{job=nightly} ended @0.001",
        ]
    );
    gateway.expect(404, "GET", JOB, "").await;
    gateway.expect(200, "GET", other, "").await;
    // What is not there is deleted as well.
    gateway.expect(202, "DELETE", JOB, "").await;
    assert_eq!(gateway.stored(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_sample_may_have_a_time_and_is_ended_after_it() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", JOB, "a 1 1700000005000\nb 1 1699999000000\n")
        .await;
    assert_eq!(
        gateway.stored_of_others(),
        ["a{job=nightly} 1 @5", "b{job=nightly} 1 @-1000"]
    );
    gateway.expect(202, "DELETE", JOB, "").await;
    assert_eq!(
        gateway.stored_of_others(),
        ["a{job=nightly} ended @5.001", "b{job=nightly} ended @0.001"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_series_may_have_several_times_but_none_twice() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", JOB, "a 1 1699999000000\na 2 1699999001000\n")
        .await;
    assert_eq!(gateway.stored_of_others().len(), 2);
    let text = gateway
        .expect(400, "PUT", JOB, "a{job=\"x\"} 1\na{job=\"y\"} 2\n")
        .await;
    assert!(
        text.contains("a{job=\"nightly\"} stands in the body twice"),
        "{text}"
    );
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(shown["families"]["a"]["metrics"][0]["value"], "2");
}

#[tokio::test(start_paused = true)]
async fn a_push_with_a_bad_line_is_refused_whole_and_noted() {
    let gateway = Pushed::start();
    gateway.expect(200, "PUT", JOB, "a 1\n").await;
    gateway.stored();
    let text = gateway.expect(400, "PUT", JOB, "a 2\nblablabla\n").await;
    assert!(text.contains("none was taken"), "{text}");
    assert_eq!(
        gateway.stored(),
        [
            "push_failure_time_seconds{job=nightly} t0.001 @0.001",
            "push_time_seconds{job=nightly} t0 @0.001",
        ]
    );
    let shown = gateway.ask("GET", JOB, "").await.json();
    assert_eq!(shown["last_push_successful"], false);
    assert_eq!(shown["families"]["a"]["metrics"][0]["value"], "1");
}

#[tokio::test(start_paused = true)]
async fn a_family_has_one_type_in_all_groups() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", "/metrics/job/one", "# TYPE a counter\na 1\n")
        .await;
    let gauge = "# TYPE a gauge\na 1\n";
    let text = gateway.expect(400, "PUT", "/metrics/job/two", gauge).await;
    assert!(
        text.contains(r#"metric family "a" is a gauge here, but a counter in another group"#),
        "{text}"
    );
    // Alone with it, a group may change its mind.
    gateway.expect(200, "PUT", "/metrics/job/one", gauge).await;
    gateway.expect(200, "PUT", "/metrics/job/two", gauge).await;
}

#[tokio::test(start_paused = true)]
async fn a_series_belongs_to_one_group() {
    let gateway = Pushed::start();
    gateway
        .expect(200, "PUT", "/metrics/job/x/instance/i1", "a 1\n")
        .await;
    let body = "a{instance=\"i1\"} 2\n";
    let text = gateway.expect(400, "PUT", "/metrics/job/x", body).await;
    assert!(
        text.contains(r#"another group has the series a{instance="i1",job="x"}"#),
        "{text}"
    );
    gateway
        .expect(202, "DELETE", "/metrics/job/x/instance/i1", "")
        .await;
    gateway.expect(200, "PUT", "/metrics/job/x", body).await;
    gateway.expect(200, "PUT", "/metrics/job/x", body).await;
}

#[tokio::test(start_paused = true)]
async fn a_series_belongs_to_one_family_of_its_group() {
    let gateway = Pushed::start();
    let summary = "# TYPE took summary\ntook_sum 3\ntook_count 2\n";
    gateway.expect(200, "PUT", JOB, summary).await;
    let text = gateway.expect(400, "POST", JOB, "took_count 5\n").await;
    assert!(
        text.contains(r#"another family of the group has the series took_count{job="nightly"}"#),
        "{text}"
    );
    gateway.expect(200, "POST", JOB, summary).await;
    gateway.expect(200, "PUT", JOB, "took_count 5\n").await;
}

#[tokio::test(start_paused = true)]
async fn tenants_do_not_share_groups() {
    let gateway = Pushed::start();
    gateway
        .expect(
            200,
            "PUT",
            "/tenants/t1/metrics/job/x",
            "# TYPE a counter\na 1\n",
        )
        .await;
    gateway
        .expect(
            200,
            "PUT",
            "/tenants/t2/metrics/job/x",
            "# TYPE a gauge\na 2\n",
        )
        .await;
    gateway.expect(404, "GET", "/metrics/job/x", "").await;
    let shown = gateway
        .ask("GET", "/tenants/t1/metrics/job/x", "")
        .await
        .json();
    assert_eq!(shown["tenant"], "t1");
    let listed = gateway
        .ask("GET", "/tenants/t2/api/v1/metrics", "")
        .await
        .json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed["data"][0]["a"]["type"], "GAUGE");
    let tenants: Vec<_> = gateway
        .buffer
        .confirmed()
        .into_iter()
        .map(|record| record.tenant)
        .collect();
    assert!(tenants.iter().all(Option::is_some));
}

#[tokio::test(start_paused = true)]
async fn nobody_pushes_the_gateways_own_metrics() {
    let gateway = Pushed::start();
    gateway
        .expect(
            200,
            "PUT",
            JOB,
            "push_time_seconds 5\nsluice_push_overdue 1\na 1\n",
        )
        .await;
    assert_eq!(
        gateway.stored(),
        [
            "a{job=nightly} 1 @0",
            "push_failure_time_seconds{job=nightly} 0 @0",
            "push_time_seconds{job=nightly} t0 @0",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn groups_have_bounds() {
    let gateway = Pushed::with(PushgatewayConfig {
        max_groups: 2,
        max_group: Size(200),
        max_size: Size(330),
        ..PushgatewayConfig::default()
    });
    let long = "a{x=\"0123456789012345678901234567890123456789\",y=\"0123456789012345678901234567890123456789\"} 1\n";
    let two = format!("{long}{}", long.replace("a{", "b{"));
    let text = gateway.ask("PUT", JOB, two).await;
    assert_eq!(text.status, 413);
    assert!(
        text.text().contains("(pushgateway.max_group)"),
        "{}",
        text.text()
    );
    gateway.expect(200, "PUT", "/metrics/job/1", long).await;
    gateway.expect(200, "PUT", "/metrics/job/2", "c 1\n").await;
    let text = gateway.expect(503, "PUT", "/metrics/job/3", "c 1\n").await;
    assert!(text.contains("(pushgateway.max_groups)"), "{text}");
    let text = gateway.expect(503, "PUT", "/metrics/job/2", long).await;
    assert!(text.contains("(pushgateway.max_size)"), "{text}");
    gateway.expect(202, "DELETE", "/metrics/job/1", "").await;
    gateway.expect(200, "PUT", "/metrics/job/2", long).await;
    gateway.expect(200, "PUT", "/metrics/job/3", "").await;
}
