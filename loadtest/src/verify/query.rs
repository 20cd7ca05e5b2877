//! What a time-series store has, asked metric by metric.

use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use service::http_client::{Timeouts, client};

use super::tally::{Tally, Verdict};
use crate::ledger::Ledger;

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    request: Duration::from_secs(300),
};

/// Asks VictoriaMetrics' export, or Prometheus' query API where there is none.
pub(super) async fn verify(url: &str, ledger: &Ledger) -> anyhow::Result<Verdict> {
    let client = client(TIMEOUTS)?;
    let mut tally = Tally::new(ledger);
    let url = url.trim_end_matches('/');
    let probe = format!("{url}/api/v1/export?match[]=service_metric_000000_percent");
    let has_export = client.get(probe).send().await?.status().is_success();
    for name in 0..ledger.names.max(1) {
        let name = format!("service_metric_{name:06}_percent");
        let query = if has_export {
            format!("{url}/api/v1/export?match[]={name}")
        } else {
            format!("{url}/api/v1/query?query={name}%5B1d%5D")
        };
        let answer = client.get(&query).send().await?.error_for_status()?;
        let body = answer.bytes().await?;
        let values = match has_export {
            true => exported(&body),
            false => queried(&body),
        };
        for value in values.with_context(|| query.clone())? {
            tally.see(value);
        }
    }
    Ok(tally.verdict(ledger))
}

#[derive(Deserialize)]
struct Line {
    values: Vec<f64>,
}

/// Lines of `{"metric":{…},"values":[…],"timestamps":[…]}`.
fn exported(body: &[u8]) -> anyhow::Result<Vec<f64>> {
    let mut values = Vec::new();
    for line in body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        values.extend(serde_json::from_slice::<Line>(line)?.values);
    }
    Ok(values)
}

/// The matrix of a range without a step: samples as they are stored.
fn queried(body: &[u8]) -> anyhow::Result<Vec<f64>> {
    let answer: Value = serde_json::from_slice(body)?;
    let series = answer.pointer("/data/result").and_then(Value::as_array);
    let mut values = Vec::new();
    for series in series.context("no result")? {
        let pairs = series.get("values").and_then(Value::as_array);
        for pair in pairs.context("no values")? {
            let value = pair.get(1).and_then(Value::as_str).context("no value")?;
            values.push(value.parse()?);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::{exported, queried};

    #[test]
    fn both_answers_are_read() {
        let export = br#"{"metric":{"__name__":"a"},"values":[10000000000001,2],"timestamps":[1,2]}
{"metric":{"__name__":"a","host":"x"},"values":[3],"timestamps":[1]}
"#;
        assert_eq!(exported(export).unwrap(), [10_000_000_000_001.0, 2.0, 3.0]);
        let query = br#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"a"},"values":[[1700000000.1,"10000000000001"],[1700000001,"2"]]}]}}"#;
        assert_eq!(queried(query).unwrap(), [10_000_000_000_001.0, 2.0]);
        assert!(queried(br#"{"status":"error"}"#).is_err());
    }
}
