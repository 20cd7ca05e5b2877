//! What is counted shows, described and in fixed buckets.

use std::time::Duration;

use super::{MetricsHandle, install_metrics, recorder};
use crate::catalogue::{Kind, Metric, SECONDS};
use crate::metrics::CATALOGUE;
use crate::tasks::Tasks;

const WAIT: Metric = Metric {
    name: "sluice_test_wait_seconds",
    kind: Kind::Histogram(&[0.1, 1.0]),
    labels: &["what"],
    help: "How long a test waits.",
};
const DONE: Metric = Metric {
    name: "sluice_test_done_total",
    kind: Kind::Counter,
    labels: &[],
    help: "Tests that are done.",
};

#[test]
fn histograms_have_the_catalogues_buckets() {
    let recorder = recorder(&[&[WAIT, DONE]]);
    let handle = MetricsHandle(recorder.handle());
    metrics::with_local_recorder(&recorder, || {
        crate::metrics::describe(&[WAIT, DONE]);
        crate::metrics::observe_for_test(WAIT.name, 0.5);
    });
    let text = handle.render();
    let own: Vec<_> = text
        .lines()
        .filter(|line| line.contains("sluice_test"))
        .collect();
    assert_eq!(
        own,
        [
            "# HELP sluice_test_done_total Tests that are done.",
            "# TYPE sluice_test_done_total counter",
            "sluice_test_done_total 0",
            "# HELP sluice_test_wait_seconds How long a test waits.",
            "# TYPE sluice_test_wait_seconds histogram",
            "sluice_test_wait_seconds_bucket{le=\"0.1\"} 0",
            "sluice_test_wait_seconds_bucket{le=\"1\"} 1",
            "sluice_test_wait_seconds_bucket{le=\"+Inf\"} 1",
            "sluice_test_wait_seconds_sum 0.5",
            "sluice_test_wait_seconds_count 1",
        ]
    );
}

#[tokio::test]
async fn the_process_has_one_recorder_and_says_what_it_is() {
    let tasks = Tasks::new();
    let first = install_metrics(&[&[DONE]]);
    let second = install_metrics(&[&[DONE]]);
    first.run(&tasks, "1.2.3", "gateway");
    for handle in [first, second] {
        let text = handle.render();
        for line in [
            "sluice_build_info{version=\"1.2.3\",role=\"gateway\"} 1",
            "sluice_test_done_total 0",
            "# TYPE process_cpu_seconds_total counter",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
    assert_eq!(tasks.stop(Duration::from_secs(5)).await, [""; 0]);
}

#[test]
fn the_catalogue_follows_the_house_rules() {
    for metric in CATALOGUE {
        let name = metric.name;
        let is_counter = metric.kind == Kind::Counter;
        assert_eq!(name.ends_with("_total"), is_counter, "{name}");
        assert!(metric.help.ends_with('.'), "{name}");
        assert!(name.starts_with("sluice_") || name.starts_with("process_"));
    }
    assert!(SECONDS.is_sorted());
}
