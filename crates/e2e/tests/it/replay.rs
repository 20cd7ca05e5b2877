//! A part of the buffer once more into a store: all of it, some of it, and after having been killed.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use testkit::{Series, VictoriaMetrics, eventually_blocking};

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice, Topics, binary};

const NAMES: usize = 6;
const HOSTS: usize = 50;
const TIMES: usize = 20;
const TOTAL: usize = NAMES * HOSTS * TIMES;

/// A command that has not been started, with a folder of its own.
pub(crate) fn command(arguments: &[&str], settings: &[(&str, &str)], folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder);
    command.env("SLUICE_DATA_DIR", folder);
    command.envs(settings.iter().copied());
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(stdout),
        String::from_utf8_lossy(stderr)
    )
}

/// Runs a command to its end, which must have this exit code, and answers its standard output.
#[track_caller]
pub(crate) fn ended(mut command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

async fn push_all(gateway: &Sluice, start_ms: i64) {
    for time in 0..TIMES {
        let at_ms = start_ms + 1000 * i64::try_from(time).unwrap();
        let metrics: Vec<Value> = (0..NAMES)
            .flat_map(|name| (0..HOSTS).map(move |host| (name, host)))
            .map(|(name, host)| {
                json!({"metric_name": format!("replay_{name}"), "timestamp": at_ms,
                       "value": (name * 1_000_000 + host * 1000 + time) as f64 + 0.25,
                       "labels": {"host": format!("h{host}")}})
            })
            .collect();
        push(&gateway.url("/metrics"), &json!({ "metrics": metrics }))
            .await
            .unwrap();
    }
}

fn stored(store: &VictoriaMetrics, selector: &str) -> Vec<Series> {
    let mut stored = store.export(selector);
    stored.sort_by(|one, other| one.labels.cmp(&other.labels));
    stored
}

fn count(stored: &[Series]) -> usize {
    stored.iter().map(|series| series.samples.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_gets_what_the_first_one_has_whatever_kills_the_replay() {
    let (original, filled) = (VictoriaMetrics::start(), VictoriaMetrics::start());
    let topics = Topics::new("replay", 4);
    let url = original.write_url();
    let settings = topics.with(&[
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
    ]);
    let gateway = Sluice::start("gateway", &topics.settings());
    let consumer = Sluice::start("consumer", &settings);
    let begun_ms = now_ms();
    push_all(&gateway, begun_ms - 1000 * i64::try_from(TIMES).unwrap()).await;
    let all = "{__name__=~\"replay_.*\"}";
    eventually_blocking(PATIENCE, || match count(&stored(&original, all)) {
        TOTAL => Ok(()),
        found => Err(found),
    });
    drop(consumer);
    drop(gateway);

    let folder = testkit::run_dir("replay");
    let from = (begun_ms - 60_000).to_string();
    let counted = command(
        &["replay", "--dry-run", "--from", &from, "--name", "replay_1"],
        &settings,
        &folder,
    );
    let counted = ended(counted, 0);
    let expected = format!("samples      {}", TOTAL / NAMES);
    assert!(counted.contains(&expected), "{counted}");

    // Slowly, and killed in the middle of it.
    let target = filled.write_url();
    let replay = |rate: &str| {
        let arguments = ["replay", "--to", &target, "--from", &from, "--rate", rate];
        command(&arguments, &settings, &folder)
    };
    let mut slow: Child = replay("200").spawn().unwrap();
    eventually_blocking(PATIENCE, || match count(&stored(&filled, all)) {
        0 => Err(0),
        _ => Ok(()),
    });
    slow.kill().unwrap();
    slow.wait().unwrap();
    assert!(
        count(&stored(&filled, all)) < TOTAL,
        "it was too fast to be killed"
    );
    let other = ["replay", "--to", &target, "--from", "earliest"];
    ended(command(&other, &settings, &folder), 64);
    let words = ended(replay("1000000"), 0);
    assert!(words.starts_with("done:"), "{words}");

    // A series that is new is not found at once by a question that was asked before.
    let expected = stored(&original, all);
    eventually_blocking(PATIENCE, || match stored(&filled, all) {
        found if found == expected => Ok(()),
        found => Err(format!(
            "{words}: {} series, {} samples",
            found.len(),
            count(&found)
        )),
    });
    let mut left = folder.join("replay").read_dir().unwrap();
    assert!(left.all(|entry| entry.unwrap().path().extension().unwrap() != "json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_is_replayed_and_nothing_else() {
    let store = VictoriaMetrics::start();
    let topics = Topics::new("replay-chosen", 1);
    let gateway = Sluice::start("gateway", &topics.settings());
    push_all(&gateway, now_ms() - 100_000).await;
    let folder = testkit::run_dir("replay-chosen");
    let target = store.write_url();
    let run = |arguments: &[&str], code: i32| {
        let mut all = vec!["replay", "--to", &target];
        all.extend_from_slice(arguments);
        ended(command(&all, &topics.settings(), &folder), code)
    };
    let chosen = [
        "--name",
        "replay_[12]",
        "--name",
        "replay_3",
        "--label",
        "host=h1*",
    ];
    let mut arguments = vec!["--from", "earliest"];
    arguments.extend_from_slice(&chosen);
    run(&arguments, 0);
    // h1 and h10 to h19.
    let found = eventually_blocking(PATIENCE, || {
        let found = stored(&store, "{__name__=~\"replay_.*\"}");
        if count(&found) == 11 * TIMES {
            Ok(found)
        } else {
            Err(count(&found))
        }
    });
    assert!(
        found
            .iter()
            .all(|series| series.label("__name__") == "replay_3")
    );

    // The first record alone, and then offsets that nobody has.
    run(&["--offsets", "0:0..1"], 0);
    let words = run(&["--offsets", "0:100000..100100"], 2);
    assert!(words.contains("100 records had expired"), "{words}");
    run(&["--from-consumer", "nobody"], 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_one_machine_is_replayed_once_its_process_has_ended() {
    let store = VictoriaMetrics::start();
    let folder = testkit::run_dir("replay-local");
    let standalone = Sluice::standalone(&folder);
    push_all(&standalone, now_ms() - 100_000).await;
    let target = store.write_url();
    let arguments = [
        "replay",
        "--role",
        "standalone",
        "--to",
        &target,
        "--from",
        "earliest",
    ];
    let refused = command(&arguments, &[], &folder).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("stop the standalone"),
        "{}",
        text(&refused)
    );

    standalone.process.terminate();
    standalone.process.wait_for_exit(PATIENCE);
    ended(command(&arguments, &[], &folder), 0);
    eventually_blocking(PATIENCE, || {
        match count(&stored(&store, "{__name__=~\"replay_.*\"}")) {
            TOTAL => Ok(()),
            found => Err(found),
        }
    });
    let archive = format!("parquet:{}", folder.join("copy").display());
    let arguments = [
        "replay",
        "--role",
        "standalone",
        "--to",
        &archive,
        "--from",
        "earliest",
    ];
    let words = ended(command(&arguments, &[], &folder), 0);
    assert!(words.contains(&format!("{TOTAL} samples")), "{words}");
}
