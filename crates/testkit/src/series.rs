//! Series as a store's query API gives them back.

use std::collections::BTreeMap;

use serde_json::Value;

/// One series with what a query found of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// All labels, `__name__` among them if the query kept it.
    pub labels: BTreeMap<String, String>,
    /// Unix milliseconds and values, in the order of the answer.
    pub samples: Vec<(i64, f64)>,
}

impl Series {
    /// The value of a label; empty if it has none, as PromQL sees it.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// Reads the answer of `/api/v1/query` and `/api/v1/query_range`.
pub(crate) fn from_query(body: &[u8]) -> Result<Vec<Series>, String> {
    let answer: Value = serde_json::from_slice(body)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(body)))?;
    if answer["status"] != "success" {
        return Err(answer.to_string());
    }
    let result = &answer["data"]["result"];
    if answer["data"]["resultType"] == "scalar" {
        return Ok(vec![Series {
            labels: BTreeMap::new(),
            samples: vec![pair(result)?],
        }]);
    }
    let rows = result.as_array().ok_or_else(|| answer.to_string())?;
    rows.iter()
        .map(|row| {
            let samples = match row["values"].as_array() {
                Some(values) => values.iter().map(pair).collect::<Result<_, _>>()?,
                None => vec![pair(&row["value"])?],
            };
            Ok(Series {
                labels: labels(&row["metric"]),
                samples,
            })
        })
        .collect()
}

/// Reads a line of `VictoriaMetrics`' `/api/v1/export`.
pub(crate) fn from_export(line: &str) -> Result<Series, String> {
    // Version 1.79 writes infinities without quotes.
    let quoted = line
        .replace(",+Inf", ",\"inf\"")
        .replace(",-Inf", ",\"-inf\"");
    let row: Value = serde_json::from_str(&quoted).map_err(|error| format!("{error}: {line}"))?;
    let (Some(values), Some(times)) = (row["values"].as_array(), row["timestamps"].as_array())
    else {
        return Err(line.to_owned());
    };
    let samples = times.iter().zip(values).map(|(time, value)| {
        let time = time.as_i64().ok_or_else(|| line.to_owned())?;
        Ok::<_, String>((time, number(value)?))
    });
    Ok(Series {
        labels: labels(&row["metric"]),
        samples: samples.collect::<Result<_, _>>()?,
    })
}

fn labels(metric: &Value) -> BTreeMap<String, String> {
    let map = metric.as_object().into_iter().flatten();
    map.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// `[seconds, "value"]`
#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds of our time are far below 2^53"
)]
fn pair(value: &Value) -> Result<(i64, f64), String> {
    let seconds = value[0].as_f64().ok_or_else(|| value.to_string())?;
    Ok(((seconds * 1000.0).round() as i64, number(&value[1])?))
}

/// A number, or one in quotes; infinities and NaN have no other way in JSON.
fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => number.as_f64(),
        // What the export writes for NaN.
        Value::Null => Some(f64::NAN),
        Value::String(text) => text.replace("Infinity", "inf").parse().ok(),
        _ => None,
    }
    .ok_or_else(|| format!("not a number: {value}"))
}
