//! Mending samples, and records of what was mended. Pure.

use buffer::{ContentType, Record};
use bytes::Bytes;
use model::{Limits, check_series};
use serde_json::{Map, Value, json};

use super::Mending;
use super::letters::Letter;
use super::show::samples;

/// The same, ready to be done.
#[derive(Debug, Clone, Default)]
pub(super) struct Mend {
    drop_labels: Vec<String>,
    set_labels: Vec<(String, String)>,
    rename: Option<String>,
}

impl Mend {
    pub(super) fn new(mending: &Mending) -> Result<Self, String> {
        let pair = |text: &String| {
            let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty())?;
            Some((name.to_owned(), value.to_owned()))
        };
        let set_labels = mending
            .set_labels
            .iter()
            .map(|text| pair(text).ok_or_else(|| format!("--set-label {text}: write NAME=VALUE")));
        Ok(Self {
            drop_labels: mending.drop_labels.clone(),
            set_labels: set_labels.collect::<Result<_, _>>()?,
            rename: mending.rename.clone(),
        })
    }

    fn is_nothing(&self) -> bool {
        self.drop_labels.is_empty() && self.set_labels.is_empty() && self.rename.is_none()
    }

    fn mend(&self, sample: &mut Value) {
        if let Some(name) = &self.rename {
            put(sample, "metric_name", Value::from(name.as_str()));
        }
        let Some(Value::Object(labels)) = sample.get_mut("labels") else {
            return;
        };
        for name in &self.drop_labels {
            labels.remove(name);
        }
        for (name, value) in &self.set_labels {
            labels.insert(name.clone(), Value::from(value.as_str()));
        }
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// What goes back into the buffer for one letter.
#[derive(Debug)]
pub(super) struct Mended {
    pub(super) records: Vec<Record>,
    pub(super) samples: u64,
}

/// Records of a letter: as it was where nothing is to be mended, else one per sample.
pub(super) fn of_letter(
    letter: &Letter,
    mend: &Mend,
    limits: &Limits,
    now_ms: i64,
) -> Result<Mended, String> {
    let block = letter.block()?;
    let name = block.iter().next().map(|view| view.name().to_owned());
    let name = name.ok_or("it has no series")?;
    if !mend.is_nothing() {
        let mut samples = samples(&block);
        samples.iter_mut().for_each(|sample| mend.mend(sample));
        let owner = (letter.tenant.as_deref(), letter.sender.as_deref());
        return of_samples(&samples, owner, limits, now_ms);
    }
    let is_json = letter
        .content_type
        .as_deref()
        .is_none_or(|found| found.starts_with(b"application/json"));
    let record = Record {
        key: match &letter.key {
            Some(key) if !key.is_empty() => key.clone(),
            Some(_) | None => Bytes::from(name),
        },
        value: letter.value.clone(),
        content_type: if is_json {
            ContentType::Json
        } else {
            ContentType::RemoteWriteV2
        },
        tenant: letter.tenant.clone(),
        source: letter.sender.clone(),
        received_at_ms: now_ms,
        spread: buffer::Spread::default(),
    };
    Ok(Mended {
        records: vec![record],
        samples: block.samples() as u64,
    })
}

/// Records of a letter that somebody mended by hand.
pub(super) fn of_object(
    object: &Value,
    mend: &Mend,
    limits: &Limits,
    now_ms: i64,
) -> Result<Mended, String> {
    let samples = object.get("samples").and_then(Value::as_array);
    let samples = samples.ok_or("it has no samples, an array such as show --output json writes")?;
    let mut samples = samples.clone();
    samples.iter_mut().for_each(|sample| mend.mend(sample));
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    of_samples(&samples, (text("tenant"), text("source")), limits, now_ms)
}

/// Checked as a gateway checks them: nothing that it would refuse gets in by this door.
fn of_samples(
    samples: &[Value],
    (tenant, sender): (Option<&str>, Option<&str>),
    limits: &Limits,
    now_ms: i64,
) -> Result<Mended, String> {
    let mut records = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        let wrong = |why: &str| format!("sample {index}: {why}");
        check(sample, limits).map_err(|why| wrong(&why))?;
        let name = sample.get("metric_name").and_then(Value::as_str);
        let name = name.ok_or_else(|| wrong("metric_name is missing"))?;
        records.push(Record {
            key: Bytes::copy_from_slice(name.as_bytes()),
            value: Bytes::from(sample.to_string()),
            content_type: ContentType::Json,
            tenant: tenant.map(Into::into),
            source: sender.map(Into::into),
            received_at_ms: now_ms,
            spread: buffer::Spread::default(),
        });
    }
    let samples = records.len() as u64;
    Ok(Mended { records, samples })
}

fn check(sample: &Value, limits: &Limits) -> Result<(), String> {
    // A record has texts for the numbers that JSON has not; a body has not.
    let mut plain = sample.clone();
    if let Some(Value::String(_)) = sample.get("value") {
        put(&mut plain, "value", Value::from(0));
    }
    let mut body = Map::new();
    body.insert("metrics".to_owned(), json!([plain]));
    let body = Value::Object(body).to_string();
    let decoded = codec::json::decode(body.as_bytes(), 1).map_err(|refusal| refusal.message)?;
    if let Some(refused) = decoded.refused.first() {
        return Err(refused.refusal.message.clone());
    }
    let batch = &decoded.batch;
    for sample in batch.samples() {
        if let Some(series) = batch.series(sample.series) {
            check_series(series, batch.labels(series), limits)
                .map_err(|refusal| refusal.message)?;
        }
    }
    let record = Bytes::from(sample.to_string());
    codec::record::decode(Some(b"application/json"), &record).map_err(|error| error.to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests;
