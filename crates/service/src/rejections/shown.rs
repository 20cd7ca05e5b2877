//! Refusals as a person reads them: an entry each, with a sentence that says who refused what and why.

use std::time::{Duration, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::Serialize;

use super::{By, Entry, Kind, Query, Rejections, What};

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Rejections")]
pub struct Answer {
    /// The newest first.
    pub rejections: Vec<Shown>,
    /// How many more there are than were asked for.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: usize,
    /// What the answer does not know, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Rejection")]
pub struct Shown {
    /// All of it in a sentence.
    pub summary: String,
    /// When the last of them was refused.
    pub last_at: String,
    /// When the first was.
    pub first_at: String,
    /// How many.
    pub count: u64,
    /// `samples`, `requests` (whose samples nobody counted) or `records`.
    pub what: &'static str,
    /// `gateway` or `store`.
    pub by: &'static str,
    /// As what it came, where a gateway refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static str>,
    /// The store that refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Whose it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The metric name, where it is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub metric_name: String,
    /// A stable code.
    pub reason: String,
    /// Why; of several the last.
    pub message: String,
    /// The first part of the last one that is known, as it was sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sample: String,
}

impl Rejections {
    /// What is remembered of what is asked for.
    #[must_use]
    pub fn answer(&self, query: &Query) -> Answer {
        let inner = self.lock();
        let mut found: Vec<(&Kind, &Entry)> = Vec::new();
        let mut nameless = 0_u64;
        for (kind, entry) in &inner.entries {
            if entry.last_ms < query.since_ms || !query.is_about(kind) {
                continue;
            }
            if query.is_about_metric(&kind.metric_name) {
                found.push((kind, entry));
            } else if kind.metric_name.is_empty() {
                nameless = nameless.saturating_add(entry.count);
            }
        }
        found.sort_by_key(|(_, entry)| std::cmp::Reverse((entry.last_ms, entry.turn)));
        let omitted = found.len().saturating_sub(query.limit);
        found.truncate(query.limit);
        let mut notes = Vec::new();
        if nameless > 0 {
            notes.push(format!(
                "{nameless} more refusals have no metric name, such as requests that were refused before they were \
                 read; they are shown without metric="
            ));
        }
        if !self.is_on() {
            notes.push("rejections.max_memory is 0B: this process remembers none".to_owned());
        }
        if let Some(last_ms) = inner.forgotten.last_ms {
            notes.push(format!(
                "{} older entries made room for others (rejections.max_memory); the last of them was of {}",
                inner.forgotten.entries,
                time(last_ms)
            ));
        }
        Answer {
            rejections: found
                .into_iter()
                .map(|(kind, entry)| shown(kind, entry))
                .collect(),
            omitted,
            notes,
        }
    }
}

fn shown(kind: &Kind, entry: &Entry) -> Shown {
    let (by, protocol, store) = match &kind.by {
        By::Gateway { protocol } => ("gateway", Some(*protocol), None),
        By::Store { name } => ("store", None, Some(name.to_string())),
    };
    Shown {
        summary: summary(kind, entry),
        last_at: time(entry.last_ms),
        first_at: time(entry.first_ms),
        count: entry.count,
        what: kind.what.word(2),
        by,
        protocol,
        store,
        tenant: kind.tenant.as_deref().map(str::to_owned),
        source: kind.source.as_deref().map(str::to_owned),
        metric_name: kind.metric_name.clone(),
        reason: kind.reason.to_string(),
        message: entry.message.clone(),
        sample: entry.sample.clone(),
    }
}

/// Such as: `3 samples of cpu from 10.0.0.7 were refused by the gateway (json): the timestamp is in seconds`.
fn summary(kind: &Kind, entry: &Entry) -> String {
    let mut text = format!("{} {}", entry.count, kind.what.word(entry.count));
    if !kind.metric_name.is_empty() {
        text.push_str(" of ");
        text.push_str(&kind.metric_name);
    }
    if let Some(source) = &kind.source {
        text.push_str(" from ");
        text.push_str(source);
    }
    if let Some(tenant) = &kind.tenant {
        text.push_str(&format!(" (tenant {tenant})"));
    }
    text.push_str(if entry.count == 1 { " was" } else { " were" });
    match (&kind.by, kind.what) {
        (By::Gateway { protocol }, _) => {
            text.push_str(&format!(" refused by the gateway ({protocol}): "));
        }
        (By::Store { name }, What::Records) => {
            text.push_str(&format!(" not readable on the way to store {name}: "));
        }
        (By::Store { name }, _) => {
            text.push_str(&format!(
                " accepted, and then refused for good by store {name} ({}): ",
                kind.reason
            ));
        }
    }
    text.push_str(if entry.message.is_empty() {
        &kind.reason
    } else {
        &entry.message
    });
    text
}

fn time(at_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(at_ms).unwrap_or(0));
    // The last second of the year 9999, beyond which there is no such text.
    let since = since.min(Duration::from_secs(253_402_300_799));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}
