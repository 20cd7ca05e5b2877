//! The console as people see it: the page in a real Chromium, before a real process and before every answer it may get.

use std::path::PathBuf;
use std::process::Command;

use testkit::repository;

use crate::sluice::{Sluice, binary};

/// Pictures for people to look at, kept from run to run.
fn pictures(story: &str) -> PathBuf {
    repository().join(".build/screenshots").join(story)
}

/// Runs a script of the page's, which says what it found.
#[track_caller]
fn run(script: &str, variables: &[(&str, String)]) {
    let web = repository().join("crates/console/web");
    assert!(
        web.join("node_modules/playwright-core").is_dir(),
        "playwright-core is missing; run scripts/test-setup web chromium"
    );
    let folder = pictures(script.trim_end_matches(".mjs"));
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    let output = Command::new("node")
        .arg(web.join("browser").join(script))
        .arg(&folder)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("node runs");
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{errors}");
    std::fs::write(folder.join("report.txt"), out.as_bytes()).expect("the report can be kept");
}

#[test]
fn every_role_and_every_answer_is_shown_so_that_everybody_can_read_it() {
    run("roles.mjs", &[]);
}

#[test]
fn a_first_visit_sees_what_flows_finds_a_metric_and_reads_why_one_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let settings = [
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "3s"),
    ];
    let sluice = Sluice::start("standalone", &settings);
    let demo = testkit::Launch::new("demo", binary())
        .arg("demo")
        .arg("--url")
        .arg(sluice.url(""))
        .arg("--statsd")
        .arg("off")
        .start();
    run(
        "story.mjs",
        &[
            (
                "ADMIN",
                format!("http://127.0.0.1:{}/", sluice.admin_port()),
            ),
            ("PUBLIC", sluice.url("/")),
        ],
    );
    assert!(demo.exited().is_none(), "{}", demo.log());
}
