//! Pushing numbered samples, and knowing afterwards what was pushed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::sluice::reqwest_client;

/// What identifies a sample: metric name, labels, Unix milliseconds.
pub(crate) type Key = (String, BTreeMap<String, String>, i64);

/// Samples by identity. Two with one identity would be a defect of the test.
pub(crate) type Samples = BTreeMap<Key, f64>;

/// Posts a batch and insists on a 2xx: retried while the answer is 503 or the connection breaks, as the contract asks.
pub(crate) async fn push(url: &str, body: &Value) -> anyhow::Result<Value> {
    let client = reqwest_client()?;
    let text = body.to_string();
    for _ in 0..600 {
        let answer = client
            .post(url)
            .header("content-type", "application/json")
            .body(text.clone())
            .send()
            .await;
        let Ok(answer) = answer else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let status = answer.status();
        let answer = answer.text().await?;
        if status.as_u16() == 503 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        ensure!(status.is_success(), "{status}: {answer}");
        return Ok(serde_json::from_str(&answer)?);
    }
    anyhow::bail!("no answer but 503 for a minute")
}

/// A batch as the API takes it.
pub(crate) fn batch<'a>(samples: impl IntoIterator<Item = (&'a Key, &'a f64)>) -> Value {
    let metrics: Vec<Value> = samples
        .into_iter()
        .map(|((name, labels, at_ms), value)| {
            json!({ "metric_name": name, "timestamp": at_ms, "value": value, "labels": labels })
        })
        .collect();
    json!({ "metrics": metrics })
}

/// Samples in the shape of the API, which is also that of the recent window and of the agents.
pub(crate) fn samples(rows: &Value) -> anyhow::Result<Samples> {
    let rows = rows.as_array().context("samples are an array")?;
    let mut samples = Samples::new();
    for row in rows {
        let labels = row["labels"].as_object().context("labels are an object")?;
        let labels = labels
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        let name = row["metric_name"]
            .as_str()
            .context("a sample has a name")?
            .to_owned();
        let at_ms = row["timestamp"].as_i64().context("a sample has a time")?;
        let value = row["value"].as_f64().context("a sample has a value")?;
        ensure!(
            samples.insert((name, labels, at_ms), value).is_none(),
            "twice: {row}"
        );
    }
    Ok(samples)
}

/// The current time in Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    service::clock::now_ms()
}
