//! Checks that the real server starts, answers queries and scrapes, and that `promtool` judges.

use std::time::Duration;

use super::promtool;
use crate::{Prometheus, eventually_blocking, run_dir};

#[test]
fn it_answers_queries_and_says_what_is_wrong_with_one() {
    let server = Prometheus::start();
    assert_eq!(
        server.query("1 + 1", 1_700_000_000_000)[0].samples,
        [(1_700_000_000_000, 2.0)]
    );
    let range = server.query_range("vector(1)", 0, 120_000, Duration::from_secs(60));
    assert_eq!(range[0].samples, [(0, 1.0), (60_000, 1.0), (120_000, 1.0)]);
    assert_eq!(server.query("nothing", 0), []);
    let refused = std::panic::catch_unwind(|| server.query("((", 0));
    assert!(refused.is_err());
}

#[test]
fn it_scrapes_when_told_to() {
    let target = Prometheus::start();
    let server = Prometheus::start_with(&format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: other\n    static_configs:\n      \
         - targets: ['127.0.0.1:{}']\n",
        target.port()
    ));
    eventually_blocking(Duration::from_secs(30), || {
        // A time far ahead would be outside of the look-back window, so the server's own `time()` counts.
        let now = std::process::Command::new("date")
            .arg("+%s")
            .output()
            .unwrap();
        let now: i64 = String::from_utf8(now.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        match server.query("up", now * 1000).as_slice() {
            [up] if up
                .samples
                .first()
                .is_some_and(|(_, value)| value.to_bits() == 1f64.to_bits()) =>
            {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn promtool_says_what_is_wrong() {
    let folder = run_dir("promtool");
    std::fs::write(
        folder.join("rules.yml"),
        "groups: [{name: g, rules: [{record: a, expr: '('}]}]",
    )
    .unwrap();
    let why = promtool(&folder, &["check", "rules", "rules.yml"]).unwrap_err();
    assert!(why.contains("could not parse expression"), "{why}");
}
