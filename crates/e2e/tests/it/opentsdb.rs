//! Requests as OpenTSDB's documentation of `/api/put` has them.

use serde_json::{Value, json};
use testkit::eventually;
use testkit::http::request;

use crate::push::now_ms;
use crate::sluice::{PATIENCE, Sluice};

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_requests_are_answered_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    let seconds = now_ms() / 1000;
    let put = |query: &str, body: &Value| {
        let target = format!("/api/put{query}");
        let headers = [("Content-Type", "application/json; charset=UTF-8")];
        let body = body.to_string();
        request(
            sluice.http_port(),
            "POST",
            &target,
            &headers,
            body.as_bytes(),
        )
        .unwrap()
    };
    let point = |value: Value, host: &str| {
        json!({"metric": "sys.cpu.nice", "timestamp": seconds, "value": value,
            "tags": {"host": host, "dc": "lga"}})
    };

    let answer = put("", &point(json!(18), "web01"));
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    let both = json!([point(json!(18), "web02"), point(json!("9.5"), "web03")]);
    let answer = put("?summary", &both);
    let report: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        (answer.status, report),
        (200, json!({"failed": 0, "success": 2}))
    );

    let bad = point(json!("NaN"), "web04");
    let answer = put("?details", &json!([point(json!(9), "web05"), bad]));
    let report: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(
        (&report["failed"], &report["success"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(report["errors"][0]["datapoint"], bad);

    eventually(PATIENCE, async || {
        let found = sluice
            .get("/api/v1/recent/samples?metric_name=sys.cpu.nice")
            .map_err(|error| error.to_string())?;
        let rows = found["samples"].as_array().unwrap();
        let mut values: Vec<f64> = rows
            .iter()
            .filter_map(|row| row["value"].as_f64())
            .collect();
        values.sort_by(f64::total_cmp);
        let is_at = |row: &Value| row["timestamp"] == json!(seconds * 1000);
        if values == [9.0, 9.5, 18.0, 18.0] && rows.iter().all(is_at) {
            Ok(())
        } else {
            Err(found)
        }
    })
    .await;
}
