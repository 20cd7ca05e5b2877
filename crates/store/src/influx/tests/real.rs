//! Against a real `InfluxDB` and a real `VictoriaMetrics`.

use serde_json::{Value, json};
use testkit::{InfluxDb, VictoriaMetrics};

use super::{AT, Config, Influx, Series, batch, config};
use crate::{Item, Write as _, WriteError};

fn store(url: &str) -> Influx {
    Influx::new(config(url), "main").unwrap()
}

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> Item {
    Series::new(name, labels, &[(AT, value)]).at(0, 0)
}

async fn write(store: &Influx, items: &[Item]) -> Result<(), WriteError> {
    store.write(&batch(0, items.to_vec())).await
}

#[track_caller]
fn check_refused(result: Result<(), WriteError>, expected: &str) {
    match result {
        Err(WriteError::Refused { reason, .. }) if reason == expected => {}
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_retryable(result: Result<(), WriteError>, words: &str) {
    match result {
        Err(WriteError::Retryable { message, .. }) if message.contains(words) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn influxdb_keeps_what_was_written_bit_for_bit() {
    let server = InfluxDb::start();
    let store = store(&server.write_url("metrics"));
    let odd = [
        sample("a b,c=d", &[("k =,", "v =,\"é")], 0.1),
        sample("http.server\\duration", &[("path", "C:\\x")], 5e-324),
        sample("back\\ slash\\", &[("path", "a\\ b\\,c\\")], 1.5),
        sample("big", &[], f64::MAX),
        sample("stale", &[], f64::NAN),
    ];
    check_retryable(write(&store, &odd).await, "create the database");
    server.create_database("metrics");
    for _ in 0..2 {
        write(&store, &odd).await.unwrap();
    }
    let mut rows = server.query("metrics", "SELECT * FROM /.*/");
    rows.sort_by_key(|row| row["name"].to_string());
    let expected: Vec<Value> = vec![
        json!({"name": "a b,c=d", "time": AT, "k =,": "v =,\"é", "value": 0.1}),
        json!({"name": "back slash", "time": AT, "path": "a b,c", "value": 1.5}),
        json!({"name": "big", "time": AT, "value": f64::MAX}),
        json!({"name": "http.server\\duration", "time": AT, "path": "C:\\x", "value": 5e-324}),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn influxdb_says_which_samples_it_never_takes() {
    let server = InfluxDb::start();
    server.create_database("metrics");
    let store = store(&server.write_url("metrics"));
    let text = testkit::http::request(
        server.port(),
        "POST",
        "/write?db=metrics",
        &[],
        format!("conflict value=\"text\" {AT}000000").as_bytes(),
    );
    assert_eq!(text.unwrap().status, 204);
    let good = sample("fine", &[], 1.0);
    let conflict = sample("conflict", &[], 1.0);
    check_refused(
        write(&store, &[good.clone(), conflict]).await,
        "type_conflict",
    );
    let reserved = sample("x", &[("time", "now")], 1.0);
    check_refused(write(&store, &[good, reserved]).await, "invalid");
    let late = Series::new("x", &[], &[(i64::MAX / 1_000_000 + 1, 1.0)]).at(0, 0);
    check_refused(write(&store, &[late]).await, "invalid");
    // What stood beside them is there.
    assert_eq!(server.query("metrics", "SELECT * FROM fine").len(), 1);
    server.process().kill();
    check_retryable(
        write(&store, &[sample("x", &[], 1.0)]).await,
        "did not answer",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn victoria_metrics_takes_the_same_lines() {
    let server = VictoriaMetrics::start();
    let url = format!("http://127.0.0.1:{}/write", server.port());
    let config = Config {
        measurement: Some("m".to_owned()),
        ..config(&url)
    };
    let store = Influx::new(config, "main").unwrap();
    let plain = sample("cpu usage", &[("host", "a b,c=d")], 42.5);
    let backslashes = sample("disk\\ usage\\", &[("path", "a\\ b\\,c=\\\\d\\e\\")], 1.5);
    write(&store, &[plain, backslashes]).await.unwrap();
    let found = server.export("{host=\"a b,c=d\"}");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].labels["__name__"], "m_cpu usage");
    assert_eq!(found[0].samples, [(AT, 42.5)]);
    let found = server.export("{path!=\"\"}");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].labels["__name__"], "m_disk usage");
    assert_eq!(found[0].labels["path"], "a b,c=\\d\\e");
    assert_eq!(found[0].samples, [(AT, 1.5)]);
}
