//! Times as people write them: how long ago, or when. Pure.

use std::time::{Duration, UNIX_EPOCH};

/// Milliseconds since the Unix epoch of `2h` (ago), `2026-01-31T12:00:00Z`, `2026-01-31 12:00`, Unix milliseconds, or
/// `now`.
///
/// # Errors
/// What would have been right.
pub(crate) fn when(text: &str, now_ms: i64) -> Result<i64, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(now_ms);
    }
    if let Ok(at_ms) = text.parse::<i64>() {
        return match at_ms {
            // From 1973 on in milliseconds, until 5138 in seconds.
            100_000_000_000.. => Ok(at_ms),
            _ => Err(format!(
                "{text} is not Unix milliseconds; for seconds, write {text}000"
            )),
        };
    }
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(now_ms.saturating_sub(millis(ago)));
    }
    let with_seconds = format!("{}:00Z", text.trim_end_matches('Z'));
    [text, with_seconds.as_str()]
        .iter()
        .find_map(|text| humantime::parse_rfc3339_weak(text).ok())
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .map(millis)
        .ok_or_else(|| {
            format!(
                "{text:?} is neither how long ago (2h), nor a time in UTC (2026-01-31T12:00:00Z), nor Unix milliseconds"
            )
        })
}

/// The same time for people, in UTC.
pub(crate) fn shown(at_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(at_ms).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}

#[cfg(test)]
mod tests;
