//! Requests made from the API's description, good ones and bad ones, are answered as it says.
//!
//! schemathesis makes some thousands of them from `/openapi.json` of a real standalone. What a schema has no words for, the
//! hooks in `data/openapi_hooks.py` say. The seed is fixed: what is found is found again.

use std::path::Path;
use std::process::Command;

use crate::sluice::Sluice;

/// Checks that do not hold for one operation, and why.
const CONFIG: &str = "\
# As in gRPC, a call that failed is a 200 whose `grpc-status` says why.
[[operations]]
include-path = \"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export\"
checks.negative_data_rejection.enabled = false

# Whatever is asked about, the answer is an explanation.
[[operations]]
include-path = \"/api/v1/explain\"
checks.negative_data_rejection.enabled = false
";

/// What is asked of a listener.
struct Round<'a> {
    name: &'a str,
    port: u16,
    /// Whether bodies in formats of their own are left as they are generated.
    is_wild: bool,
    others: &'a [&'a str],
}

fn check(round: &Round<'_>) {
    let folder = testkit::run_dir("openapi");
    let config = folder.join("schemathesis.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let output = Command::new(testkit::python::schemathesis())
        .arg("--config-file")
        .arg(&config)
        .args(["--no-color", "run"])
        .arg(format!("http://127.0.0.1:{}/openapi.json", round.port))
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "5", "--workers", "1", "--seed", "1"])
        .args(["--request-timeout", "20"])
        .args(["--suppress-health-check", "all"])
        // The other paths of an operation are named by it and themselves.
        .args(["--exclude-operation-id-regex", "_"])
        .args(round.others)
        .current_dir(&folder)
        .env("PYTHONPATH", data)
        .env("SCHEMATHESIS_HOOKS", "openapi_hooks")
        .env("OPENAPI_WILD", if round.is_wild { "1" } else { "0" })
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}:\n{}\n{}",
        round.name,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn requests_made_from_the_public_description_are_answered_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    check(&Round {
        name: "good and bad requests",
        port: sluice.http_port(),
        is_wild: false,
        others: &[],
    });
    // That such a body is good is more than a schema can say.
    check(&Round {
        name: "wild bodies",
        port: sluice.http_port(),
        is_wild: true,
        others: &[
            "--exclude-checks",
            "positive_data_acceptance",
            "--mode",
            "positive",
            "--include-method",
            "POST",
        ],
    });
}

#[test]
fn requests_made_from_the_admin_description_are_answered_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    check(&Round {
        name: "good and bad requests",
        port: sluice.admin_port(),
        is_wild: false,
        // It does not end; tests of the console read it.
        others: &["--exclude-path", "/api/v1/live"],
    });
}

#[test]
fn every_role_shows_what_it_serves_as_a_document_and_as_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    let public = sluice.get("/openapi.json").unwrap();
    assert_eq!(public["openapi"], "3.1.0");
    assert!(public["paths"]["/metrics"]["post"].is_object());
    assert!(public["paths"]["/prometheus/api/v1/query"]["get"].is_object());
    let admin = sluice.admin("/openapi.json").unwrap();
    assert!(admin["paths"]["/api/v1/overview"]["get"].is_object());
    assert!(admin["paths"]["/api/v1/explain"]["post"].is_object());
    for port in [sluice.http_port(), sluice.admin_port()] {
        let page = testkit::http::get(port, "/docs").unwrap();
        let page = String::from_utf8(page.body).unwrap();
        assert!(page.starts_with("<!doctype html>"), "{page}");
        assert!(page.contains("<code>/api/v1/explain</code>"), "{page}");
    }
}
