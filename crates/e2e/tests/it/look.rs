//! The commands that look: what arrives, which topics there are, and what was refused.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::kafka::{Kafka, Record};
use testkit::{VictoriaMetrics, eventually_blocking};

use crate::push::{now_ms, push};
use crate::replay::{command, ended};
use crate::sluice::{PATIENCE, Sluice, Topics};

async fn push_some(gateway: &Sluice, name: &str, hosts: i64) {
    let metrics: Vec<Value> = (0..hosts)
        .map(|host| {
            json!({"metric_name": name, "timestamp": now_ms(), "value": host, "labels": {"host": format!("h{host}")}})
        })
        .collect();
    push(&gateway.url("/metrics"), &json!({ "metrics": metrics }))
        .await
        .unwrap();
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_shows_what_is_there_and_what_comes_and_ends_with_its_reader() {
    let topics = Topics::new("tail", 2);
    let gateway = Sluice::start("gateway", &topics.settings());
    let folder = testkit::run_dir("tail");
    push_some(&gateway, "tail_old", 5).await;
    push_some(&gateway, "tail_other", 5).await;
    let there = ["tail", "--since", "5m", "--no-follow", "--name", "tail_old"];
    let there = lines(&ended(command(&there, &topics.settings(), &folder), 0));
    assert_eq!(there.len(), 5);
    assert!(there.iter().all(|line| line["metric_name"] == "tail_old"));
    let table = [
        "tail",
        "--since",
        "5m",
        "--no-follow",
        "--output",
        "table",
        "--label",
        "host=h3",
    ];
    let table = ended(command(&table, &topics.settings(), &folder), 0);
    assert!(
        table.starts_with("TIME") && !table.contains('\x1b'),
        "{table}"
    );
    assert_eq!(table.lines().count(), 3, "{table}");

    let mut follow = command(&["tail", "--name", "tail_new"], &topics.settings(), &folder);
    let mut follow = follow.stderr(Stdio::inherit()).spawn().unwrap();
    let mut shown = BufReader::new(follow.stdout.take().unwrap());
    // It begins with what comes, so something has to come until it has begun.
    let pushing = async {
        loop {
            push_some(&gateway, "tail_new", 1).await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let reading = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        shown.read_line(&mut line).unwrap();
        // Like head -1: it reads no more.
        drop(shown);
        line
    });
    let ended = tokio::select! {
        () = pushing => unreachable!("it pushes for ever"),
        ended = async {
            let line = reading.await.unwrap();
            assert_eq!(lines(&line)[0]["metric_name"], "tail_new");
            tokio::task::spawn_blocking(move || follow.wait().unwrap()).await.unwrap()
        } => ended,
    };
    assert!(ended.success(), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_running_standalone_is_shown_by_its_admin_listener() {
    let folder = testkit::run_dir("tail-local");
    let standalone = Sluice::standalone(&folder);
    push_some(&standalone, "tail_local", 4).await;
    let admin = format!("127.0.0.1:{}", standalone.admin_port());
    let settings = [("SLUICE_ADMIN__LISTEN", admin.as_str())];
    let arguments = [
        "tail",
        "--role",
        "standalone",
        "--since",
        "earliest",
        "--limit",
        "3",
    ];
    let shown = lines(&ended(command(&arguments, &settings, &folder), 0));
    assert_eq!(shown.len(), 3);
    assert!(shown.iter().all(|line| line["metric_name"] == "tail_local"));
    standalone.process.terminate();
    standalone.process.wait_for_exit(PATIENCE);
    let arguments = [
        "tail",
        "--role",
        "standalone",
        "--since",
        "earliest",
        "--no-follow",
    ];
    let shown = lines(&ended(command(&arguments, &settings, &folder), 0));
    assert_eq!(shown.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_described_and_compared_with_the_settings() {
    let topics = Topics::new("topic", 3);
    let folder = testkit::run_dir("topic");
    let run = |action: &str, settings: &[(&str, &str)], code| {
        ended(command(&["topic", action], settings, &folder), code)
    };
    let settings = topics.settings();
    let missing = run("check", &settings, 2);
    assert_eq!(missing.matches("is missing").count(), 3, "{missing}");
    let created = run("create", &settings, 0);
    assert!(
        created.contains(&format!("{} is created", topics.dead)) || created.contains("with 3"),
        "{created}"
    );
    let checked = run("check", &settings, 0);
    assert_eq!(
        checked.matches("as the settings want it").count(),
        3,
        "{checked}"
    );
    let described = run("describe", &settings, 0);
    assert!(described.contains("retention.ms = 86400000"), "{described}");
    Kafka::shared().set_topic_setting(&topics.samples, "retention.ms", "3600000");
    let differs = eventually_blocking(PATIENCE, || {
        let checked = command(&["topic", "check"], &settings, &folder)
            .output()
            .unwrap();
        match checked.status.code() {
            Some(2) => Ok(String::from_utf8(checked.stdout).unwrap()),
            other => Err(other),
        }
    });
    assert!(differs.contains("retention is 3600000 ms"), "{differs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_listed_shown_mended_and_sent_again() {
    let store = VictoriaMetrics::start();
    let topics = Topics::new("dlq", 1);
    let (folder, url) = (testkit::run_dir("dlq"), store.write_url());
    let settings = topics.with(&[
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
    ]);
    let consumer = Sluice::start("consumer", &settings);
    // A sample that nobody took: what a store would have refused, with the headers of a consumer.
    let sample = json!({"metric_name": "mend_me", "timestamp": now_ms(), "value": 7.5,
                        "labels": {"host": "a", "request_id": "x1"}});
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let letter = |value: String| Record {
        partition: 0,
        offset: 0,
        timestamp_ms: 0,
        key: Some(b"mend_me".to_vec()),
        value: Some(value.into_bytes()),
        headers: vec![
            header("content-type", "application/json"),
            header("reason", "labels_invalid"),
            header("message", "too many of them"),
            header("store", "main"),
            header("source-topic", &topics.samples),
            header("source-partition", "0"),
            header("source-offset", "12"),
        ],
    };
    let letters = [letter(sample.to_string()), letter("{".to_owned())];
    let places = Kafka::shared().produce(&topics.dead, &letters);
    let id = format!("{}:{}", places[0].0, places[0].1);

    let run = |arguments: &[&str], code| {
        let mut all = vec!["dlq"];
        all.extend_from_slice(arguments);
        ended(command(&all, &settings, &folder), code)
    };
    let listed = run(&["list", "--store", "main"], 0);
    assert!(
        listed.contains("labels_invalid") && listed.contains("mend_me"),
        "{listed}"
    );
    assert!(listed.contains("(cannot be decoded)"), "{listed}");
    let shown = run(&["show", &id], 0);
    assert!(
        shown.contains("too many of them") && shown.contains("offset 12"),
        "{shown}"
    );
    run(&["resend"], 64);
    let dry = run(&["resend", "--all", "--dry-run"], 2);
    assert!(dry.contains("1 letters with 1 samples would be"), "{dry}");

    let stored = |selector: &str| store.export(selector);
    run(&["resend", &id, "--drop-label", "request_id"], 0);
    eventually_blocking(PATIENCE, || {
        let found = stored("{__name__=\"mend_me\",request_id=\"\"}");
        if found.len() == 1 { Ok(()) } else { Err(found) }
    });
    let file = folder.join("letter.json");
    let shown = run(&["show", "--output", "json", &id], 0);
    std::fs::write(&file, shown.replace("mend_me", "mended")).unwrap();
    run(&["resend", "--input", &file.display().to_string()], 0);
    eventually_blocking(PATIENCE, || {
        let found = stored("{__name__=\"mended\"}");
        if found.len() == 1 { Ok(()) } else { Err(found) }
    });
    drop(consumer);
}
