//! Which refusals a person asks for: the parameters of `GET /api/v1/rejections`.

use std::time::Duration;

use super::Kind;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// What is asked for. Everything that is said must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// This sender, alone or among others.
    pub source: Option<String>,
    /// This metric name, or all that begin so where it ends with `*`.
    pub metric: Option<String>,
    /// This code.
    pub reason: Option<String>,
    /// This tenant.
    pub tenant: Option<String>,
    /// Not before, milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// At most so many entries, the newest.
    pub limit: usize,
    /// Whether to look for what stores refused elsewhere, which takes a moment.
    pub late: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            source: None,
            metric: None,
            reason: None,
            tenant: None,
            since_ms: i64::MIN,
            limit: DEFAULT_LIMIT,
            late: true,
        }
    }
}

impl Query {
    /// Reads the parameters of a request that comes at `now_ms`.
    ///
    /// # Errors
    /// The sentence that names the parameter and what it may be.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        parameters: impl IntoIterator<Item = (N, V)>,
        now_ms: i64,
    ) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, value) in parameters {
            let (name, value) = (name.as_ref(), value.as_ref());
            let text = || Some(value.to_owned()).filter(|text| !text.is_empty());
            match name {
                "source" => query.source = text(),
                "metric" | "metric_name" => query.metric = text(),
                "reason" => query.reason = text(),
                "tenant" => query.tenant = text(),
                "since" => query.since_ms = since(value, now_ms)?,
                "limit" => match value.parse() {
                    Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => query.limit = limit,
                    _ => {
                        return Err(format!(
                            "limit={value} is not a number from 1 to {MAX_LIMIT}"
                        ));
                    }
                },
                "late" => match value {
                    "true" => query.late = true,
                    "false" => query.late = false,
                    _ => return Err(format!("late={value}; write late=true or late=false")),
                },
                other => {
                    return Err(format!(
                        "unknown parameter {other:?}; known are source, metric, reason, tenant, since, limit and late"
                    ));
                }
            }
        }
        Ok(query)
    }

    /// Whether an entry is asked for, its time and metric name aside.
    pub(super) fn is_about(&self, kind: &Kind) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let is_source = self.source.as_deref().is_none_or(|wanted| {
            let found = kind.source.as_deref().unwrap_or_default();
            found.split(',').any(|name| name.trim() == wanted)
        });
        is_source
            && is(&self.reason, Some(&kind.reason))
            && is(&self.tenant, kind.tenant.as_deref())
    }

    pub(super) fn is_about_metric(&self, name: &str) -> bool {
        match self.metric.as_deref() {
            None => true,
            Some(wanted) => match wanted.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == wanted,
            },
        }
    }
}

/// A time: how long ago (`90s`, `2h`), or when (`2026-01-31T12:00:00Z`, or Unix milliseconds).
fn since(text: &str, now_ms: i64) -> Result<i64, String> {
    if let Ok(at_ms) = text.parse::<i64>() {
        return Ok(at_ms);
    }
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(now_ms.saturating_sub(millis(ago)));
    }
    humantime::parse_rfc3339_weak(text)
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .map(millis)
        .ok_or_else(|| {
            format!(
                "since={text} is neither how long ago (2h), nor a time (2026-01-31T12:00:00Z), nor Unix milliseconds"
            )
        })
}
